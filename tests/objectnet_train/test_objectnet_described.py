"""Which networks are a participant's own is read from the file, without running it."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.kit.errors import UserError
from workflow.scripts.objectnet import described


def test_the_shipped_file_describes_its_three_networks() -> None:
    mine = {"EfficientNetLite0", "EfficientNetLite2", "resnext101_32x48d_wsl"}
    assert mine <= described.names()
    assert [described.of_zoo(name) for name in sorted(mine)] == [False] * 3
    assert [described.of_zoo(name) for name in ("timm:resnet50", "resnet50")] == [True, True]


def test_nothing_of_it_is_run(tmp_path: Path) -> None:
    file = tmp_path / "model_description.py"
    file.write_text("from mine import Net as small\nclass Own: ...\ndef made(): ...\nraise SystemExit(7)\n")
    assert described.names(file) == {"small", "Own", "made"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("class Own(:\n", r"line 1, is not Python: "), (None, "cannot be read")],
    ids=["typo", "gone"],
)
def test_a_broken_file_is_one_sentence(tmp_path: Path, text: str | None, sentence: str) -> None:
    file = tmp_path / "model_description.py"
    if text:
        file.write_text(text)
    with pytest.raises(UserError, match=sentence):
        described.names(file)
