"""The raw data: how many there are of how many, what they show, and what reading them gave."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from workflow.scripts.slipway.pages.html import Html, code, facts, joined, tag

Json = Mapping[str, Any]
SOURCES = {
    "demo": "demo data, made by Slipway",
    "folder": "a folder that was there already",
    "remote": "fetched from where the table of sources says",
}
SHARE = "Share"
SHOWN = 40  # labels; the file has all of them
MINUS, THIN = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"


def section(data: Json) -> Html:
    return tag(
        "section",
        tag("h2", "Data"),
        facts(
            ("Source", SOURCES.get(data["source"], data["source"])),
            ("Data fingerprint", code(data["fingerprint"])),
            ("Read through", _read(data["read"])),
        ),
        _counts(data["counts"]),
        *[_labels(labels) for labels in data["labels"]],
        _measures(data["measures"]) if data["measures"] else None,
        *[tag("p", f"Note: {note}", class_="quiet") for note in data["notes"]],
        id="data",
    )


def _read(read: Json) -> str:
    of = f"{number(read['of'])} {read['noun']}"
    return f"all {of}" if read["whole"] else f"{number(read['read'])} of {of}, drawn evenly"


def _counts(counts: list[Json]) -> Html:
    known = any(one["released"] is not None for one in counts)
    return tag(
        "table",
        _head("Count", "Here", "In the release" if known else None),
        tag(
            "tbody",
            *[
                tag(
                    "tr",
                    tag("th", one["name"], scope="row"),
                    tag("td", number(one["found"])),
                    tag("td", _released(one)) if known else None,
                )
                for one in counts
            ],
        ),
        class_="spread",
    )


def _released(one: Json) -> str:
    return "–" if one["released"] is None else number(one["released"])


def _labels(labels: Json) -> Html:
    rows = labels["counts"]
    known = any(one["released"] is not None for one in rows)
    return tag(
        "article",
        tag("h3", labels["title"]),
        tag(
            "table",
            _head("Label", "Here", "In the release" if known else None, SHARE),
            tag("tbody", *[_label(one, labels["of"], known) for one in rows[:SHOWN]]),
            class_="spread",
        ),
        tag("p", f"and {number(len(rows) - SHOWN)} more", class_="quiet") if len(rows) > SHOWN else None,
    )


def _label(one: Json, of: int, known: bool) -> Html:
    share = 100 * one["count"] / of if of else 0.0
    bar = tag("span", tag("span", style=f"width:{share:.1f}%") if one["count"] else None, class_="bar")
    return tag(
        "tr",
        tag("th", one["name"], scope="row"),
        tag("td", number(one["count"])),
        tag("td", _released(one)) if known else None,
        tag("td", tag("span", bar, tag("span", f"{share:.0f} %", class_="left"), class_="headroom"), class_="share"),
    )


def _measures(measures: list[Json]) -> Html:
    parts = []
    for group, rows in groupby(measures, key=lambda one: str(one["group"])):
        if group:
            parts.append(tag("tr", tag("th", group, colspan=5, scope="rowgroup"), class_="group"))
        parts += [_measure(one) for one in rows]
    return tag(
        "article",
        tag("h3", "Measures"),
        tag(
            "table",
            _head("Measure", "Lowest", "Median", "Highest", "Of"),
            tag("tbody", joined(*parts)),
            class_="spread",
        ),
    )


def _measure(one: Json) -> Html:
    unit = tag("small", f" {one['unit']}") if one["unit"] else None
    values = [tag("td", number(one[key])) for key in ("low", "median", "high", "count")]
    return tag("tr", tag("th", one["name"], unit, scope="row"), *values)


def _head(*titles: str | None) -> Html:
    cells = [tag("th", one, scope="col", class_="share" if one == SHARE else None) for one in titles if one]
    return tag("thead", tag("tr", *cells))


def number(value: float) -> str:
    """Three digits that count, or all of a whole number."""
    text = f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.3g}"
    return text.replace(",", THIN).replace("-", MINUS)
