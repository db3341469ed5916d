"""Agri-Gaia on demo data, the whole way with a real container: trained twice, scored as the platform does, packed."""

from __future__ import annotations

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from tests.agrigaia_s3.issuer import serving
from tests.agrigaia_s3.weed import BUCKET, running
from tests.workflow.clone import Clone
from workflow.scripts.agrigaia import platform
from workflow.scripts.agrigaia.plants import SPECIES
from workflow.scripts.slipway.engine import find

pytestmark = pytest.mark.engine

AFTER_TEMPLATE = {"image_train", "test_train", "save_train", "package", "score", "report"}
CONTENTS = "train-container-publish/Slipway/Classification/EfficientNet"


def results(clone: Clone, *parts: str) -> Path:
    return clone.root.joinpath("results", "agrigaia", *parts)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def ran(command: list[str]) -> tuple[int, str]:
    """Exit code, and all that was printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def test_the_container_passes_and_so_does_its_second_start(exported_agrigaia: Clone) -> None:
    verdict = read(results(exported_agrigaia, "train", "verdict.json"))
    assert verdict["status"] == "PASS", verdict["reason"]
    (run,) = verdict["runs"]
    assert run["profile"] == "organisers"
    for word in ("--ipc host", "--ulimit stack=67108864", "--env DATASET_ID=1", "/minio:ro", ":/train"):
        assert word in run["command"]
    passed = {check["name"]: check for check in run["checks"] if check["status"] == "PASS"}
    assert passed["exit code"]["got"] == "0"
    assert passed["second start: exit code"]["got"] == "0"
    assert passed["score"]["got"] == passed["second start: score"]["got"]


def test_the_score_is_what_the_platform_finds_and_good(exported_agrigaia: Clone) -> None:
    (run,) = read(results(exported_agrigaia, "train", "verdict.json"))["runs"]
    custom = read(results(exported_agrigaia, "template", "custom.json"))
    lines = Path(exported_agrigaia.root, run["log"]).read_text().splitlines()
    found = re.findall(custom["score_regexp"], "\n".join(lines[-50:]) + "\n")
    assert run["score"] == {"name": "Acc.", "value": round(float(found[-1]), 3)}
    assert run["score"]["value"] >= 0.9
    card = read(results(exported_agrigaia, "score", "card.json"))
    platform_score = card["metrics"]["agrigaia_platform"]["Acc."]
    accuracy = card["metrics"]["agrigaia_container"]["accuracy"]
    assert platform_score["score"] == run["score"]["value"] == round(accuracy["accuracy"], 3)
    assert accuracy["low"] < accuracy["accuracy"] <= accuracy["high"] <= 1


def test_what_it_trained_is_one_model_in_two_forms(exported_agrigaia: Clone) -> None:
    """ONNX Runtime's answers are those of the weights, in the template's own network."""
    made = results(exported_agrigaia, "train", "output")
    saved = torch.load(made / "model.pt", weights_only=True)
    assert saved["facts"]["classes"] == list(SPECIES)
    session = onnxruntime.InferenceSession(str(made / "model.onnx"), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert given.shape == [1, 3, 64, 64]
    pixels = np.random.default_rng(5).random((1, 3, 64, 64), dtype=np.float32)
    (answers,) = session.run(None, {given.name: pixels})
    assert answers.shape == (1, len(SPECIES))
    assert np.isfinite(answers).all()
    assert not list(made.rglob("*.part"))


def test_the_package_is_one_that_the_platform_takes(
    exported_agrigaia: Clone,
) -> None:
    package = results(exported_agrigaia, "package", "train-container-publish.zip")
    assert platform.main([str(package)]) == 0
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())
        assert json.loads(archive.read(f"{CONTENTS}/config/custom.json")) == read(
            results(exported_agrigaia, "template", "custom.json")
        )
    files = {name for name in names if not name.endswith("/")}
    at_root = {name.split("/")[1] for name in files if name.count("/") == 1}
    assert at_root == {
        "config.py",
        "config_to_args.py",
        "cvat_dataset.py",
        "dataset.py",
        "docker-entrypoint.sh",
        "mount-s3.sh",
    }
    docker = {name.removeprefix(f"{CONTENTS}/docker/") for name in files if name.startswith(f"{CONTENTS}/docker/")}
    assert {".env", "Dockerfile", "args.py", "requirements.txt", "setup.py", "train.py"} <= docker
    assert not {"train_config.json", "export_config.json", "export.jsonschema", "export.py"} & docker
    assert files - {f"{CONTENTS}/docker/{name}" for name in docker} - {
        f"train-container-publish/{n}" for n in at_root
    } == {f"{CONTENTS}/config/{name}" for name in ("config.jsonschema", "custom.json", "presets.json")}


def test_the_template_is_run_by_hand(exported_agrigaia: Clone) -> None:
    """Its run.sh, on the image's tag: the finished training is found again, and its score told."""
    made = results(exported_agrigaia, "train", "output")
    minio = read(exported_agrigaia.root / "scratch" / "agrigaia" / "raw" / "minio.json")["root"]
    code, said = ran([str(results(exported_agrigaia, "template", "run.sh")), minio, str(made)])
    assert code == 0, said
    score = read(results(exported_agrigaia, "train", "verdict.json"))["runs"][0]["score"]
    custom = read(results(exported_agrigaia, "template", "custom.json"))
    assert round(float(re.findall(custom["score_regexp"], said)[-1]), 3) == score["value"]


def test_a_data_set_that_is_not_there_fails_the_test_with_the_containers_words(
    exported_agrigaia: Clone, tmp_path: Path
) -> None:
    (tmp_path / "minio" / "datasets").mkdir(parents=True)
    (tmp_path / "train").mkdir()
    image_id = read(results(exported_agrigaia, "train", "image.json"))["image_id"]
    mounts = ["--volume", f"{tmp_path / 'minio'}:/minio:ro", "--volume", f"{tmp_path / 'train'}:/train"]
    code, said = ran(find().command("run", "--rm", "--env", "DATASET_ID=7", *mounts, image_id))
    assert code == 1
    assert "warning: no data set came from S3" in said
    assert "/minio/datasets/7 is not there" in said
    code, said = ran(find().command("run", "--rm", image_id))
    assert code == 1
    assert "DATASET_ID is not set" in said


def test_on_the_platform_the_data_come_from_its_bucket(exported_agrigaia: Clone, tmp_path: Path) -> None:
    """Without the rights to mount it, as here, they are fetched; being the same, they need no further training."""
    minio = Path(read(exported_agrigaia.root / "scratch" / "agrigaia" / "raw" / "minio.json")["root"])
    files = sorted(path for path in minio.joinpath("datasets", "1").rglob("*") if path.is_file())
    image_id = read(results(exported_agrigaia, "train", "image.json"))["image_id"]
    with serving() as issuer, running(tmp_path, issuer) as server:
        for path in files:
            name = path.relative_to(minio / "datasets" / "1")
            server.s3.put_object(Bucket=BUCKET, Key=f"datasets/7/{name}", Body=path.read_bytes())
        token = issuer.token()
        told = {"OID_ACCESS_TOKEN": token, "S3_HOST": server.url, "S3_BUCKET_NAME": BUCKET, "DATASET_ID": "7"}
        words = [f"--env={name}={value}" for name, value in told.items()]
        words += [f"--volume={results(exported_agrigaia, 'train', 'output')}:/train"]
        code, said = ran(find().command("run", "--rm", "--network", "host", *words, image_id))
    assert code == 0, said
    assert f"S3: {len(files)} files of data set 7 in /minio/datasets/7: {len(files)} fetched" in said
    assert "3 of 3 epochs of this training; it goes on from there" in said
    assert "warning: no data set came from S3" not in said
    assert token not in said


def test_nothing_runs_again_and_an_edit_only_what_it_touches(exported_agrigaia: Clone) -> None:
    assert exported_agrigaia.plan("export_agrigaia") == {}
    words = exported_agrigaia.overlay("longer", "agrigaia", train={"epochs": 4, "img-size": 64})
    plan = exported_agrigaia.plan(*words, "export_agrigaia")
    assert plan == {
        **{f"agrigaia_{name}": 1 for name in ("template", *AFTER_TEMPLATE)},
        "export_agrigaia": 1,
    }


def test_the_report_shows_score_and_curve(exported_agrigaia: Clone) -> None:
    page = results(exported_agrigaia, "report.html").read_text()
    score = read(results(exported_agrigaia, "train", "verdict.json"))["runs"][0]["score"]["value"]
    assert f"{score:.3f}" in page
    assert "Agri-Gaia" in page
    assert "train-container.tar.gz" in page
