"""Each part of the page shows the values of its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from containers.kit.errors import UserError
from tests.report import inputs
from tests.report.pages import Element, parsed
from workflow.scripts.slipway.pages import archives, model, pictures, verdicts
from workflow.scripts.slipway.pages.html import block, duration, size


def cells(row: Element) -> list[str]:
    return [child.text for child in row.children if isinstance(child, Element)]


def facts(element: Element) -> dict[str, str]:
    return {div.one("dt").text: div.one("dd").text for div in element.one("dl").all("div")}


def verdict(**changes: Any) -> Element:
    return parsed(verdicts.section("train", inputs.verdict(**changes)))


def test_an_image() -> None:
    section = verdict()
    assert facts(section) == {
        "Tag": "stoictrain",
        "Image id": inputs.IMAGE_ID,
        "Engine": "docker 20.10.24",
        "Tested on": "2 CPU cores, 25.0 GB of memory, no GPU",
    }
    assert section.one("h3").text == "Profile organisers PASS 3 min 12 s, exit code 0"
    assert section.one("p", "lead").text == "It ran as promised under organisers; 2 warnings to read."
    assert section.one("p", "quiet").text == "Its output: results/stoic/train/organisers.log"


def test_the_checks() -> None:
    rows = verdict().one("tbody").all("tr")
    assert cells(rows[3]) == ["PASS", "memory", "at most 128 GB", "9.8 GB", "92 % left"]
    assert cells(rows[6]) == [
        "WARN",
        "flag --gpusthis host has no GPU, so that the training ran on the CPU",
        "all",
        "–",
        "",
    ]
    assert [row.attributes["class"] for row in rows].count("warn") == 2


def test_a_status_is_told_by_word_and_outline() -> None:
    """Colour is a third sign, for those who see it."""
    checks = [inputs.check(word, word, "", "") for word in ("PASS", "WARN", "FAIL")]
    rows = verdict(runs=[inputs.run("strict", checks=checks)]).one("tbody").all("tr")
    assert [row.one("span", "status").text for row in rows] == ["PASS", "WARN", "FAIL"]
    assert len({row.one("path", "outline").attributes["d"] for row in rows}) == 3
    assert len({row.one("path", "sign").attributes["d"] for row in rows}) == 3


@pytest.mark.parametrize(
    ("text", "width", "tight"),
    [
        ("92 %", "width:8%", False),
        ("6.5 %", "width:93.5%", True),
        ("-3 %", "width:100%", True),
        ("140%", "width:0%", False),
    ],
)
def test_the_bar_is_what_was_used(text: str, width: str, tight: bool) -> None:
    bar = parsed(verdicts.headroom(text) or "").one("span", "bar")
    assert bar.one("span").attributes["style"] == width
    assert ("tight" in bar.classes) == tight


def test_headroom_in_words_has_no_bar() -> None:
    shown = parsed(verdicts.headroom("3 of 4 files") or "")
    assert shown.text == "3 of 4 files"
    assert not shown.all("span", "bar")
    assert verdicts.headroom("") is None


def test_what_was_adapted() -> None:
    items = [item.text for item in verdict().one("div", "adapted").all("li")]
    assert items == ["--gpus became nothing: this host has no GPU", "--cpus became 2: this host has 2 CPU cores"]
    assert not verdict(runs=[inputs.run("strict", adapted=[])]).all("div", "adapted")


def test_the_command_is_copied_to_the_letter() -> None:
    assert verdict().one("pre", "command").text == inputs.COMMAND


@pytest.mark.parametrize(
    "text", ["a  b", "docker run --rm -v a:b:ro --x=1 image 'two words' -- --y", "one\ntwo --flag 3\n"]
)
def test_breaking_lines_keeps_every_character(text: str) -> None:
    assert parsed(block(text)).text == text


def test_a_flag_stays_with_its_value() -> None:
    phrases = [span.text for span in parsed(block("docker run --rm --memory 16g -v a:b image")).all("span")]
    assert phrases == ["docker", "run", "--rm", "--memory 16g", "-v a:b", "image"]


def test_a_run_that_never_started() -> None:
    run = inputs.run(
        "strict",
        status="FAIL",
        reason="The image is not there.",
        exit_code=None,
        adapted=[],
        checks=[],
        command="",
        log="",
    )
    section = verdict(runs=[run])
    assert section.one("h3").text == "Profile strict FAIL 3 min 12 s"
    assert section.one("article").one("p").text == "The image is not there."
    assert not section.all("pre")
    assert not section.all("table")


def test_an_archive() -> None:
    section = parsed(archives.section([inputs.manifest(), inputs.manifest("predict")]))
    first = section.all("article")[0]
    assert first.one("h3").text == "STOICTrain.tar.gz 1.2 kB"
    assert facts(first) == {
        "SHA-256": "ab" * 32,
        "Size": "1\u202f234 bytes, 1\u202f610\u202f000\u202f000 unpacked",
        "Loads as": "stoictrain:latest",
        "Image id": inputs.IMAGE_ID,
        "Layers": "2, each verified against the image that passed",
    }
    assert section.one("pre").text == (
        "sha256sum --check STOICTrain.tar.gz.sha256\nsha256sum --check STOICPredict.tar.gz.sha256"
    )


def test_the_card() -> None:
    section = parsed(model.section(inputs.card()))
    assert facts(section) == {
        "Network": "resnet18, 2 folds averaged",
        "Data": "60 cases (24 negative, 27 mild, 9 severe), 9 of them kept from all training",
        "Data fingerprint": "9a41d0c2",
        "Code revision": "3f2a91c",
        "Made with": "python 3.11.7, torch 2.13.0",
    }
    assert [h3.text for h3 in section.all("h3")] == [
        "On cases that no training saw",
        "Each case by the fold that did not see it",
        "Folds, each at the epoch that is used",
    ]
    holdout, out_of_fold = section.all("table", "measures")
    assert [cells(row) for row in out_of_fold.one("tbody").all("tr")] == [
        ["AUC severe among positives", "0.872", "0.741 to 0.968", "", "51, 13 positive"],
        ["AUC COVID-19", "0.951", "0.887 to 0.993", "", "51, 13 positive"],
    ]
    assert cells(holdout.one("tbody").all("tr")[0]) == [
        "AUC severe among positivesno AUC: 0 of 9 cases are severe, both kinds are needed",
        "–",
        "–",
        "",
        "51, 13 positive",
    ]
    assert [cells(row) for row in section.one("table", "folds").one("tbody").all("tr")] == [
        ["0", "11", "0.900", "0.950", "0.310"],
        ["1", "8", "–", "0.930", "0.350"],
    ]
    assert section.one("p", "quiet").text == "Note: fold 1 has one severe case only"


def test_the_whisker_is_to_scale() -> None:
    drawing = parsed(model.whisker(0.75, 0.5, 1.0, 0.5))
    assert [line.attributes["x1"] for line in drawing.all("line", "axis")] == ["4", "70.0"]
    assert len(parsed(model.whisker(0.75, 0.5, 1.0, None)).all("line", "axis")) == 1
    span = drawing.one("line", "range").attributes
    assert (span["x1"], span["x2"], drawing.one("circle").attributes["cx"]) == ("70.0", "136.0", "103.0")
    assert drawing.one("svg").attributes["aria-label"] == "0.750 within 0.500 to 1.000 on a scale from 0 to 1"


def test_measures_of_another_challenge() -> None:
    """A challenge may measure what it likes: the value is what stands beside the interval."""
    section = parsed(model.section({"metrics": {"test set": {"dice": {"mean": 0.81, "low": 0.78, "high": 0.84}}}}))
    assert cells(section.one("tbody").one("tr")) == ["dice", "0.810", "0.780 to 0.840", "", ""]
    assert section.one("h3").text == "test set"


def test_a_score_alone_is_no_model() -> None:
    """What a container scored has a card of its own, with neither data nor folds in it."""
    spleen = {"dsc": 0.93, "cases": 4, "note": "empty in 1 case"}
    section = parsed(model.section({"metrics": {"holdout_dsc": {"spleen": spleen}}, "notes": ["by Slipway"]}))
    assert section.one("h2").text == "Score"
    assert section.one("h3").text == "On cases that no training saw, by the container: DSC"
    assert cells(section.one("tbody").one("tr")) == ["spleenempty in 1 case", "0.930", "–", "", "4"]
    assert section.one("section").attributes["id"] == "score"


def test_a_picture_is_part_of_the_page(tmp_path: Path) -> None:
    (tmp_path / "overlay.png").write_bytes(b"\x89PNG")
    card = {"pictures": [{"file": "overlay.png", "caption": "liver & spleen"}]}
    section = parsed(pictures.section(card, tmp_path) or "")
    assert section.one("img").attributes["src"] == "data:image/png;base64,iVBORw=="
    assert section.one("figcaption").text == "liver & spleen"
    assert pictures.section({}, tmp_path) is None
    with pytest.raises(UserError, match=r"gone\.png cannot be read"):
        pictures.section({"pictures": [{"file": "gone.png", "caption": ""}]}, tmp_path)


def test_a_card_of_a_training_that_goes_on() -> None:
    section = parsed(model.section(inputs.card(metrics=None)))
    assert section.one("p", "lead").text == "The training is not finished: these are the best weights so far."


@pytest.mark.parametrize(
    ("count", "text"), [(999, "999 bytes"), (1_234, "1.2 kB"), (2.5e9, "2.5 GB"), (2e13, "20000.0 GB")]
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(3.14, "3.1 s"), (192.4, "3 min 12 s"), (7_260, "2 h 1 min")])
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text
