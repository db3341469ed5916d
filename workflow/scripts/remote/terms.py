"""Terms of use: shown once, and accepted by a key of the configuration, or nothing is fetched."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.files import hash_of, write_text
from workflow.scripts.remote.table import Licence, Row

FOLDER = "licences"


def accepted(row: Row, accept: Sequence[str], scratch: Path) -> None:
    """Go on if the source has no terms, or `accept`, the key of that name, lists its licence.

    The terms are shown where they are not accepted, and once where they are; what was accepted is kept in `scratch`.
    """
    licence = row.licence
    if licence is None:
        return
    text = words(row.title, licence)
    if licence.terms and licence.name not in accept:
        print(text, file=sys.stderr, flush=True)
        close = difflib.get_close_matches(licence.name, accept, n=1)
        hint = f"'{close[0]}' is not its name" if close else "its terms stand above"
        raise UserError(f"add '{licence.name}' to the key accept if you agree to the licence of {row.title}; {hint}")
    kept = scratch / FOLDER / f"{hash_of(text)}.txt"
    if kept.is_file():
        return
    print(text, file=sys.stderr, flush=True)
    try:
        write_text(kept, text + "\n")
    except OSError as error:
        raise UserError(f"{kept} cannot be written ({error.strerror}); make room there, or see whose it is") from None


def words(title: str, licence: Licence) -> str:
    """The terms, for people."""
    lines = [f"licence of {title}: {licence.name}", *(f"  {term}" for term in licence.terms)]
    return "\n".join([*lines, *([f"  its text: {licence.page}"] if licence.page else [])])
