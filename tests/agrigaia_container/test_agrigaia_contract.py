"""Agri-Gaia's contract: the platform's documented local run, and the same container started again."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from containers.agrigaia import outputs
from workflow.scripts.agrigaia.ground import TOOLS
from workflow.scripts.slipway.contract import Image, Mount, load
from workflow.scripts.slipway.metadata import requirements

ROOT = Path(__file__).resolve().parents[2]
AGRIGAIA = ROOT / "containers" / "agrigaia"


def image() -> Image:
    return load(AGRIGAIA / "contract.yaml", {"tag": "slipway/acme-tiny"}).image("train")


def test_the_platforms_words() -> None:
    flags = image().profile("organisers")
    assert shlex.join(flags.words()) == (
        "--gpus '\"device=0\"' --shm-size 8g --ipc host --ulimit memlock=-1 --ulimit stack=67108864 "
        "--env NVIDIA_VISIBLE_DEVICES=0 --env DATASET_ID=1"
    )
    assert list(image().profiles) == ["organisers"]
    assert flags.network == ""


def test_what_is_mounted_started_and_looked_for() -> None:
    assert image().mounts == (Mount("input", "/minio", "ro"), Mount("output", "/train", "rw", emptied=True))
    assert (image().tag, image().starts, image().hardware.gpus) == ("slipway/acme-tiny", 2, 1)
    assert image().success_line == "Executing your training code in train.py::__main__"
    assert image().output_check == f"{outputs.__name__}:{outputs.check.__name__}"


def test_its_recipe_and_packages_are_there_at_the_versions_of_the_lock() -> None:
    assert image().dockerfile.is_file()
    lines = (ROOT / "envs" / "lock.txt").read_text().splitlines()
    lock = {line.lower() for line in lines if not line.startswith("#")}
    (path,) = image().requirements
    pins = {str(requirement).lower() for requirement in requirements(path)}
    assert {"torch", "onnxruntime"} <= {pin.partition("==")[0] for pin in pins}
    assert pins <= lock


def test_the_ground_has_the_tools_that_the_recipe_would_fetch() -> None:
    (installed,) = re.findall(r"install --yes --no-install-recommends (.*) \\", image().dockerfile.read_text())
    assert set(installed.split()) == set(TOOLS)
