"""The salt competition's fingerprint: what it tells, and which images are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fingerprints.programs import change, counts, fetched, inspected, labels, measures, output, refused

TRAIN, TEST = 120, 30
TITLE = "How much of an image is salt"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's manifest, which no test changes."""
    folder = tmp_path_factory.mktemp("salt_fingerprint")
    return fetched("salt", "demo", folder, "--demo", json.dumps({"train": TRAIN, "test": TEST}))


@pytest.fixture
def manifest(made: Path, tmp_path: Path) -> Path:
    """One of a copy that a test may change."""
    path = tmp_path / "raw" / "manifest.json"
    path.parent.mkdir()
    root = Path(json.loads(made.read_text())["root"])
    shutil.copytree(root, tmp_path / "kaggle")
    shutil.copy(made, path)
    return change(path, root=str(tmp_path / "kaggle"), source="folder")


def root_of(manifest: Path) -> Path:
    return Path(json.loads(manifest.read_text())["root"])


def last(manifest: Path, part: str = "mask") -> Path:
    """A file of an image that has salt, and not one of the first, which fetch has looked at closely."""
    cases = json.loads(manifest.read_text())["train"]
    salty = [str(case[part]) for case in cases if 0 < case["coverage"] < 1]
    return root_of(manifest) / salty[-1]


def test_what_the_images_are(manifest: Path) -> None:
    content = inspected("salt", manifest)
    listed = json.loads(manifest.read_text())
    root = root_of(manifest)
    assert counts(content) == {"images with masks": (TRAIN, 4000), "images for the test": (TEST, 18_000)}
    shares = [float(np.mean(np.asarray(Image.open(root / case["mask"])) > 0)) for case in listed["train"]]
    assert labels(content) == {
        TITLE: {
            "no salt": sum(share == 0 for share in shares),
            "up to a quarter": sum(0 < share <= 0.25 for share in shares),
            "up to a half": sum(0.25 < share <= 0.5 for share in shares),
            "up to three quarters": sum(0.5 < share <= 0.75 for share in shares),
            "more": sum(0.75 < share < 1 for share in shares),
            "nothing but salt": sum(share == 1 for share in shares),
        }
    }
    found = measures(content)
    salty = [100 * share for share in shares if share]
    assert found["salt, where there is some"] == pytest.approx(
        (min(salty), np.median(salty), max(salty), len(salty)), rel=1e-5
    )
    everything = [*listed["train"], *listed["test"]]
    feet = [case["z"] for case in everything]
    assert found["depth"] == (min(feet), np.median(feet), max(feet), TRAIN + TEST)
    greys = [float(np.asarray(Image.open(root / case["image"]))[..., 0].mean()) for case in everything]
    assert found["mean grey level"] == pytest.approx((min(greys), np.median(greys), max(greys), 150), rel=1e-5)
    assert content["read"] == {"noun": "images", "of": 150, "read": 150, "whole": True}
    assert content["notes"] == []


def test_the_classes_of_the_demo_are_all_there(made: Path) -> None:
    assert all(labels(inspected("salt", made))[TITLE].values())


def test_a_sample_reads_a_part_of_each_kind(manifest: Path) -> None:
    content = inspected("salt", manifest, read=20)
    assert content["read"] == {"noun": "images", "of": 150, "read": 20, "whole": False}
    assert measures(content)["mean grey level"][3] == 20
    assert measures(content)["depth"][3] == 150
    first = output(manifest).read_bytes()
    inspected("salt", manifest, read=20)
    assert output(manifest).read_bytes() == first


def test_masks_of_8_bits_and_missing_depths_are_notes(manifest: Path) -> None:
    mask = last(manifest)
    pixels = np.asarray(Image.open(mask)) > 0
    Image.fromarray(pixels.astype(np.uint8) * 255).save(mask)
    listed = json.loads(manifest.read_text())
    test = [case | {"z": None} if not index else case for index, case in enumerate(listed["test"])]
    content = inspected("salt", change(manifest, test=test))
    assert content["notes"] == [
        f"1 of 150 images have no depth: {test[0]['id']}",
        f"1 of the masks that were read are not of 16 bits, which does no harm: {mask.name}",
    ]


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-60])


def _size(path: Path) -> None:
    Image.new("RGB", (100, 101)).save(path)


def _colour(path: Path) -> None:
    Image.new("RGB", (101, 101), (10, 20, 30)).save(path)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_cut, "cannot be read as images; download the data again"),
        (_size, "are not 101 x 101; take the images"),
        (_colour, "are not grey (their channels differ); take the images"),
    ],
)
def test_a_bad_image_is_named(
    spoil: Callable[[Path], None], told: str, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = last(manifest, "image")
    spoil(path)
    said = refused("salt", manifest, capsys)
    assert said.startswith(f"{root_of(manifest)} has 1 files that {told}")
    assert said.endswith(f"(train/images/{path.name})")


def test_a_mask_that_is_not_its_row_is_named(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = last(manifest)
    Image.fromarray(np.zeros((101, 101), np.uint16)).save(mask)
    said = refused("salt", manifest, capsys)
    assert said == (
        f"{root_of(manifest)} has 1 files that show other salt than the rle_mask of train.csv; "
        f"take both from one download (train/masks/{mask.name})"
    )


def test_a_competition_that_did_not_come_whole_is_refused(manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused("salt", change(manifest, source="remote"), capsys)
    assert "(images with masks: 120 and not 4,000, images for the test: 30 and not 18,000)" in said
