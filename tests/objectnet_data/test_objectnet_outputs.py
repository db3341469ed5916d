"""The bench's check of what the container wrote, where the answers are not known."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.kit.outputs import Finding
from containers.objectnet.grammar import Problem, Reading
from containers.objectnet.outputs import EXPECTED, check
from tests.objectnet_data.pictures import name, picture

GOOD = "52,0.9,1,0.05,2,0.03,3,0.01,-1,0.01"


class Folders:
    def __init__(self, folder: Path) -> None:
        self.input, self.output = folder / "input", folder / "output"
        self.output.mkdir()
        picture(self.input / name(1))
        picture(self.input / "chair" / name(2))
        picture(self.input / "tape/deeper" / name(3))

    def write(self, *rows: str) -> None:
        lines = [f"{name(number)},{row}" for number, row in enumerate(rows, 1)]
        (self.output / "predictions.csv").write_text("\n".join(lines) + "\n")

    def check(self) -> list[Finding]:
        return check(self.output, self.input)

    def odd(self) -> list[tuple[str, str, str, str, str]]:
        return [(one.name, one.status, one.expected, one.got, one.note) for one in self.check() if one.status != "PASS"]


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def test_a_line_for_every_image_passes(folders: Folders) -> None:
    folders.write(GOOD, GOOD, GOOD)
    assert [(one.name, one.status, one.expected, one.got) for one in folders.check()] == [
        ("output files", "PASS", "1 files", "1 files"),
        ("predictions", "PASS", "3 images", "3 lines"),
    ]


def test_a_file_that_is_missing_or_too_much_fails(folders: Folders) -> None:
    (folders.output / ".predictions.csv.run.json").touch()
    assert [(name_, status, got) for name_, status, _, got, _ in folders.odd()] == [
        ("missing output", "FAIL", "not written"),
        ("extra output", "FAIL", ".predictions.csv.run.json"),
    ]
    folders.write(GOOD, GOOD, GOOD)
    assert [(name_, status) for name_, status, _, _, _ in folders.odd()] == [("extra output", "FAIL")]


def test_an_empty_file_fails(folders: Folders) -> None:
    (folders.output / "predictions.csv").touch()
    assert folders.odd() == [
        ("no valid row", "FAIL", "a line for every image", "1 times", "predictions.csv contains no valid row")
    ]


def test_an_image_without_a_line_is_a_warning(folders: Folders) -> None:
    folders.write(GOOD)
    note = f"2 of 3 images have no valid row and count as wrong: {name(2)}, {name(3)}"
    assert folders.odd() == [("images without a row", "WARN", "a line for every image", "1 times", note)]


def test_an_image_that_could_not_be_decoded_is_named(folders: Folders) -> None:
    folders.write(GOOD, "-1,0,-1,0,-1,0,-1,0,-1,0", GOOD)
    note = f"line 2 ({name(2)}) has no object and no confidence: it could not be decoded"
    assert folders.odd() == [("not decoded", "WARN", "an object", "1 times", note)]


def test_what_the_organisers_refuse_fails_once_for_each_kind(folders: Folders) -> None:
    folders.write("x,1", "y,1", GOOD)
    with (folders.output / "predictions.csv").open("a") as stream:
        stream.write(f"{name(3)},{GOOD}\nother.png,{GOOD}\n")
    assert [(name_, status, expected, got, note) for name_, status, expected, got, note in folders.odd()] == [
        (
            "id is no number",
            "FAIL",
            "integers",
            "2 times",
            f"line 1 ({name(1)}) has the id 'x', which is no integer (and 1 more of the kind)",
        ),
        (
            "duplicate image",
            "FAIL",
            "one line an image",
            "1 times",
            f"line 4 names {name(3)}, which has a line already",
        ),
        (
            "unknown image",
            "FAIL",
            "images of the input folder",
            "1 times",
            "line 5 names 'other.png', which is no image of these",
        ),
        (
            "images without a row",
            "WARN",
            "a line for every image",
            "1 times",
            f"2 of 3 images have no valid row and count as wrong: {name(1)}, {name(2)}",
        ),
    ]


def test_a_header_fails_with_a_hint(folders: Folders) -> None:
    (folders.output / "predictions.csv").write_text(
        "file,id1,confidence1\n" + "".join(f"{name(number)},{GOOD}\n" for number in (1, 2, 3))
    )
    note = "line 1 is a header ('file', ...); the file must have none, and begin with its first image"
    assert folders.odd() == [("header", "FAIL", "no header", "1 times", note)]


def test_an_unknown_first_image_is_no_header(folders: Folders) -> None:
    (folders.output / "predictions.csv").write_text(f"other.png,52\n{name(1)},{GOOD}\n")
    assert [one[0] for one in folders.odd()] == ["unknown image", "images without a row"]


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        ("52,1", "columns"),
        ("52,high,1,0,2,0,3,0,4,0", "confidence is no number"),
        ("52,7.5,1,3,2,0,3,-1,4,-2", "confidence out of range"),
        ("52,.1,1,.2,2,0,3,0,4,0", "confidences rise"),
        ("52,.4,52,.3,1,0,3,0,4,0", "id more than once"),
        ("-1,.4,-1,.3,-1,.1,-1,.1,-1,0", "no object"),
    ],
)
def test_what_is_odd_is_a_warning(row: str, kind: str, folders: Folders) -> None:
    folders.write(GOOD, row, GOOD)
    assert [(name_, status) for name_, status, _, _, _ in folders.odd()] == [(kind, "WARN")]
    folders.write(row, row, row)
    ((_, _, _, got, note),) = folders.odd()
    assert got == "3 times"
    assert note.endswith("(and 2 more of the kind)")


def test_an_input_without_images_is_told(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    (one,) = check(tmp_path, tmp_path / "input")
    assert (one.name, one.status) == ("input", "FAIL")


def test_every_kind_of_problem_has_words_for_what_was_expected() -> None:
    import ast

    from containers.objectnet import grammar

    tree = ast.parse(Path(grammar.__file__).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    kinds = {call.args[0].value for call in calls if call.func.id == Problem.__name__}  # type: ignore[attr-defined]
    assert kinds - {"no file"} == set(EXPECTED)  # a file that is not there is told of by `missing_and_extra`
    assert Reading().errors == []


def test_fifty_thousand_lines_are_read(folders: Folders) -> None:
    from containers.objectnet.grammar import read

    names = [name(number) for number in range(50_273)]
    (folders.output / "predictions.csv").write_text("".join(f"/input/{one},{GOOD}\n" for one in names))
    reading = read(folders.output / "predictions.csv", set(names))
    assert (len(reading.rows), reading.errors, reading.warnings) == (50_273, [], [])
    assert reading.rows[name(50_272)].guesses == (52, 1, 2, 3, -1)
    assert reading.rows[name(50_272)].confidence == 0.9
