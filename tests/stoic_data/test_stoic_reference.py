"""reference.csv: what is allowed is read, and everything that is wrong is said at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.kit.errors import UserError
from containers.stoic.data import Row, fingerprint, load_cases, read_reference
from tests.stoic_data.images import data_set, noise, write

HEADER = "PatientID,probCOVID,probSevere\n"


def reference(folder: Path, text: str) -> Path:
    (folder / "reference.csv").write_bytes(text.encode())
    return folder / "reference.csv"


@pytest.mark.parametrize(
    "text",
    [
        HEADER + "12,1,0\n6,1,1\n",
        HEADER + "12.0,1.0,0.0\n6.0,1.0,1.0\n",
        "\ufeff" + HEADER.replace("\n", "\r\n") + "12,1,0\r\n6, 1 ,1\r\n\r\n",
        HEADER + '"12","1","0"\n6,1,1',
    ],
)
def test_whole_floats_and_any_line_end_are_read(tmp_path: Path, text: str) -> None:
    assert read_reference(reference(tmp_path, text)) == [Row(12, 1, 0), Row(6, 1, 1)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must begin with the line PatientID,probCOVID,probSevere, not nothing"),
        ("id,probCOVID,probSevere\n1,0,0\n", "not id,probCOVID,probSevere"),
        ("PatientID,probSevere,probCOVID\n1,0,0\n", "not PatientID,probSevere,probCOVID"),
        (HEADER, "has no rows"),
        (HEADER + "1,0\n", "line 2 has 2 values instead of 3"),
        (HEADER + "1,0,0\nx,0,0\n", "line 3 has PatientID 'x', not a whole number"),
        (HEADER + "-4,0,0\n", "line 2 has PatientID '-4', not a whole number"),
        (HEADER + "1,0.5,0\n", "line 2 has probCOVID '0.5', not 0 or 1"),
        (HEADER + "1,1,2\n", "line 2 has probSevere '2', not 0 or 1"),
        (HEADER + "1,nan,inf\n", "line 2 has probCOVID 'nan', not 0 or 1; line 2 has probSevere 'inf', not 0 or 1"),
        (HEADER + "8,0,1\n", "line 2 says that PatientID 8 is severe without COVID"),
        (HEADER + "8,0,0\n8,1,0\n", "PatientID 8 stands in 2 lines"),
        (
            HEADER + "".join(f"{case},0,1\n" for case in range(9)),
            "line 6 says that PatientID 4 is severe without COVID and 4 more; correct it",
        ),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = reference(tmp_path, text)
    with pytest.raises(UserError) as caught:
        read_reference(path)
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"reference.csv cannot be read \(No such file"):
        read_reference(tmp_path / "reference.csv")
    (tmp_path / "reference.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="is not a CSV file in UTF-8"):
        read_reference(tmp_path / "reference.csv")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200) | st.text(alphabet='0123456789.,-+e \n\r"_naif', max_size=60))
def test_any_text_is_read_or_refused_in_one_sentence(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("any")
    (folder / "reference.csv").write_bytes((HEADER + text).encode())
    complaint, rows = "", []
    try:
        rows = read_reference(folder / "reference.csv")
    except UserError as error:
        complaint = str(error)
    assert rows or complaint.startswith(str(folder))
    assert "\n" not in complaint
    assert all(row.covid in (0, 1) and row.severe <= row.covid for row in rows)
    assert len({row.id for row in rows}) == len(rows)


def test_a_missing_case_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"lacks the preprocessed case 6, 12; run the preprocessing again"):
        load_cases(reference(tmp_path, HEADER + "12,1,0\n6,1,1\n"), tmp_path)


def test_the_fingerprint_holds_for_a_copy_and_not_for_other_data(tmp_path: Path) -> None:
    labels = {4: (0, 0), 2: (1, 1)}
    rows = [Row(4, 0, 0), Row(2, 1, 1)]
    first = fingerprint(data_set(tmp_path / "a", labels), rows)
    assert fingerprint(data_set(tmp_path / "b", labels), rows[::-1]) == first
    assert fingerprint(tmp_path / "b", [Row(4, 0, 0), Row(2, 1, 0)]) != first
    write(tmp_path / "b/data/mha/4.mha", noise((9, 9, 9)))
    assert fingerprint(tmp_path / "b", rows) != first
    with pytest.raises(UserError, match=r"data/mha/5.mha cannot be read"):
        fingerprint(tmp_path / "b", [Row(5, 0, 0)])
