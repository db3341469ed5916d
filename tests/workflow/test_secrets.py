"""What the environment holds of credentials is in no log, record, report, archive or image that a run leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workflow.clone import Clone
from tests.workflow.planted import PLANTED, found, layered


def test_the_search_finds_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.log").write_text(f"said {PLANTED['AWS_SECRET_ACCESS_KEY']} here\n")
    (tmp_path / "clean.txt").write_text("nothing\n")
    layered(tmp_path / "image.tar.gz", tmp_path)
    assert found(tmp_path, list(PLANTED.values())) == ["image.tar.gz", "logs/a.log"]


@pytest.mark.parametrize(
    "export", ["exported", "exported_amos", "exported_objectnet", "exported_salt", "exported_agrigaia"]
)
def test_no_credential_is_left_anywhere(export: str, request: pytest.FixtureRequest) -> None:
    clone: Clone = request.getfixturevalue(export)
    assert list(clone.root.glob("results/*/*.tar.gz")), "the images' archives are part of what is searched"
    assert found(clone.root, list(PLANTED.values())) == []
