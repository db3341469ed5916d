"""Where scans come from and label maps go to: the organisers' command, text and example say three things."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from containers.amos import places
from containers.kit.errors import UserError


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    for name in ("INPUT", "OUTPUT", "SETTINGS"):
        monkeypatch.delenv(f"SLIPWAY_{name}", raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return [tmp_path / "workspace", Path(), tmp_path / "root"]


def filled(folder: Path, name: str = "a.nii.gz") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    return folder


@pytest.mark.parametrize("which", [0, 1, 2])
def test_each_of_the_three_is_found(roots: list[Path], which: int) -> None:
    expected = filled(roots[which].absolute() / "input")
    assert places.input_folder(roots) == expected
    assert places.output_folder(expected) == roots[which].absolute() / "output"
    assert (roots[which] / "output").is_dir()


def test_the_commands_own_folder_goes_first(roots: list[Path]) -> None:
    for root in roots:
        filled(root / "input")
    assert places.input_folder(roots) == roots[0] / "input"


def test_a_folder_with_something_in_it_goes_before_the_images_empty_one(roots: list[Path]) -> None:
    (roots[0] / "input").mkdir(parents=True)
    filled(roots[0] / "input", ".hidden")
    (roots[1] / "input").mkdir()
    expected = filled(roots[2] / "input", "x y.nii.gz")
    assert places.input_folder(roots) == expected
    (expected / "x y.nii.gz").unlink()
    assert places.input_folder(roots) == roots[0] / "input"


def test_none_of_them_is_said(roots: list[Path]) -> None:
    with pytest.raises(UserError, match=r"there is no folder .*workspace/input or .*here/input or .*root/input; mount"):
        places.input_folder(roots)


def test_the_variables_go_before_everything(roots: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(roots[0] / "input")
    monkeypatch.setenv("SLIPWAY_INPUT", str(filled(tmp_path / "scans")))
    assert places.input_folder(roots) == tmp_path / "scans"
    assert places.output_folder(tmp_path / "scans") == tmp_path / "output"
    monkeypatch.setenv("SLIPWAY_OUTPUT", str(tmp_path / "deep" / "labels"))
    assert places.output_folder(tmp_path / "scans") == tmp_path / "deep" / "labels"
    monkeypatch.setenv("SLIPWAY_INPUT", str(tmp_path / "none"))
    with pytest.raises(UserError, match=r"there is no folder .*none; mount the scans there"):
        places.input_folder(roots)


def test_an_output_that_cannot_be_written_is_one_sentence(
    roots: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "output").touch()
    with pytest.raises(UserError, match=r"output cannot be written \(File exists\); mount a folder there"):
        places.output_folder(filled(tmp_path / "input"))
    (tmp_path / "output").unlink()

    def refused(**_: Any) -> Any:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    with pytest.raises(UserError, match=r"output cannot be written \(Read-only file system\)"):
        places.output_folder(roots[0] / "input" if roots[0].exists() else tmp_path / "input")


def test_an_output_leaves_no_trace_of_being_tried(tmp_path: Path) -> None:
    folder = places.output_folder(filled(tmp_path / "input"))
    assert list(folder.iterdir()) == []


def test_scans_are_taken_in_order_and_the_rest_is_told(tmp_path: Path) -> None:
    names = ["b c.nii.gz", "-rf.nii.gz", "ä.nii.gz", "a.b.c.NII.GZ", "plain.nii", ".hidden.nii.gz", "notes.txt", "x.gz"]
    for name in names:
        filled(tmp_path, name)
    (tmp_path / "more.nii.gz").mkdir()
    (tmp_path / ".git").mkdir()
    found, remarks = places.scans(tmp_path)
    assert [path.name for path in found] == ["-rf.nii.gz", "a.b.c.NII.GZ", "b c.nii.gz", "plain.nii", "ä.nii.gz"]
    assert remarks == [
        "more.nii.gz is a folder; what is in it is not segmented",
        "notes.txt is no .nii.gz file and is left alone",
        "x.gz is no .nii.gz file and is left alone",
    ]


def test_settings_are_those_that_were_baked_or_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(tmp_path / "settings.json"))
    assert places.settings().predict.step == 0.5
    (tmp_path / "settings.json").write_text(json.dumps({"predict": {"step": 0.75, "mirror": False}}))
    assert (places.settings().predict.step, places.settings().predict.mirror) == (0.75, False)
    (tmp_path / "settings.json").write_text(json.dumps({"predict": {"stpe": 0.75}}))
    with pytest.raises(UserError, match=r"settings\.predict\.stpe is not a setting; did you mean 'step'"):
        places.settings()
