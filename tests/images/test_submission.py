"""The submission folder: what is in it, that it is whole, and that it is the same twice."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.images.conftest import STOIC, Parts, contract
from workflow.scripts import cover
from workflow.scripts.slipway.revision import revision

END = "# ---- From here on"


def tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def values(folder: Path) -> dict[str, str]:
    """The ARGs of a Dockerfile."""
    return dict(re.findall(r'^ARG (\w+)="?(.*?)"?$', (folder / "Dockerfile").read_text(), re.MULTILINE))


def test_the_training_folder_has_what_the_image_needs_and_no_more(parts: Parts, tmp_path: Path) -> None:
    out = tmp_path / "training"
    assert parts.lay("train", out) == 0
    kit = {"containers/__init__.py", *(f"containers/kit/{n}.py" for n in ("__init__", "errors", "files"))}
    lists = {"wheels/torch/torch.txt", "wheels/extra/extra.txt"}
    wheels = {"wheels/torch/torch-2.0-py3-none-any.whl", "wheels/extra/tqdm-4.0-py3-none-any.whl"}
    own = {"Dockerfile", "REVISION", "settings.json", "build.sh", "test.sh", "export.sh", "weights/SHA256SUMS"}
    assert set(tree(out)) == kit | lists | wheels | own
    assert json.loads((out / "settings.json").read_text()) == {"train": {"lr": 1}}


def test_the_dockerfile_knows_what_it_builds(parts: Parts, tmp_path: Path) -> None:
    out = tmp_path / "inference"
    assert parts.lay("predict", out) == 0
    said = values(out)
    assert said["BASE"] == said["BASE_NAME"] == "python:3.11@sha256:ab"
    assert said["BASE_DIGEST"] == "sha256:ab"
    assert said["PACKAGES"] == "torch==2.0 tqdm==4.0"
    assert said["REVISION"] == (out / "REVISION").read_text().strip()
    assert re.fullmatch("[0-9a-f]{16}", said["CONFIG_HASH"])
    assert re.fullmatch("[0-9a-f]{64}", said["WEIGHTS_SHA256"])


def test_other_weights_and_settings_have_other_hashes(parts: Parts, tmp_path: Path) -> None:
    assert parts.lay("predict", tmp_path / "one") == 0
    (parts.artifact / "fold0.safetensors").write_bytes(b"other weights")
    assert parts.lay("predict", tmp_path / "two", settings="{}") == 0
    one, two = values(tmp_path / "one"), values(tmp_path / "two")
    assert one["WEIGHTS_SHA256"] != two["WEIGHTS_SHA256"]
    assert one["CONFIG_HASH"] != two["CONFIG_HASH"]


def test_the_same_parts_give_the_same_bytes(parts: Parts, tmp_path: Path) -> None:
    for name in ("one", "two"):
        assert parts.lay("predict", tmp_path / name) == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_the_artifact_comes_without_hidden_files(parts: Parts, tmp_path: Path) -> None:
    assert parts.lay("predict", tmp_path / "out") == 0
    assert set(tree(tmp_path / "out" / "artifact")) == {"fold0.safetensors", "model.json"}


def test_without_an_artifact_nothing_is_written(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert parts.lay("predict", out, "--artifact") == 1
    assert "this image ships trained weights and --artifact names none" in capsys.readouterr().err
    assert not out.exists()


def test_a_failure_leaves_the_former_folder(parts: Parts, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert parts.lay("train", out) == 0
    before = tree(out)
    assert parts.lay("train", out, settings="{") == 1
    assert tree(out) == before
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_pretrained_weights_ship_and_the_settings_name_their_new_place(parts: Parts, tmp_path: Path) -> None:
    weights = tmp_path / "kinetics.pth"
    weights.write_bytes(b"learned")
    settings = json.dumps({"train": {"weights": str(weights), "model": "i3d"}})
    out = tmp_path / "out"
    assert parts.lay("train", out, "--weights", str(weights), settings=settings) == 0
    assert (out / "weights" / "kinetics.pth").read_bytes() == b"learned"
    assert "kinetics.pth" in (out / "weights" / "SHA256SUMS").read_text()
    baked = json.loads((out / "settings.json").read_text())
    assert baked == {"train": {"weights": "/opt/app/weights/kinetics.pth", "model": "i3d"}}
    assert values(out)["WEIGHTS_SHA256"]


def test_weights_that_are_not_there_are_named(parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert parts.lay("train", tmp_path / "out", "--weights", str(tmp_path / "no.pth")) == 1
    assert "no.pth is not there" in capsys.readouterr().err


def test_code_outside_containers_does_not_ship(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parts.lay("train", tmp_path / "out", "--entry", "workflow.scripts.base") == 1
    assert "and only containers/ ships; move it there" in capsys.readouterr().err


def test_bundled_wheels_take_no_space_and_an_index_needs_none(parts: Parts, tmp_path: Path) -> None:
    assert parts.lay("train", tmp_path / "bundled") == 0
    name = "wheels/torch/torch-2.0-py3-none-any.whl"
    assert (tmp_path / "bundled" / name).samefile(parts.folder / "house/torch/torch-2.0-py3-none-any.whl")
    assert "--network none" in (tmp_path / "bundled" / "build.sh").read_text()
    assert parts.lay("train", tmp_path / "index", "--wheels=index") == 0
    assert set(tree(tmp_path / "index" / "wheels")) == {"torch/torch.txt", "extra/extra.txt"}
    assert "--network none" not in (tmp_path / "index" / "build.sh").read_text()


def test_a_debian_base_comes_along(parts: Parts, tmp_path: Path) -> None:
    rootfs = tmp_path / "rootfs.tar.gz"
    rootfs.write_bytes(b"files")
    said = {"kind": "debian", "reference": "slipway/base:x", "rootfs": str(rootfs), "rootfs_sha256": "ef"}
    parts.base.write_text(json.dumps(said))
    assert parts.lay("train", tmp_path / "out") == 0
    text = (tmp_path / "out" / "Dockerfile").read_text()
    assert "FROM scratch AS base\nADD base.tar.gz /\n" in text
    assert "${BASE}" not in text
    assert (tmp_path / "out" / "base.tar.gz").read_bytes() == b"files"
    assert values(tmp_path / "out")["BASE_DIGEST"] == "sha256:ef"


def test_records_of_a_cleared_scratch_disk_are_named(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "house").rename(tmp_path / "elsewhere")
    assert parts.lay("train", tmp_path / "out") == 1
    assert f"house, which is gone; delete {parts.wheelhouse} and run again" in capsys.readouterr().err


def test_everyone_may_read_the_folder(parts: Parts, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        assert parts.lay("predict", tmp_path / "out") == 0
    finally:
        os.umask(before)
    out = tmp_path / "out"
    assert out.stat().st_mode & 0o777 == 0o755
    assert (out / "artifact" / "model.json").stat().st_mode & 0o777 == 0o644
    assert (out / "containers" / "kit").stat().st_mode & 0o777 == 0o755
    assert (out / "build.sh").stat().st_mode & 0o777 == 0o755


def test_the_images_begin_with_the_same_words() -> None:
    heads = {
        (STOIC / f"{name}.Dockerfile").read_text().partition(END)[0].split("\n", 1)[1] for name in ("train", "predict")
    }
    assert len(heads) == 1
    assert "COPY --from=torch /opt/venv /opt/venv" in heads.pop()


def test_the_revision_says_when_files_differ_from_it(tmp_path: Path) -> None:
    assert revision(tmp_path) == "unknown"
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "file").touch()
    for words in (["init", "-q"], ["add", "file"], ["commit", "-qm", "one"]):
        subprocess.run([*git, *words], check=True)
    clean = revision(tmp_path)
    assert re.fullmatch("[0-9a-f]{40}", clean)
    (tmp_path / "file").write_text("changed")
    assert revision(tmp_path) == f"{clean}-dirty"


def test_the_cover_says_how_to_use_each_folder(tmp_path: Path) -> None:
    words = ["--part=train=training", "--part=predict=inference", f"--contract={contract(tmp_path)}"]
    (tmp_path / "mine").write_text("MIT License\n")
    out = tmp_path / "submission" / "LICENSE"
    assert cover.main([*words, f"--license={tmp_path / 'mine'}", f"--output={out}"]) == 0
    assert out.read_text() == "MIT License\n"
    text = out.with_name("README.md").read_text()
    assert "bash training/test.sh INPUT OUTPUT SCRATCH" in text
    assert "inference/STOICAlgorithm.tar.gz" in text
    assert "`Training completed.`" in text


def test_a_part_without_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "--part=train",
        f"--contract={contract(tmp_path)}",
        "--license=LICENSE",
        f"--output={tmp_path / 'LICENSE'}",
    ]
    assert cover.main(words) == 1
    assert "--part train names no folder" in capsys.readouterr().err


def test_what_was_trained_and_what_is_configured_fill_the_dockerfile(parts: Parts, tmp_path: Path) -> None:
    dockerfile = tmp_path / "Dockerfile"
    text = (STOIC / "predict.Dockerfile").read_text()
    dockerfile.write_text(text.replace("ARG BASE_NAME", 'ARG MODEL=""\nARG WORKERS=""\nARG BASE_NAME'))
    (parts.artifact / "args.json").write_text('{"MODEL": "Lite2", "WORKERS": "1"}')
    out = tmp_path / "inference"
    assert parts.lay("predict", out, f"--dockerfile={dockerfile}", "--arg=WORKERS=8") == 0
    assert (values(out)["MODEL"], values(out)["WORKERS"]) == ("Lite2", "8")


def test_files_of_the_artifact_that_an_image_does_not_need_stay_out(parts: Parts, tmp_path: Path) -> None:
    out = tmp_path / "inference"
    assert parts.lay("predict", out, "--leave", "fold0.safetensors") == 0
    assert {name for name in tree(out) if name.startswith("artifact/")} == {"artifact/model.json"}


def test_an_argument_without_a_value_is_one_sentence(
    parts: Parts, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert parts.lay("predict", tmp_path / "inference", "--arg=WORKERS") == 1
    assert "error: --arg WORKERS: write it as NAME=VALUE" in capsys.readouterr().err
