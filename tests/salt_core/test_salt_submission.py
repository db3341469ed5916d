"""Writing submissions, and what reading them says."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from containers.kit.errors import UserError
from containers.salt import submission
from containers.salt.rle import SIZE, encode
from containers.salt.submission import Reading
from tests.salt_core import slow

GOOD = {"aa": "1 1", "bb": "", "cc": "3 4 10 2"}


def said(reading: Reading) -> list[tuple[str, str]]:
    return [(problem.kind, str(problem)) for problem in reading.errors]


def test_masks_are_written_sorted_with_empty_fields_for_empty_masks(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "submission.csv"
    masks = np.array([slow.first_pixels(7), np.zeros((SIZE, SIZE), np.bool_), slow.first_pixels(10201)])
    submission.write(path, ["cc", "aa", "bb"], masks)
    assert path.read_bytes() == b"id,rle_mask\naa,\nbb,1 10201\ncc,1 7\n"
    assert submission.read(path, ["aa", "bb", "cc"], 3).rows == {"aa": "", "bb": "1 10201", "cc": "1 7"}


def test_texts_are_written_as_they_are(tmp_path: Path) -> None:
    submission.write(tmp_path / "it.csv", list(reversed(GOOD)), list(reversed(GOOD.values())))
    reading = submission.read(tmp_path / "it.csv", GOOD)
    assert (reading.rows, reading.lines, reading.errors, reading.warnings) == (GOOD, 3, [], [])


def test_nothing_wrong_is_written_and_what_was_there_stays(tmp_path: Path) -> None:
    path = slow.table(tmp_path / "it.csv", GOOD)
    before = path.read_bytes()
    with pytest.raises(UserError, match=r"it\.csv would name aa twice; give each image once"):
        submission.write(path, ["aa", "bb", "aa"], ["", "", ""])
    with pytest.raises(UserError, match=r"it\.csv: the mask of bb starts a run at 0; the first pixel is 1"):
        submission.write(path, ["aa", "bb"], ["", "0 1"])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        submission.write(path, ["aa", "bb"], [""])
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = slow.table(tmp_path / "it.csv", GOOD)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UserError, match=r"it\.csv cannot be written \(No space left on device\); make room there"):
        submission.write(path, ["zz"], [""])
    assert path.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "kind", "sentence"),
    [
        ("aa,1 1\n", "header", "it.csv begins with 'aa,1 1'; its first line must be id,rle_mask"),
        ("\n", "header", "it.csv begins with ''; its first line must be id,rle_mask"),
        ("rle_mask,id\n", "header", "it.csv begins with 'rle_mask,id'; its first line must be id,rle_mask"),
        (
            "\ufeffid,rle_mask\n",
            "header",
            "it.csv begins with 'id,rle_mask' behind a byte order mark; its first line must be id,rle_mask",
        ),
    ],
)
def test_a_wrong_header_is_the_only_complaint(tmp_path: Path, content: str, kind: str, sentence: str) -> None:
    path = tmp_path / "it.csv"
    path.write_text(content + "bb,\n", encoding="utf-8")
    assert said(submission.read(path, GOOD, 3)) == [(kind, sentence)]


@pytest.mark.parametrize(
    ("lines", "kind", "sentence"),
    [
        (
            ["aa,1 1", "bb,", "cc,", "dd,"],
            "unknown id",
            "line 5 of it.csv (dd) names none of the images; take the line out",
        ),
        (
            ["aa,1 1", "bb,", "bb,", "cc,"],
            "duplicate id",
            "line 4 of it.csv (bb) names an image that has a line already; have one an image",
        ),
        (["aa,1 1", "cc,"], "missing id", "it.csv lacks 1 of 3 images (bb); write a line for each"),
        (["aa,1 1", "cc,"], "row count", "it.csv has 2 lines below its header, not 3"),
        (["aa,1 1", "", "bb,", "cc,"], "empty line", "line 3 of it.csv is empty; have a line an image and no other"),
        (["aa", "bb,", "cc,"], "columns", "line 2 of it.csv (aa) has 1 columns, not 2; write an id and its runs"),
        (["aa,,", "bb,", "cc,"], "columns", "line 2 of it.csv (aa) has 3 columns, not 2; write an id and its runs"),
        ([",1 1", "aa,", "bb,", "cc,"], "no id", "line 2 of it.csv () has no id; name the image"),
        (
            ["aa,5 2 1 1", "bb,", "cc,"],
            "mask",
            "line 2 of it.csv (aa) has a wrong mask, which starts a run at 1 behind the one at 5; sort the runs by "
            "their starts",
        ),
        (
            ["aa,10201 2", "bb,1 x", "cc,0 1"],
            "mask",
            "line 2 of it.csv (aa) has a wrong mask, which has a run from 10201 to 10202; an image's last pixel is "
            "10201 (and 2 more of the kind)",
        ),
    ],
)
def test_each_kind_of_error_is_one_sentence(tmp_path: Path, lines: list[str], kind: str, sentence: str) -> None:
    path = tmp_path / "it.csv"
    path.write_text("\n".join(["id,rle_mask", *lines, ""]), encoding="utf-8")
    found = dict(said(submission.read(path, GOOD)))
    assert found[kind] == sentence


def test_a_wrong_mask_is_no_missing_image(tmp_path: Path) -> None:
    path = slow.table(tmp_path / "it.csv", {**GOOD, "bb": "1"})
    reading = submission.read(path, GOOD)
    assert [problem.kind for problem in reading.errors] == ["mask"]
    assert sorted(reading.rows) == ["aa", "cc"]
    with pytest.raises(UserError, match=r"it\.csv is no valid submission: line 3 of it\.csv \(bb\) has a wrong mask"):
        submission.demand(path, reading)


def test_lines_that_are_not_sorted_are_a_warning(tmp_path: Path) -> None:
    path = slow.table(tmp_path / "it.csv", {"bb": "", "aa": "", "cc": ""})
    reading = submission.read(path, GOOD)
    assert reading.errors == []
    sentence = "line 3 of it.csv (aa) stands behind bb; sort the lines by their ids"
    assert [(problem.kind, str(problem)) for problem in reading.warnings] == [("not sorted", sentence)]
    submission.demand(path, reading)


def test_an_image_that_is_there_twice_is_sorted_for_all_that(tmp_path: Path) -> None:
    path = tmp_path / "it.csv"
    path.write_text("id,rle_mask\naa,\naa,\nbb,\ncc,\n")
    reading = submission.read(path, GOOD)
    assert ([problem.kind for problem in reading.errors], reading.warnings) == (["duplicate id", "row count"], [])


def test_the_number_of_lines_counts_where_no_ids_are_known(tmp_path: Path) -> None:
    path = slow.table(tmp_path / "it.csv", GOOD)
    assert submission.read(path, None, 3).errors == []
    assert submission.read(path).errors == []
    assert said(submission.read(path, None, submission.TEST_IMAGES)) == [
        ("row count", "it.csv has 3 lines below its header, not 18,000")
    ]
    assert said(submission.read(slow.table(path, {}))) == [
        ("row count", "it.csv has no line below its header; write one an image")
    ]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    absent = submission.read(tmp_path / "it.csv", GOOD)
    text = "it.csv cannot be read to its end as CSV in UTF-8 (No such file or directory); write it again"
    assert said(absent) == [("unreadable", text)]
    path = tmp_path / "bytes.csv"
    path.write_bytes(b"id,rle_mask\naa,1 1\n" + b"bb,\xff\xfe\n")
    [(kind, sentence)] = said(submission.read(path, GOOD))
    assert kind == "unreadable"
    assert sentence.startswith("bytes.csv cannot be read to its end as CSV in UTF-8 ('utf-8' codec can't decode")
    path.write_text("id,rle_mask\naa," + "1 " * 100_000 + "\n")
    assert "field larger than field limit" in said(submission.read(path, GOOD))[0][1]


def test_quotes_and_line_ends_of_other_systems_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "it.csv"
    path.write_bytes(b'"id","rle_mask"\r\n"aa","1 1"\r\nbb,\r\ncc,3 4 10 2')
    assert submission.read(path, GOOD).rows == GOOD
    assert submission.read(path, GOOD).errors == []


def test_the_test_set_of_the_challenge(tmp_path: Path) -> None:
    """All 18,000 lines, each mask as it was."""
    ids = [f"{number * 7919 % 18000:010x}" for number in range(submission.TEST_IMAGES)]
    texts = [encode(slow.first_pixels(count)) for count in range(0, 10201, 1000)]
    given = [texts[number % len(texts)] for number in range(len(ids))]
    submission.write(tmp_path / "it.csv", ids, given)
    reading = submission.read(tmp_path / "it.csv", ids, submission.TEST_IMAGES)
    assert (reading.errors, reading.warnings, reading.lines) == ([], [], 18_000)
    assert reading.rows == dict(zip(ids, given, strict=True))
    assert list(reading.rows) == sorted(ids)
