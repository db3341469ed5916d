"""The ZIP for the platform: its form, that equal templates give equal bytes, and that nothing unsound gets its name."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from tests.agrigaia_package.conftest import edited, error, make, pack

TOP = "train-container-publish"
PLACE = f"{TOP}/My Lab/Object Detection/Tiny v1.0"
ROOT = ("config.py", "config_to_args.py", "cvat_dataset.py", "dataset.py", "docker-entrypoint.sh", "mount-s3.sh")
REMOVED = {"train_config.json", "export_config.json", "export.jsonschema", "export.py", "onnx_export.py"}
HANDS = {"README.md", "build.sh", "run.sh", ".dockerignore", "architecture.json"}
NAMED = {"provider": "My Lab", "architecture": "Tiny v1.0"}


def test_every_file_has_the_place_that_the_platform_gives_it(detector: Path, zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
        assert archive.read(f"{PLACE}/docker/train.py") == (detector / "train.py").read_bytes()
    folders = [name for name in names if name.endswith("/")]
    above = (TOP, f"{TOP}/My Lab", f"{TOP}/My Lab/Object Detection", PLACE, f"{PLACE}/config", f"{PLACE}/docker")
    assert sorted(folders) == sorted(f"{name}/" for name in above)
    form = ("config.jsonschema", "custom.json", "presets.json")
    rest = {path.name for path in detector.iterdir()} - {*ROOT, *form} - REMOVED - HANDS
    assert {".env", "Dockerfile", "args.py", "setup.py", "train.py", "requirements.txt"} <= rest
    expected = [f"{TOP}/{name}" for name in ROOT]
    expected += [f"{PLACE}/config/{name}" for name in form] + [f"{PLACE}/docker/{name}" for name in rest]
    assert sorted(set(names) - set(folders)) == sorted(expected)
    assert len(names) == len(set(names))


def test_the_manifest_is_what_is_there(zipped: Path) -> None:
    content = json.loads((zipped.parent / "manifest.json").read_text())
    data = zipped.read_bytes()
    assert (content["size"], content["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())
    assert (content["file"], content["path"]) == ("p.zip", "My Lab/Object Detection/Tiny v1.0")
    with zipfile.ZipFile(zipped) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}
    assert {entry["name"]: entry["size"] for entry in content["entries"]} == sizes


def test_equal_templates_give_equal_bytes_and_modes_are_kept(detector: Path, zipped: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in sorted(detector.iterdir(), reverse=True):
        shutil.copy(path, copy)
        os.utime(copy / path.name, (1_000_000_000, 1_000_000_000))
    for name in ("minio", "train", "__pycache__"):  # of runs by hand
        (copy / name).mkdir()
        (copy / name / "x.py").touch()
    (copy / ".snakemake_timestamp").touch()
    assert pack(tmp_path, copy, "detector", NAMED) == 0
    assert (tmp_path / "p.zip").read_bytes() == zipped.read_bytes()
    with zipfile.ZipFile(zipped) as archive:
        modes = {entry.filename: entry.external_attr >> 16 for entry in archive.infolist()}
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert modes[f"{TOP}/mount-s3.sh"] == stat.S_IFREG | 0o755
    assert modes[f"{PLACE}/docker/.env"] == stat.S_IFREG | 0o644
    assert modes[f"{PLACE}/docker/"] == stat.S_IFDIR | 0o755


def test_a_template_that_was_spoilt_gets_no_name(
    detector: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = Path(shutil.copytree(detector, tmp_path / "copy"))
    edited(copy / "custom.json", score_regexp="(")
    said = error(capsys, pack(tmp_path, copy, "detector"))
    place = f"{TOP}/Slipway/Object Detection/Detector/config/custom.json"
    assert said.startswith(f"{tmp_path}/p.zip: {place}: score_regexp is no regular expression (")
    shutil.copy(detector / "custom.json", copy)
    (copy / "setup.py").unlink()
    said = error(capsys, pack(tmp_path, copy, "detector"))
    assert said.startswith(f"{tmp_path}/p.zip has no file {TOP}/Slipway/Object Detection/Detector/docker/setup.py; ")
    (copy / "setup.py").symlink_to("/etc/hostname")
    said = error(capsys, pack(tmp_path, copy, "detector"))
    assert said == f"--template {copy} holds setup.py, which is no plain file; take it out"
    said = error(capsys, pack(tmp_path, tmp_path / "nowhere", "detector"))
    assert said.startswith(f"--template {tmp_path}/nowhere is not there; make it with ")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_the_package_of_an_architecture_of_ones_own(own: Path, tmp_path: Path) -> None:
    (own / "anchors.py").write_text("SIZES = (1, 2)\n")
    assert make(tmp_path / "t", own) == 0
    assert pack(tmp_path, tmp_path / "t", own, {"category": "Mine"}) == 0
    with zipfile.ZipFile(tmp_path / "p.zip") as archive:
        assert f"{TOP}/Slipway/Mine/EfficientNet/docker/anchors.py" in archive.namelist()
