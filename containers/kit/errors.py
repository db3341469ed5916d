"""Errors that a user can cause: one sentence, no traceback."""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import ParamSpec

P = ParamSpec("P")
NAMED = 5  # how many problems an error names; the rest are counted
WORDS = 300  # characters of what another program says


class UserError(Exception):
    """Names the file, key or flag that is wrong, and what to do about it."""


def listed(items: Sequence[str], separator: str = ", ") -> str:
    """The first few items, and how many more there are."""
    rest = len(items) - NAMED
    return separator.join(items[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def one_line(error: BaseException) -> str:
    """What an error of another program says, its kind where it says nothing."""
    return " ".join(str(error).split())[:WORDS] or type(error).__name__


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """The known word that was probably meant, as a question; where none is close, what else to say."""
    close = difflib.get_close_matches(word, known, n=1)
    return f"did you mean '{close[0]}'?" if close else otherwise


def reports_errors(main: Callable[P, int]) -> Callable[P, int]:
    """Turn a `UserError` that leaves `main` into one line on standard error and exit status 1."""

    @functools.wraps(main)
    def wrapped(*arguments: P.args, **named: P.kwargs) -> int:
        try:
            return main(*arguments, **named)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return 1

    return wrapped


@contextmanager
def ends_with_error() -> Iterator[None]:
    """End the program with one line when a `UserError` leaves the block; for files that are no `main`."""
    try:
        yield
    except UserError as error:
        raise SystemExit(f"error: {error}") from None
