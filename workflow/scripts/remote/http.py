"""Fetch one file of a web server: by several connections, to be gone on with after any end, and checked.

    python -m workflow.scripts.remote.http --folder scratch/weights --row '{"title": "weights", "http": {"file": ...}}'

Beside a file that is not whole yet lie its bytes so far (.part) and which of them are there (.journal); beside one that
is, what it was found to be (.fetched.json), so that it is not read again. Names and passwords come from ~/.netrc.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, write_json
from containers.kit.settings import section
from workflow.scripts.remote.http_digest import differs, expected, of_file
from workflow.scripts.remote.http_part import NO_ROOM, Part, beside, held
from workflow.scripts.remote.http_pull import Pull
from workflow.scripts.remote.http_wait import Manner
from workflow.scripts.remote.http_words import ChangedError, LostError, RefusedError, shown, tell
from workflow.scripts.remote.table import Http, row
from workflow.scripts.slipway.signals import raised

SCHEMA = 1
BEGINNINGS = 2  # of a file that changes while it is fetched
FEW = 2  # tries where another address is left
PATIENT = Manner()


def fetch(wanted: Http, folder: Path, key: str, manner: Manner = PATIENT) -> Path:
    """`folder`/`wanted.file`, fetched unless it is there and verified. `key` is the table's row, which errors name."""
    target = folder / wanted.file
    with _told(target), raised():
        folder.mkdir(parents=True, exist_ok=True)
        while not target.is_file():
            with held(target) as part:
                if part:
                    _fetch(wanted, part, key, manner)
                    return target
        _check(wanted, target, key)
    return target


def _check(wanted: Http, target: Path, key: str) -> None:
    """Whether the file is the one of the table. It is read only where nothing is known of it yet."""
    due, found = expected(wanted), target.stat()
    told = _record(target)
    known = {str(kind): str(text) for kind, text in dict(told.get("checksums", {})).items()}
    same = (told.get("size"), told.get("mtime_ns")) == (found.st_size, found.st_mtime_ns)
    fresh = not same or not due.keys() <= known.keys()
    wrong = f"it has {found.st_size} bytes and not {wanted.size}" if wanted.size not in (0, found.st_size) else ""
    if fresh and not wrong:
        known = of_file(target, wanted)
    wrong = wrong or differs(known, due)
    if wrong:
        raise UserError(f"{target} is not the file of {key}: {wrong}; move it away and run again to fetch it")
    if fresh:
        _note(target, known, "")
        tell(f"{target} was there{_pinned(key, known) if not due else ', and is the file that is wanted'}")


def _fetch(wanted: Http, part: Part, key: str, manner: Manner) -> None:
    """From the first address that gives it."""
    reasons = []
    for number, url in enumerate(wanted.urls, start=1):
        last = number == len(wanted.urls)
        try:
            sums = _from(url, wanted, part, manner, manner.tries if last else min(FEW, manner.tries))
        except RefusedError as error:
            reasons.append(str(error))
            if not last:
                tell(f"{error}; trying the next address")
            continue
        part.finish()
        _note(part.target, sums, shown(url))
        part.journal.unlink(missing_ok=True)
        tell(f"{part.target} is there{_pinned(key, sums) if not expected(wanted) else ', and its checksum is right'}")
        return
    kept = "what came is kept, and a new run goes on from there" if part.done else "nothing of it came"
    raise UserError(
        f"{wanted.file} ({key}) could not be fetched: {'; '.join(reasons)}; {kept}; correct {key}.http.urls, or put "
        f"the file there yourself as {part.target}"
    )


def _from(url: str, wanted: Http, part: Part, manner: Manner, tries: int) -> dict[str, str]:
    """All of it from this address, begun anew where what is there is of no use; its checksums, which are right."""
    changes = losses = 0
    while True:
        mixed = part.there() > 0
        pull = Pull(url, wanted, part, manner, tries)
        try:
            sums = pull.run()
            wrong = differs(sums, expected(wanted) or pull.said)
            if not wrong:
                return sums
            part.restart()
            if not mixed:
                raise RefusedError(f"{shown(url)} gave another file than is wanted, or a damaged one: {wrong}")
            raise ChangedError(f"{shown(url)}: the bytes of several runs do not make the file that is wanted")
        except ChangedError as error:
            changes, reason = changes + 1, str(error)
        except LostError as error:
            losses, reason = losses + 1, str(error)
        part.restart()
        if changes >= BEGINNINGS or losses >= tries:
            raise RefusedError(f"{reason} ({changes + losses} times)")
        tell(f"{reason}; it is fetched from its beginning")


def _note(target: Path, sums: Mapping[str, str], address: str) -> None:
    found = target.stat()
    told = {"schema": SCHEMA, "size": found.st_size, "mtime_ns": found.st_mtime_ns, "checksums": dict(sums)}
    write_json(beside(target, "fetched.json"), {**told, "address": address})


def _record(target: Path) -> dict[str, Any]:
    """What was written of the file when it was checked; nothing where that cannot be read, which costs a check."""
    with suppress(UserError, OSError):
        told = read_json(beside(target, "fetched.json"))
        if isinstance(told, dict) and told.get("schema") == SCHEMA and isinstance(told.get("checksums"), dict):
            return told
    return {}


def _pinned(key: str, sums: Mapping[str, str]) -> str:
    """The table knows no checksum, so that nobody can say whether this is the file that was meant."""
    return f"; note: no checksum of it is known, set {key}.http.sha256 to {sums['sha256']} to hold to this very file"


@contextmanager
def _told(target: Path) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise UserError("fetching was stopped before its end; run it again, and it goes on from there") from None
    except OSError as error:
        if error.errno in NO_ROOM:
            raise UserError(
                f"{target.parent} is full; make room there and run it again, and fetching {target.name} goes on"
            ) from None
        place = error.filename2 or error.filename or target
        raise UserError(f"{place} cannot be written ({error.strerror}); see whose it is") from None


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--row", required=True, help="what to fetch, as the table of sources has it: JSON, or @file")
    parser.add_argument("--folder", type=Path, required=True, help="where it goes")
    args = parser.parse_args(argv)
    wanted = row(section(args.row, "--row"), "--row").http
    if wanted is None:
        raise UserError("--row has no http; this fetches files of web servers only")
    print(fetch(wanted, args.folder, "--row"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
