"""The validator and scorer: the organisers' rules, their command line, their results, and our warnings."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.objectnet_data.slow import judge
from workflow.scripts.objectnet.validate_and_score import main

ANSWERS = {f"{letter}.png": number for letter, number in zip("abcd", (52, 29, 0, 312), strict=True)}
GOOD = "52,0.9,1,0.05,2,0.03,3,0.01,4,0.01"


class Folder:
    def __init__(self, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.answers, self.predictions, self.capsys = path / "answers.json", path / "predictions.csv", capsys
        self.answers.write_text(json.dumps(ANSWERS))

    def run(self, text: str | None, *more: str) -> tuple[int, dict[str, Any], list[str]]:
        if text is not None:
            self.predictions.write_text(text)
        status = main(["-a", str(self.answers), "-f", str(self.predictions), *more])
        out, err = self.capsys.readouterr()
        return status, json.loads(out), err.splitlines()


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    return Folder(tmp_path, capsys)


def test_the_numbers_are_those_worked_out_by_hand(folder: Folder) -> None:
    text = "a.png,52,.5,1,.1,2,.1,3,.1,4,.1\nb.png,1,.5,2,.1,3,.1,4,.1,29,.1\nc.png,5,.5,1,.1,2,.1,3,.1,4,.1\n"
    status, results, err = folder.run(text)
    assert (status, results) == (
        0,
        {
            "prediction_file_status": "VALIDATED",
            "prediction_file_errors": [],
            "accuracy": 25.0,
            "top5_accuracy": 50.0,
            "images_scored": 3,
            "total_images": 4,
        },
    )
    assert err == ["warning: 1 of 4 images have no valid row and count as wrong: d.png"]


@pytest.mark.parametrize(
    ("row", "accuracy", "top5"),
    [
        ("some/where/a.png,52,1,0,0,1,0,2,0,3,0", 25.0, 25.0),
        ("a.png,52", 25.0, 25.0),
        ("a.png", 0.0, 0.0),
        ("a.png,,,52,1", 0.0, 25.0),
        ("a.png,-1,0,-1,0,-1,0,-1,0,-1,0", 0.0, 0.0),
        ("a.png, 52 ,high,1,low", 25.0, 25.0),
        ("a.png,7,1,7,1,7,1,7,1,7,1,52,1", 0.0, 0.0),
        ('"a.png","52","1"', 25.0, 25.0),
    ],
)
def test_what_the_organisers_take_is_taken(row: str, accuracy: float, top5: float, folder: Folder) -> None:
    for end in ("\n", "", "\r\n"):
        status, results, _ = folder.run(row + end)
        assert (status, results["accuracy"], results["top5_accuracy"]) == (0, accuracy, top5)
        assert (results["images_scored"], results["total_images"]) == (1, 4)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        (
            f"z.png,{GOOD}\n",
            ["line 1 names 'z.png', which is no image of these", "predictions.csv contains no valid row"],
        ),
        (f"a.png,{GOOD}\nx/a.png,{GOOD}\n", ["line 2 names a.png, which has a line already"]),
        (f"a.png,{GOOD}\nb.png,52.0,1\n", ["line 2 (b.png) has the id '52.0', which is no integer"]),
        (f"a.png,{GOOD}\nb.png,1,1,chair,1\n", ["line 2 (b.png) has the id 'chair', which is no integer"]),
        (f"a.png,{GOOD}\nb.png,313,1\n", ["line 2 (b.png) has the id 313, which is not from -1 to 312"]),
        (f"a.png,{GOOD}\nb.png,1,1,-2,1\n", ["line 2 (b.png) has the id -2, which is not from -1 to 312"]),
        (
            f"image,prediction1,confidence1\na.png,{GOOD}\n",
            ["line 1 is a header ('image', ...); the file must have none, and begin with its first image"],
        ),
        (f"a.png,{GOOD}\n\n", ["line 2 is empty; have a line for each image and no other"]),
        ("", ["predictions.csv contains no valid row"]),
        (None, ["predictions.csv is not there"]),
    ],
)
def test_what_the_organisers_refuse_is_refused(text: str | None, errors: list[str], folder: Folder) -> None:
    status, results, _ = folder.run(text)
    assert status == 1
    assert results == {
        "prediction_file_status": "INVALID",
        "prediction_file_errors": errors,
        "accuracy": None,
        "top5_accuracy": None,
        "images_scored": 0,
        "total_images": 4,
    }


@pytest.mark.parametrize(
    ("content", "said"), [(b"a.png,52\n\xff.png,1\n", "utf-8"), (b"a.png,52\n" + b"b" * 200_000, "field larger than")]
)
def test_what_is_no_text_is_refused(content: bytes, said: str, folder: Folder) -> None:
    folder.predictions.write_bytes(content)
    status, results, _ = folder.run(None)
    assert (status, results["prediction_file_status"]) == (1, "INVALID")
    sentence = results["prediction_file_errors"][0]
    assert sentence.startswith("predictions.csv cannot be read to its end as CSV in UTF-8")
    assert said in sentence


def test_every_error_is_told(folder: Folder) -> None:
    status, results, _ = folder.run(f"z.png,400,1\na.png,x,1,y,1\nb.png,{GOOD}\nb.png,999,1\n")
    assert status == 1
    assert results["prediction_file_errors"] == [
        "line 1 names 'z.png', which is no image of these",
        "line 1 (z.png) has the id 400, which is not from -1 to 312",
        "line 2 (a.png) has the id 'x', which is no integer",
        "line 4 names b.png, which has a line already",
        "line 4 (b.png) has the id 999, which is not from -1 to 312",
    ]


def test_the_range_check_can_be_left_out(folder: Folder) -> None:
    text = "a.png,52,1,999,0\nb.png,-7,1\n"
    assert folder.run(text)[0] == 1
    status, results, _ = folder.run(text, "-n")
    assert (status, results["accuracy"], results["images_scored"]) == (0, 25.0, 2)
    assert folder.run("a.png,x,1\n", "-n")[0] == 1


@pytest.mark.parametrize(
    ("row", "warning"),
    [
        ("52,1", "line 1 (a.png) has 3 columns, where 11 are expected"),
        (f"{GOOD},5", "line 1 (a.png) has 12 columns, where 11 are expected"),
        ("52,high,1,0,2,0,3,0,4,0", "line 1 (a.png) has the confidence 'high', which is no number"),
        ("52,nan,1,0,2,0,3,0,4,0", "line 1 (a.png) has the confidence 'nan', which is no number"),
        ("52,1,1,,2,0,3,0,4,0", "line 1 (a.png) has the confidence '', which is no number"),
        (
            "52,9.5,1,3,2,0,3,-1,4,-2",
            "line 1 (a.png) has confidences that are not from 0 to 1, as they are where softmax is off",
        ),
        ("52,.1,1,.2,2,0,3,0,4,0", "line 1 (a.png) has confidences that rise; the best guess must be the first"),
        (
            "52,.4,52,.3,1,0,3,0,4,0",
            "line 1 (a.png) has the id 52 more than once, which wastes a guess; merge the classes that are one object",
        ),
        (
            "-1,.4,-1,.3,-1,.1,-1,.1,-1,0",
            "line 1 (a.png) has no object at all: none of the classes that were found is one of ObjectNet's",
        ),
        ("-1,0,-1,0,-1,0,-1,0,-1,0", "line 1 (a.png) has no object and no confidence: it could not be decoded"),
    ],
)
def test_what_is_odd_is_warned_of_and_valid(row: str, warning: str, folder: Folder) -> None:
    rest = "".join(f"{name}.png,{GOOD}\n" for name in "bcd")
    status, results, err = folder.run(f"a.png,{row}\n{rest}")
    assert (status, results["prediction_file_status"]) == (0, "VALIDATED")
    assert "warnings" not in results
    assert err == [f"warning: {warning}"]
    assert folder.run(None, "--strict-warnings") == (0, {**results, "warnings": [warning]}, [])


def test_a_good_file_gives_no_warning(folder: Folder) -> None:
    flat = "-1,1,1,1,-1,0,3,0,4,0"
    status, results, err = folder.run(f"a.png,{GOOD}\nb.png,{flat}\nc.png,{GOOD}\nd.png,{flat}\n")
    assert (status, results["accuracy"], err) == (0, 25.0, [])


def test_warnings_of_a_kind_are_one_line(folder: Folder) -> None:
    _, _, err = folder.run("".join(f"{name}.png,1\n" for name in "abcd"))
    assert err[0] == "warning: line 1 (a.png) has 2 columns, where 11 are expected (and 3 more of the kind)"
    assert len(err) == 1


def test_the_results_are_written_to_a_file_too(folder: Folder, tmp_path: Path) -> None:
    for text in (f"a.png,{GOOD}\n", "z\n"):
        _, results, _ = folder.run(text, "--output", str(tmp_path / "out/results.json"))
        assert json.loads((tmp_path / "out/results.json").read_text()) == results


def test_answers_that_cannot_be_read_are_one_sentence(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-a", str(tmp_path / "none.json"), "-f", str(folder.predictions)]) == 1
    said = capsys.readouterr().err
    assert said == f"error: {tmp_path}/none.json is not there; give the organisers' file of answers by -a\n"


NAMES = st.sampled_from([*ANSWERS, "deep/er/a.png", "/input/b.png", "z.png", "a.PNG", ""])
IDS = st.one_of(st.integers(-3, 315).map(str), st.sampled_from(["", "x", "1.0", " 5", "52", "29", "-1", "0", "312"]))
ROWS = st.builds(lambda name, cells: [name, *cells], NAMES, st.lists(IDS, max_size=12))


@st.composite
def mostly_good(draw: st.DrawFn) -> list[list[str]]:
    """A line for some images, each once, with ids that are allowed; else hardly any file would be valid."""
    names = draw(st.lists(st.sampled_from(sorted(ANSWERS)), unique=True))
    some = st.sampled_from(["52", "29", "0", "312", "-1", "", "7"])
    return [[draw(st.sampled_from(["", "x/"])) + name, *draw(st.lists(some, max_size=11))] for name in names]


def check(folder: Folder, lines: list[list[str]], *, in_range: bool) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    status, results, _ = folder.run(text.getvalue(), *([] if in_range else ["-n"]))
    wanted = judge(lines, ANSWERS, in_range)
    assert results["prediction_file_status"] == wanted["status"]
    assert status == (wanted["status"] == "INVALID")
    assert bool(results["prediction_file_errors"]) == (wanted["status"] == "INVALID")
    for key in ("accuracy", "top5_accuracy", "images_scored", "total_images"):
        if key in wanted:
            assert results[key] == pytest.approx(wanted[key])
    return str(wanted["status"])


MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(lines=st.lists(ROWS, max_size=5), in_range=st.booleans())
def test_any_file_is_judged_as_the_organisers_rules_do(lines: list[list[str]], in_range: bool, folder: Folder) -> None:
    check(folder, lines, in_range=in_range)


@MANY
@given(lines=mostly_good())
def test_any_valid_file_has_the_score_of_the_organisers_rules(lines: list[list[str]], folder: Folder) -> None:
    assert check(folder, lines, in_range=True) == ("VALIDATED" if lines else "INVALID")
