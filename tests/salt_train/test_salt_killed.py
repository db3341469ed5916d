"""A training that is killed goes on to the very same snapshots; and what is wrong is said before it begins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.salt_train.commands import PIXELS, Place, draw, judged, pack_images, record
from tests.salt_train.conftest import Said
from workflow.scripts.salt import segment


def shots(place: Place) -> list[str]:
    return [shot["sha256"] for shot in record(place.output("segmentation", 0))["snapshots"]]


# Three steps an epoch: within the first, at the beginning of the second, after whose end a snapshot lay there already.
@pytest.mark.parametrize("step", [2, 4, 6])
def test_killed_it_ends_the_same(trained: Place, tmp_path: Path, step: int) -> None:
    changes = {"images": "all", "epochs": 3, "snapshots": 0}
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert trained.segment(0, straight, **changes) == 0
    words = trained.words("segmentation", PIXELS | changes, 0, killed)
    command = [sys.executable, "-m", "workflow.scripts.salt.segment", *words]
    environment = {**os.environ, "TEST_KILL_AT_STEP": str(step)}
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert not Place(killed).output("segmentation", 0).exists()
    (folder,) = Place(killed).scratch("segmentation", 0).glob("*/")
    assert (folder / "checkpoint.pt").is_file()
    assert trained.segment(0, killed, **changes) == 0
    assert len(shots(Place(straight))) == 3
    assert shots(Place(killed)) == shots(Place(straight))
    found = [judged(Place(place).output("segmentation", 0))["logits"] for place in (killed, straight)]
    assert (found[0] == found[1]).all()
    assert not (folder / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("changes", "said_of"),
    [
        ({"model": "unett"}, "segmentation.model 'unett' is not known; did you mean 'unet'?"),
        ({"model": "tests.salt_train.nets:Gone"}, "segmentation.model 'tests.salt_train.nets:Gone' cannot be imported"),
        (
            {"model": "tests.salt_train.nets:Whole"},
            "segmentation.model tests.salt_train.nets:Whole gives (2,) for two images, where (2, 1, 128, 128) ",
        ),
        (
            {"model": "tests.salt_train.nets:Exploding"},
            "segmentation fold 0: the loss is nan in epoch 1; lower segmentation.lr",
        ),
        ({"model_args": {"depth": 3}}, "segmentation.model_args does not suit segmentation.model"),
        ({"cycle": 5}, "segmentation.cycle 5 is longer than the training's 2 epochs; set it at most so"),
        ({"leraning": 5}, "segmentation.leraning is not a setting"),
    ],
)
def test_wrong_settings_are_one_sentence(
    trained: Place, tmp_path: Path, said: Said, changes: dict[str, Any], said_of: str
) -> None:
    assert trained.segment(0, tmp_path, **{"images": "all"} | changes) == 1
    assert said().startswith(said_of)
    assert not Place(tmp_path).output("segmentation", 0).exists()


def test_a_fold_that_is_not_there_is_one_sentence(trained: Place, tmp_path: Path, said: Said) -> None:
    assert trained.classify(2, tmp_path) == 1
    assert said() == f"--fold 2 is none of the 2 folds of {trained.packed}; they are 0 to 1"
    assert trained.classify(-1, tmp_path) == 1
    assert said().startswith("--fold -1 is none of the 2 folds")


def test_depths_that_are_not_there_are_one_sentence(tmp_path: Path, said: Said) -> None:
    place = Place(tmp_path)
    assert pack_images(draw(tmp_path, [None] * 4, [0, 0.2, 0, 0.3]), place.packed) == 0
    assert place.classify(inputs={"channels": 2, "depth": True}) == 1
    assert said() == f"inputs.depth is on, and no image of {place.packed} has a depth; set it to false"
    assert place.classify(inputs={"depth": True}) == 1
    assert said() == "inputs.channels 1 are too few for an image and its depth; set 2 or more"


def test_what_is_kept_must_be_told(trained: Place, tmp_path: Path, said: Said) -> None:
    assert segment.main(trained.words("segmentation", PIXELS, 0, tmp_path)) == 1
    assert said() == "--oof is missing, which tells the images that are kept; give what classified wrote"
    assert segment.main(trained.words("segmentation", PIXELS | {"images": "all"}, 0, tmp_path)) == 0


def test_a_classifier_that_keeps_nothing_is_one_sentence(trained: Place, tmp_path: Path, said: Said) -> None:
    lines = trained.oof.read_text().splitlines()
    place = Place(tmp_path)
    place.packed.symlink_to(trained.packed)
    place.oof.write_text("\n".join([lines[0], *(line[:-1] + "0" for line in lines[1:])]) + "\n")
    assert place.segment(images="kept") == 1
    assert said() == (
        "the classifier keeps no image that segmentation fold 0 could learn from; set segmentation.images to all"
    )
