"""What an archive holds, and whether that may be unpacked: names, kinds, and what all of it comes to."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from containers.kit.errors import UserError, listed, one_line
from containers.kit.files import hash_of
from workflow.scripts.remote.table import Archive

AGAIN = "download it again"
CLUTTER = ("__MACOSX", ".DS_Store")  # what a Mac adds
LONGEST = 255  # bytes of a file's name
DRIVE = re.compile(r"[A-Za-z]:")


class UnsoundError(UserError):
    """The archive itself will not do, so that nothing of it is worth keeping."""


@dataclass(frozen=True)
class Box:
    """An archive, the name that errors call it, and the row of the table of sources with its limits."""

    path: Path
    name: str
    limits: Archive
    key: str

    def broken(self, why: BaseException | str) -> UnsoundError:
        said = one_line(why) if isinstance(why, BaseException) else why
        return UnsoundError(f"{self.name} is no whole archive ({said}); {AGAIN}")

    def more_than_it_says(self, name: str) -> UnsoundError:
        return UnsoundError(f"{self.name} gives more of {name!r} than it says of its size; {AGAIN}")

    def within(self, entries: int, size: int) -> None:
        """Nothing larger than the table allows, whether it was only declared or has come already."""
        packed = self.path.stat().st_size
        for count, most, unit, limit in (
            (entries, self.limits.files, "entries", "files"),
            (size, self.limits.bytes, "bytes", "bytes"),
            (size, int(self.limits.ratio * packed), f"bytes, of {packed:,} that are packed", "ratio"),
        ):
            if count > most:
                raise UnsoundError(
                    f"{self.name} holds {count:,} {unit}, and {self.key}.archive.{limit} allows {most:,}; "
                    f"raise that if the archive is the one that you want, or {AGAIN}"
                )


@dataclass(frozen=True)
class Member:
    """A file of the archive."""

    index: int  # among all entries
    place: str  # below the target
    size: int
    mark: int = 0  # its checksum, where the archive has it


def place(box: Box, name: str, folder: bool) -> PurePosixPath | None:
    """Where an entry goes, below the target; None for what a Mac adds."""
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or DRIVE.match(name) is not None
    if outside or (not path.parts and not folder):
        raise UnsoundError(f"{box.name} holds {name!r}, which would leave the folder it is unpacked to; {AGAIN}")
    if "\0" in name or any(len(os.fsencode(part)) > LONGEST for part in path.parts):
        raise UnsoundError(f"{box.name} holds {name[:80]!r}, which no file can be called; {AGAIN}")
    clutter = path.parts and (path.parts[0] == CLUTTER[0] or path.name == CLUTTER[1])
    return None if clutter else path


def no_file(box: Box, name: str) -> UnsoundError:
    return UnsoundError(f"{box.name} holds {name!r}, which is a link or a device; {AGAIN}")


def members(
    box: Box, files: Sequence[tuple[Member, PurePosixPath]], folders: Iterable[PurePosixPath], top: str
) -> tuple[Member, ...]:
    """The files, below `top` where they do not all lie there already."""
    if not files:
        raise UnsoundError(f"{box.name} holds no file; {AGAIN}")
    twice = [str(path) for path, count in Counter(path for _, path in files).items() if count > 1]
    if twice:
        raise UnsoundError(f"{box.name} holds {listed(twice)} more than once; {AGAIN}")
    names = {path for _, path in files}
    both = sorted(map(str, names & {*folders, *(parent for path in names for parent in path.parents)}))
    if both:
        raise UnsoundError(f"{box.name} holds {listed(both)} as a file and as a folder; {AGAIN}")
    below = PurePosixPath(top if top and not all(path.parts[0] == top for path in names) else "")
    return tuple(Member(one.index, str(below / path), one.size, one.mark) for one, path in files)


def digest(found: Sequence[Member]) -> str:
    """Equal for archives that hold the same."""
    return hash_of([[one.place, one.size, one.mark] for one in found])
