"""The report's section on the raw data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report import inputs
from tests.report.pages import Element, parsed
from workflow.scripts.report import main
from workflow.scripts.slipway.fingerprint import Count, Found, Labels, Measure, measure, written
from workflow.scripts.slipway.pages import data


def fingerprint(**changes: Any) -> dict[str, Any]:
    found = Found(
        noun="cases",
        counts=[Count("CT cases for training", 8, 200), Count("cases for test", 1200)],
        of=1208,
        read=50,
        labels=[Labels("Course", 8, {"severe": 2, "none": 0}, {"severe": 301}), Labels("Sex", 50, {"F": 18, "M": 32})],
        measures=[
            *measure("spacing, z", "mm", [1.2135, 1.5, 2.5], "CT"),
            *measure("intensity, 1st percentile", "HU", [-1024, -1000.25], "CT"),
            Measure("slices", "", 4, 58, 70.5, 89, "MR"),
        ],
        notes=["1 image is <odd>"],
    )
    return written("amos", "remote", "9a41d0c2", found) | changes


def section(**changes: Any) -> Element:
    return parsed(data.section(fingerprint(**changes))).one("section")


def rows(table: Element) -> list[list[str]]:
    """The texts of all cells, the head's among them."""
    return [[cell.text for cell in row.children if isinstance(cell, Element)] for row in table.all("tr")]


def test_where_the_data_are_from_and_how_much_of_them_was_read() -> None:
    values = {div.one("dt").text: div.one("dd").text for div in section().one("dl").all("div")}
    assert values == {
        "Source": "fetched from where the table of sources says",
        "Data fingerprint": "9a41d0c2",
        "Read through": "50 of 1\u202f208 cases, drawn evenly",
    }
    whole = section(read={"noun": "images", "of": 60, "read": 60, "whole": True})
    assert whole.one("dl").all("dd")[-1].text == "all 60 images"


def test_counts_stand_beside_those_of_the_release() -> None:
    assert rows(section().all("table")[0]) == [
        ["Count", "Here", "In the release"],
        ["CT cases for training", "8", "200"],
        ["cases for test", "1\u202f200", "–"],
    ]
    unknown = section(counts=[{"name": "pictures", "found": 4, "released": None}])
    assert rows(unknown.all("table")[0]) == [["Count", "Here"], ["pictures", "4"]]


def test_labels_have_their_share() -> None:
    course, sex = section().all("article")[:2]
    assert course.one("h3").text == "Course"
    assert rows(course) == [
        ["Label", "Here", "In the release", "Share"],
        ["severe", "2", "301", "25 %"],
        ["none", "0", "–", "0 %"],
    ]
    assert [bar.one("span").attributes["style"] for bar in sex.all("span", "bar")] == ["width:36.0%", "width:64.0%"]
    assert not course.all("span", "bar")[1].all("span")  # an empty bar is empty


def test_of_many_labels_the_first_are_shown_and_the_rest_counted() -> None:
    counts = [{"name": f"label {number}", "count": 1, "released": None} for number in range(313)]
    article = section(labels=[{"title": "Objects", "of": 313, "counts": counts}]).all("article")[0]
    assert len(article.one("tbody").all("tr")) == data.SHOWN
    assert article.one("p").text == "and 273 more"


def test_measures_are_grouped() -> None:
    table = section().all("article")[2].one("table")
    assert rows(table) == [
        ["Measure", "Lowest", "Median", "Highest", "Of"],
        ["CT"],
        ["spacing, z mm", "1.21", "1.5", "2.5", "3"],
        ["intensity, 1st percentile HU", "\u22121\u202f024", "\u22121\u202f012", "\u22121\u202f000", "2"],
        ["MR"],
        ["slices", "58", "70.5", "89", "4"],
    ]
    assert [row.one("th").attributes["colspan"] for row in table.all("tr", "group")] == ["5", "5"]
    assert len(section(measures=[]).all("article")) == 2


def test_notes_are_told_and_are_text() -> None:
    assert section().one("p", "quiet").text == "Note: 1 image is <odd>"
    assert not section(notes=[]).all("p", "quiet")


def report(folder: Path, *more: str) -> int:
    return main([*inputs.written(folder), *more])


def test_the_section_stands_between_the_archives_and_the_model(tmp_path: Path) -> None:
    path = inputs.write(tmp_path, "fingerprint.json", fingerprint())
    assert report(tmp_path, "--data", str(path)) == 0
    document = parsed((tmp_path / "report.html").read_text(encoding="utf-8"))
    names = [one.attributes["id"] for one in document.all("section")]
    assert names == ["image-train", "image-predict", "archives", "data", "model", "curves"]
    assert document.one("p", "headline").text == "Ready to submit"


def test_a_file_that_is_no_fingerprint_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = {key: value for key, value in fingerprint().items() if key != "measures"}
    path = inputs.write(tmp_path, "fingerprint.json", json.dumps(bare))
    assert report(tmp_path, "--data", str(path)) == 1
    assert capsys.readouterr().err == (
        f"error: {path} is not the fingerprint of raw data as Slipway writes it (no 'measures'); "
        "run the rule that makes it again\n"
    )
    assert not (tmp_path / "report.html").exists()
