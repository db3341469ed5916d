"""What the report shows of both cards: the container's and the one of the training on the host."""

from __future__ import annotations

from pathlib import Path

from tests.agrigaia_score import left
from tests.report.pages import Element, parsed
from workflow.scripts import report


def cells(row: Element) -> list[str]:
    return [cell.text for cell in row.children if isinstance(cell, Element)]


def test_the_page_shows_scores_labels_and_the_picture(tmp_path: Path) -> None:
    trial = left.trial(tmp_path)
    assert trial.score() == 0
    words = ["--challenge", "agrigaia", "--title", "Agri-Gaia", "--verdict", str(tmp_path / "train" / "verdict.json")]
    words += ["--card", str(tmp_path / "score" / "card.json"), "--output", str(tmp_path / "report.html")]
    assert report.main(words) == 0
    page = parsed((tmp_path / "report.html").read_text())
    scored = page.one("section", "", id="score")
    assert [title.text for title in scored.all("h3")] == [
        "As the platform reads it from the container's log",
        "On pictures that were not learnt from, by the container",
        "On pictures that were not learnt from, by the container: each label",
    ]
    tables = [table.one("tbody").all("tr") for table in scored.all("table", "measures")]
    assert cells(tables[0][0])[:2] == ["Acc.", "0.842"]
    assert cells(tables[1][0])[:3] == ["accuracy", "0.842", "0.624 to 0.945"]
    assert [cells(row)[0] for row in tables[2]][:3] == ["beet: recall", "beet: precision", "beet: F1"]
    curves = page.one("section", "", id="curves")
    assert "Loss" in [figure.one("strong").text for figure in curves.all("figure")]
    picture = page.one("section", "", id="pictures").one("img")
    assert picture.attributes["src"].startswith("data:image/png;base64,")
