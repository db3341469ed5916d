"""The score by the platform's rule: the last number that the expression finds in the last 50 lines."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from containers.kit.errors import UserError
from workflow.scripts.slipway.scoreline import Wanted, check, last_lines, load, read

ACCURACY = "[ ]+Accuracy[ ]+(\\d*[.]\\d*)\\n"
MEAN_AP = "\\s+all(\\s*(\\d*[.]*\\d*)){6}\\n"


@pytest.mark.parametrize(
    ("lines", "regexp", "value"),
    [
        (["  Accuracy   0.9923"], ACCURACY, 0.992),
        (["  Accuracy   0.1", "  Accuracy   0.2", "done"], ACCURACY, 0.2),
        (["  Accuracy   0.29411765933036804  "], ACCURACY, None),
        (["  Accuracy   ."], ACCURACY, None),
        (["  Accuracy   0.5", "  Accuracy   ."], ACCURACY, 0.5),
        (["nothing"], ACCURACY, None),
        ([], ACCURACY, None),
        (["   all  12  40  0.5 0.6 0.7 0.4567"], MEAN_AP, 0.457),
        (["score: 3 of 4"], r"(\d) of (\d)", 4.0),
        (["score: [ 0.25 ]"], r"\[(.*)\]", 0.25),
        (["loss 1e-3"], r"loss (\S+)", 0.001),
        (["0.1 0.2"], r"\d[.]\d", 0.2),
        (["  Accuracy   0.9", *["later"] * 49], ACCURACY, 0.9),
        (["  Accuracy   0.9", *["later"] * 50], ACCURACY, None),
    ],
)
def test_the_last_number_in_the_last_fifty_lines(lines: list[str], regexp: str, value: float | None) -> None:
    assert read(lines, regexp) == value


def test_a_score_that_is_there_passes() -> None:
    found, value = check(Wanted("Acc.", ACCURACY), ["  Accuracy   0.9923"])
    assert (found.name, found.status, found.got, value) == ("score", "PASS", "Acc. 0.992", 0.992)


def test_without_a_score_the_sentence_names_the_expression_and_the_rule() -> None:
    found, value = check(Wanted("Acc.", ACCURACY), ["Accuracy: 0.9"])
    assert (found.status, found.got, value) == ("FAIL", "none", None)
    assert "would find no score and answer 404: nothing in the last 50 lines of the container's log" in found.note
    assert f"matches score_regexp `{ACCURACY}` with a number" in found.note


@pytest.mark.parametrize("word", ["nan", "inf", "-inf"])
def test_what_is_no_finite_number_is_told(word: str) -> None:
    read_value = read([f"loss {word}"], r"loss (\S+)")
    assert read_value is not None
    assert not math.isfinite(read_value)
    found, value = check(Wanted("Loss", r"loss (\S+)"), [f"loss {word}"])
    assert (found.status, found.got, value) == ("FAIL", f"Loss {word}", None)
    assert f"the platform would show {word} as Loss" in found.note


def test_last_lines_are_those_before_a_place_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    first = b"".join(b"%d\n" % number for number in range(60))
    log.write_bytes(first + b" 10 %\r 20 %\r30 %\n\xff\nlast")
    assert last_lines(log, len(first)) == [str(number) for number in range(10, 60)]
    assert last_lines(log, log.stat().st_size)[-3:] == [" 10 %\r 20 %\r30 %", "\ufffd", "last"]
    assert len(last_lines(log, log.stat().st_size)) == 50


def test_custom_json_says_what_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "custom.json"
    said = {"model_filepath": "/train/model.pt", "score_name": "Acc.", "score_regexp": ACCURACY}
    path.write_text(json.dumps(said))
    assert load(path) == Wanted("Acc.", ACCURACY)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        (
            {"score_name": "Acc."},
            "custom.json has no text `score_regexp`, by which the platform knows the score; add it",
        ),
        ({"score_name": "", "score_regexp": "x"}, "custom.json has no text `score_name`"),
        ([], "custom.json has no text `score_name`"),
        (
            {"score_name": "Acc.", "score_regexp": "(\\d"},
            "custom.json: score_regexp is no regular expression (missing )",
        ),
    ],
)
def test_a_mistake_in_custom_json_is_one_sentence(tmp_path: Path, said: object, sentence: str) -> None:
    path = tmp_path / "custom.json"
    path.write_text(json.dumps(said))
    with pytest.raises(UserError) as caught:
        load(path)
    assert sentence in str(caught.value)
