"""ZIP files: written so that equal contents give equal bytes, and read without trusting them."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from containers.kit.errors import UserError, one_line

ENTRIES, UNPACKED = 10_000, 2 << 30  # more than any package has, and less than a disk
TEXT = 4 << 20  # of a file that is read
WHEN = (1980, 1, 1, 0, 0, 0)  # the first that a ZIP can hold
UNIX = 3
ENCRYPTED = 1


@dataclass(frozen=True)
class Contents:
    """What is in it, checked to the last byte; folders also where only their files are named."""

    folders: frozenset[PurePosixPath]
    files: Mapping[PurePosixPath, int]  # and their sizes
    texts: Mapping[PurePosixPath, bytes]  # of the files that were asked for


def write(path: Path, files: Mapping[str, Path]) -> None:
    """Files by their names in the ZIP, with entries for their folders, as `zip -r` has them."""
    folders = {f"{folder}/" for name in files for folder in PurePosixPath(name).parents if folder.name}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted({*folders, *files}):
            entry = zipfile.ZipInfo(name, WHEN)
            entry.create_system = UNIX
            if name in folders:
                entry.external_attr = (stat.S_IFDIR | 0o755) << 16 | 0x10
                archive.writestr(entry, b"")
                continue
            mode = 0o755 if files[name].stat().st_mode & stat.S_IXUSR else 0o644
            entry.external_attr = (stat.S_IFREG | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name].read_bytes(), compresslevel=9)


def read(path: Path, suffixes: tuple[str, ...], called: Path | None = None) -> Contents:
    """What is in a ZIP that anybody may have made; the contents of files with these suffixes come along."""
    where = called or path
    with _opened(path, where) as archive:
        entries = archive.infolist()
        if len(entries) > ENTRIES:
            raise UserError(f"{where} has {len(entries):,} entries; a package has no more than {ENTRIES:,}")
        size = sum(entry.file_size for entry in entries)
        if size > UNPACKED:
            most = f"{UNPACKED / 1e9:.1f} GB"
            raise UserError(f"{where} would be {size / 1e9:.1f} GB unpacked; a package stays below {most}")
        files: dict[PurePosixPath, zipfile.ZipInfo] = {}
        folders: set[PurePosixPath] = set()
        named: set[PurePosixPath] = set()
        for entry in entries:
            name = _safe(where, entry)
            if name in named:
                raise UserError(f"{where} has {name} twice; keep one of them")
            named.add(name)
            folders.update(parent for parent in name.parents if parent.name)
            if entry.is_dir():
                folders.add(name)
            else:
                files[name] = entry
        both = sorted(map(str, folders & files.keys()))
        if both:
            raise UserError(f"{where} has {both[0]} as a file and as a folder; keep one of them")
        texts = {name: archive.read(entry) for name, entry in files.items() if _is_text(where, name, entry, suffixes)}
        broken = archive.testzip()
        if broken is not None:
            raise UserError(f"{where} is broken at {broken}; make it again")
    return Contents(frozenset(folders), {name: entry.file_size for name, entry in files.items()}, texts)


@contextmanager
def _opened(path: Path, where: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever is wrong with its form is a sentence."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise UserError(f"{where} cannot be read ({error.strerror}); name the package") from None
    try:
        with stream, zipfile.ZipFile(stream) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, IndexError) as error:
        raise UserError(f"{where} is no ZIP, or a broken one ({one_line(error)}); make it again") from None


def _safe(path: Path, entry: zipfile.ZipInfo) -> PurePosixPath:
    """The entry's name, if it stays below the folder that it is unpacked to, and is a file or a folder."""
    name = entry.orig_filename
    parts = name.rstrip("/").split("/")
    if not name or "\\" in name or "\0" in name or name.startswith("/") or {"", ".", ".."} & set(parts):
        raise UserError(f"{path} has an entry {name!r}; names must be relative, with / between and without . and ..")
    if ":" in parts[0]:
        raise UserError(f"{path} has an entry {name!r}, which begins with a drive; names must be relative")
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == UNIX else 0
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise UserError(f"{path} has {name} as a link or a device; put the file itself there")
    if entry.flag_bits & ENCRYPTED:
        raise UserError(f"{path} is encrypted ({name}); make it without a password")
    return PurePosixPath(name)


def _is_text(path: Path, name: PurePosixPath, entry: zipfile.ZipInfo, suffixes: tuple[str, ...]) -> bool:
    if name.suffix not in suffixes:
        return False
    if entry.file_size > TEXT:
        raise UserError(f"{path} has {name} with {entry.file_size / 1e6:.0f} MB; settings are smaller than that")
    return True
