"""What the report shows of salt's cards: both networks, six variants twice, and curves of their own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.report import inputs
from tests.report.pages import Element, parsed
from tests.salt_container import parts
from tests.salt_container.parts import Chain
from workflow.scripts import report
from workflow.scripts.salt import score

ROWS = [
    "classifier",
    "classifier, post-processed",
    "segmentation",
    "segmentation, post-processed",
    "both",
    "both, post-processed",
]


@pytest.fixture(scope="module")
def page(chain: Chain, artifact: Path, submissions: Path, tmp_path_factory: pytest.TempPathFactory) -> Element:
    folder = tmp_path_factory.mktemp("salt_page")
    (folder / "container").mkdir()
    (folder / "container" / "submission.csv").write_bytes((submissions / "both.csv").read_bytes())
    words = ["--manifest", str(chain.manifest), "--tuned", str(chain.tuned), "--submissions", str(submissions)]
    words += ["--container", str(folder / "container"), "--variant", "both", "--output", str(folder / "score")]
    assert score.main(words) == 0
    verdict = parts.write(folder / "verdict.json", inputs.verdict("predict", challenge="salt"))
    cards = [str(place / "card.json") for place in (artifact, folder / "score")]
    words = ["--challenge", "salt", "--title", "TGS salt", "--verdict", str(verdict), "--card", *cards]
    assert report.main([*words, "--output", str(folder / "report.html")]) == 0
    return parsed((folder / "report.html").read_text())


def cells(row: Element) -> list[str]:
    return [cell.text for cell in row.children if isinstance(cell, Element)]


def measures(section: Element) -> list[list[str]]:
    return [cells(row) for row in section.one("table", "measures").one("tbody").all("tr")]


def card(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "card.json").read_text())
    return content


def test_the_six_variants_out_of_fold_and_on_held_out_images(page: Element, artifact: Path) -> None:
    model, scored = page.one("section", "", id="model"), page.one("section", "", id="score")
    assert model.all("h3")[0].text == "Each image by the folds that did not see it: mean AP"
    assert [h3.text for h3 in scored.all("h3")] == ["On held-out images: mean AP"]
    assert [row[0] for row in measures(model)] == [row[0] for row in measures(scored)] == ROWS
    both = card(artifact)["metrics"]["out_of_fold_ap"]["both_post_processing"]
    assert measures(model)[5][1:3] == [f"{both['ap']:.3f}", f"{both['low']:.3f} to {both['high']:.3f}"]
    assert measures(scored)[2][1] == "1.000"


def test_the_folds_of_both_networks(page: Element) -> None:
    table = page.one("section", "", id="model").one("table", "folds")
    assert cells(table.one("thead").one("tr")) == [
        *("Network", "Fold", "Epoch", "Accuracy", "AUC salt", "Mean AP", "Training loss", "Validation loss"),
    ]
    assert [cells(row)[:6] for row in table.one("tbody").all("tr")] == [
        ["classifier", "0", "4", "0.900", "0.950", "–"],
        ["classifier", "1", "4", "0.900", "0.950", "–"],
        ["segmentation", "0", "4", "–", "–", "0.800"],
        ["segmentation", "1", "4", "–", "–", "0.800"],
    ]


def test_each_network_has_curves_of_its_own(page: Element) -> None:
    curves = page.one("section", "", id="curves")
    assert [figure.one("strong").text for figure in curves.all("figure")] == [
        "Loss of the classifier",
        "AUC salt, of the classifier",
        "Loss of the segmentation",
        "Mean AP of the segmentation",
    ]


def test_the_picture_is_part_of_the_page(page: Element) -> None:
    picture = page.one("section", "", id="pictures").one("img")
    assert picture.attributes["src"].startswith("data:image/png;base64,")
    assert picture.attributes["alt"] == "Some of the test's images, with the salt that both found and the true salt."
