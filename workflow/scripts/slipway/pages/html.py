"""HTML in which nothing is left unescaped: text becomes markup through `tag` alone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from containers.kit.errors import UserError

VOID = {"meta", "br", "img", "circle", "line", "path", "polyline", "rect"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")  # a container's log may hold any of these
Value = str | int | float | None


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def escaped(value: object) -> Html:
    if isinstance(value, Html):
        return value
    return Html(html.escape(CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(value)), quote=True))


def tag(name: str, /, *children: object, **attributes: Value) -> Html:
    """One element; `class_` makes the attribute `class`, `stroke_width` makes `stroke-width`, and None makes none."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in VOID:
        return Html(f"<{name}{written}>" if name in ("meta", "br", "img") else f"<{name}{written}/>")
    return Html(f"<{name}{written}>{joined(*children)}</{name}>")


def joined(*children: object) -> Html:
    """Children one after the other; None is left out."""
    return Html("".join(escaped(child) for child in children if child is not None))


# A circle, a triangle and an octagon: the outline tells them apart where colours do not.
OUTLINES = {
    "PASS": ("M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z", "M4.8 8.3l2.2 2.2 4.3-4.6"),
    "WARN": ("M8 1.2L15.4 14.4H.6z", "M8 6v4M8 12v.4"),
    "FAIL": ("M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1z", "M5.3 5.3l5.4 5.4M10.7 5.3l-5.4 5.4"),
}


def mark(status: str) -> Html:
    """The sign of a status; the word stands beside it wherever it is used."""
    outline, sign = OUTLINES[status]
    return tag(
        "svg",
        tag("path", d=outline, class_="outline"),
        tag("path", d=sign, class_="sign"),
        viewBox="0 0 16 16",
        class_="mark",
        aria_hidden="true",
    )


def status(word: str) -> Html:
    return tag("span", mark(word), word, class_=f"status {word.lower()}")


def facts(*pairs: tuple[str, object]) -> Html:
    """Names and values; a value of None or "" is left out with its name."""
    return tag(
        "dl",
        *[tag("div", tag("dt", name), tag("dd", value)) for name, value in pairs if value not in (None, "")],
        class_="facts",
    )


def code(text: object) -> Html:
    return tag("code", text)


def block(command: str) -> Html:
    """A command to copy: one click selects it, with no script. Its lines break between flags, never within one."""
    lines = [
        joined(*[part for turn, words in enumerate(_phrases(line)) for part in (" " if turn else None, words)])
        for line in command.split("\n")
    ]
    written = [part for turn, line in enumerate(lines) for part in ("\n" if turn else None, line)]
    return tag("pre", tag("code", *written), class_="command", tabindex=0)


def _phrases(line: str) -> list[Html]:
    """The words of a command, a flag's value together with its flag."""
    phrases: list[str] = []
    for word in line.split(" "):
        if phrases and phrases[-1].startswith("-") and " " not in phrases[-1] and not word.startswith("-"):
            phrases[-1] += f" {word}"
        else:
            phrases.append(word)
    return [tag("span", phrase) for phrase in phrases]


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def size(count: float) -> str:
    """Bytes for people, in the decimal units of file managers and upload forms."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Say in one sentence that a file lacks what its kind has, wherever in the page that is noticed."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        why = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(
            f"{path} is not {kind} as Slipway writes it ({why}); run the rule that makes it again"
        ) from None
