"""The competition's tables: CSV files with a row for each image."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

from containers.kit.errors import UserError, listed

AGAIN = "take the file as the competition has it"


def rows(path: Path, column: str) -> dict[str, str]:
    """The column's text by id; the table must have these two columns and no id twice."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            lines = [line for line in csv.reader(stream, strict=True) if line]
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {AGAIN}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path} is no CSV file ({error}); {AGAIN}") from None
    header = [name.strip() for name in lines[0]] if lines else []
    if sorted(header) != sorted(("id", column)):
        told = ",".join(header) or "nothing"
        raise UserError(f"{path} begins with {told[:80]!r} where 'id,{column}' must stand; {AGAIN}")
    wrong = [number for number, line in enumerate(lines, 1) if len(line) != 2]
    if wrong:
        raise UserError(f"{path} has {len(lines[wrong[0] - 1])} fields in row {wrong[0]}, not 2; {AGAIN}")
    of_id, of_value = header.index("id"), header.index(column)
    ids = [line[of_id].strip() for line in lines[1:]]
    twice = [one for one, count in Counter(ids).items() if count > 1]
    if twice:
        raise UserError(f"{path} has the same id more than once ({listed(twice)}); {AGAIN}")
    return {one: line[of_value].strip() for one, line in zip(ids, lines[1:], strict=True)}


def depths(path: Path) -> dict[str, int]:
    """Feet by id."""
    found = {}
    for one, text in rows(path, "z").items():
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise UserError(f"{path} has {text[:40]!r} as the depth of {one}, which is no whole number; {AGAIN}")
        found[one] = int(text)
    return found
