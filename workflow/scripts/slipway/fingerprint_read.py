"""What the inspect programs of all challenges share: their flags, which cases they read, and what they refuse."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from containers.kit.errors import UserError, listed
from containers.kit.files import hash_of, read_json, write_json
from containers.kit.pool import each
from workflow.scripts.slipway.fingerprint import Count, Found, written

T = TypeVar("T")
R = TypeVar("R")
REMOTE = "remote"  # the source of that name, and the folder below the raw data that takes what it gives


@dataclass(frozen=True)
class Raw:
    """Raw data as their manifest lists them, and how much of them to read."""

    challenge: str
    path: Path  # of the manifest
    content: dict[str, Any]
    read: int  # 0 is all
    workers: int

    @property
    def root(self) -> Path:
        return Path(self.content["root"])

    @property
    def source(self) -> str:
        return str(self.content["source"])

    def again(self, singly: bool) -> str:
        """What to do about files that are not sound; `singly` says that `remote` fetches each of them by itself."""
        if self.source == "folder":
            return f"put them right or leave them out, delete {self.path} and run again"
        place = self._place()
        # Of a part that was fetched there is another name of each file beside it, with the same bytes.
        what = f"these files wherever they lie below {place}," if self.source == REMOTE and singly else place
        return f"delete {what} and {self.path} and run again"

    def _place(self) -> Path:
        """The folder that is made as one piece."""
        fetched = self.path.parent.resolve() / REMOTE
        root = self.root.resolve()
        return fetched / root.relative_to(fetched).parts[0] if fetched in root.parents else root


def main(challenge: str, doc: str | None, inspect: Callable[[Raw], Found], argv: Sequence[str] | None) -> int:
    """Inspect the raw data that a manifest lists, and write down what they are."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest of the raw data")
    parser.add_argument("--read", type=int, default=0, help="how many to read through, evenly drawn; 0 reads all")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    parser.add_argument("--output", type=Path, required=True, help="what they are, as JSON")
    args = parser.parse_args(argv)
    if args.read < 0:
        raise UserError(f"--read is {args.read}; give a number, or 0 for all")
    raw = Raw(challenge, args.manifest, read_json(args.manifest), args.read, args.workers)
    found = inspect(raw)
    content = written(challenge, raw.source, raw.content["fingerprint"], found)
    for note in found.notes:
        print(f"note: {note}", file=sys.stderr)
    try:
        write_json(args.output, content)
    except OSError as error:
        raise UserError(f"{args.output} cannot be written ({error.strerror}); make room there") from None
    told = ", ".join(f"{one.name}: {one.found:,}{_aside(one)}" for one in found.counts)
    print(f"{raw.root}: {told}; {found.read:,} of {found.of:,} {found.noun} were read through and are sound")
    return 0


def _aside(one: Count) -> str:
    return "" if one.released in (None, one.found) else f" (the release has {one.released:,})"


def complete(raw: Raw, counts: Sequence[Count], *, singly: bool) -> None:
    """Refuse what was fetched as a whole and is not the whole; people's own folders may hold what they like."""
    short = [one for one in counts if one.binding and one.released not in (None, one.found)]
    if raw.source == REMOTE and not raw.content.get("subset") and short:
        told = listed([f"{one.name}: {one.found:,} and not {one.released:,}" for one in short])
        key = f"challenges.{raw.challenge}.source"
        again = f"delete {raw.path} and run again" if singly else raw.again(singly)
        raise UserError(f"{raw.root} is not what was released ({told}); {again}, or set {key} to it to use it as it is")


def sample(items: Sequence[T], kinds: Sequence[Hashable], names: Sequence[str], raw: Raw) -> list[T]:
    """As many of the items as are to be read: of each kind one, then of each by its share, in the items' order.

    Which, is drawn by names and the data's fingerprint: the same data give the same sample.
    """
    if not raw.read or raw.read >= len(items):
        return list(items)
    seed = raw.content["fingerprint"]
    of_kind: dict[Hashable, list[tuple[str, int]]] = {}
    for index, (kind, name) in enumerate(zip(kinds, names, strict=True)):
        of_kind.setdefault(kind, []).append((hash_of([seed, name]), index))
    turns = [
        (place / len(drawn), lot, index)
        for drawn in of_kind.values()
        for place, (lot, index) in enumerate(sorted(drawn))
    ]
    return [items[index] for index in sorted(index for _, _, index in sorted(turns)[: raw.read])]


def read_each(look: Callable[[T], R], work: Sequence[T], noun: str, raw: Raw, *, singly: bool) -> list[R]:
    """What `look` finds in each; those that it refuses are named in one sentence."""
    seen: list[R] = []
    faults: list[str] = []
    for result in each(look, work, workers=raw.workers, title=f"read the {noun}"):
        if isinstance(result, UserError):
            faults.append(_fault(result, raw))
        else:
            seen.append(result)
    if faults:
        told = f"{len(faults):,} of {len(work):,} {noun} in {raw.root} cannot be used: {listed(faults, '; ')}"
        raise UserError(f"{told}; {raw.again(singly)}")
    return seen


def _fault(error: UserError, raw: Raw) -> str:
    """What is wrong with which file, without the advice that ends most sentences."""
    told, _, last = str(error).rpartition("; ")
    return (told or last).replace(f"{raw.root}/", "")
