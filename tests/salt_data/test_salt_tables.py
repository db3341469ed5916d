"""The competition's tables: what is wrong with one is said in one sentence, and what is only thin is a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.salt_data.conftest import TRAIN, Fetched, edit, error, fetch, ids, set_mask, table


@pytest.mark.parametrize("file", ["train.csv", "depths.csv", "sample_submission.csv"])
def test_an_id_that_is_there_twice_is_refused(
    file: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = table(data / file)[3][0]
    edit(data / file, lambda lines: [*lines, lines[3]])
    assert error(tmp_path / "out", data, capsys) == (
        f"{data}/{file} has the same id more than once ({twice}); take the file as the competition has it"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5 3 7", "has 3 numbers, which are no pairs"),
        ("0 3", "starts a run at 0; the first pixel is 1"),
        ("10200 3", "has a run from 10200 to 10202; an image's last pixel is 10201"),
        ("salt", "has 'salt' where a number must stand"),
    ],
)
def test_runs_that_cannot_be_are_refused(
    text: str, said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = ids(data)[TRAIN - 1]  # not among those whose mask is looked at
    set_mask(data, name, text)
    assert error(tmp_path / "out", data, capsys).startswith(f"{data}/train.csv, rle_mask of {name}, {said}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "begins with 'nothing' where 'id,rle_mask' must stand"),
        (b"id,mask\n", "begins with 'id,mask' where 'id,rle_mask' must stand"),
        (b"id,rle_mask\na,1 1,2\n", "has 3 fields in row 2, not 2"),
        (b"id,rle_mask\n\xff,1 1\n", "is no CSV file ('utf-8' codec can't decode byte 0xff"),
        (b'id,rle_mask\n"a,1 1\n', "is no CSV file (unexpected end of data)"),
    ],
)
def test_tables_that_are_none_are_refused(
    content: bytes, said: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "train.csv").write_bytes(content)
    told = error(tmp_path / "out", data, capsys)
    assert told.startswith(f"{data}/train.csv {said}")
    assert told.endswith("; take the file as the competition has it")


def test_tables_may_be_written_by_a_spreadsheet(data: Path, tmp_path: Path, fetched: Fetched) -> None:
    """A mark at the beginning, other line ends, and the columns the other way round."""
    for name in ("train.csv", "depths.csv"):
        lines = [f"{second},{first}" for first, second in table(data / name)]
        (data / name).write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, ""]).encode())
    assert fetch(tmp_path, data) == 0
    assert Fetched(tmp_path).content["train"] == fetched.content["train"]


@pytest.mark.parametrize("text", ["deep", "-5", "3.5", ""])
def test_a_depth_must_be_a_number(text: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = table(data / "depths.csv")[1][0]
    edit(data / "depths.csv", lambda lines: [lines[0], [name, text], *lines[2:]])
    assert error(tmp_path / "out", data, capsys) == (
        f"{data}/depths.csv has {text!r} as the depth of {name}, which is no whole number; "
        "take the file as the competition has it"
    )


def test_a_depth_that_is_missing_is_a_warning(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train, test = ids(data)[0], ids(data, "test/images")[0]
    edit(data / "depths.csv", lambda lines: [line for line in lines if line[0] not in (train, test)])
    assert fetch(tmp_path, data) == 0
    assert f"warning: {data}/depths.csv has no depth of 2 images ({train}, {test})\n" in capsys.readouterr().err
    content = Fetched(tmp_path).content
    assert [entry["id"] for entry in content["train"] + content["test"] if entry["z"] is None] == [train, test]
