"""Terms are shown before anything is fetched, accepted by a key, and shown once."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.kit.errors import UserError
from workflow.scripts.remote.table import Licence, Row
from workflow.scripts.remote.terms import accepted

ROW = Row("ObjectNet", Licence("ObjectNet-1.0", "https://page.example.org", ("never tune by it", "keep the border")))
TEXT = """licence of ObjectNet: ObjectNet-1.0
  never tune by it
  keep the border
  its text: https://page.example.org
"""


def test_what_is_not_accepted_is_refused_and_its_terms_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError) as caught:
        accepted(ROW, [], tmp_path)
    said = "add 'ObjectNet-1.0' to the key accept if you agree to the licence of ObjectNet; its terms stand above"
    assert str(caught.value) == said
    assert capsys.readouterr().err == TEXT
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_is_nearly_right_is_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"; 'ObjectNet-1' is not its name$"):
        accepted(ROW, ["CC-BY-NC-4.0", "ObjectNet-1"], tmp_path)


def test_accepted_terms_are_shown_once_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted(ROW, ["ObjectNet-1.0"], tmp_path)
    assert capsys.readouterr().err == TEXT
    accepted(ROW, ["ObjectNet-1.0"], tmp_path)
    assert capsys.readouterr().err == ""
    assert [path.read_text() for path in tmp_path.glob("licences/*.txt")] == [TEXT]


def test_other_terms_of_the_same_name_are_shown_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted(ROW, ["ObjectNet-1.0"], tmp_path)
    capsys.readouterr()
    accepted(Row("ObjectNet", Licence("ObjectNet-1.0", "", ("one more",))), ["ObjectNet-1.0"], tmp_path)
    assert "one more" in capsys.readouterr().err


def test_a_licence_without_terms_is_shown_and_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted(Row("weights", Licence("BSD-3-Clause")), [], tmp_path)
    assert capsys.readouterr().err == "licence of weights: BSD-3-Clause\n"


def test_no_licence_asks_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    accepted(Row("a bucket"), [], tmp_path)
    assert capsys.readouterr().err == ""
