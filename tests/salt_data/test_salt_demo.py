"""The demo data: their form, that masks and tables agree, what is in them, and that a seed decides every byte."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import uniform_filter

from containers.salt.metric import of_all
from containers.salt.rle import decode, decode_all
from tests.salt_data.conftest import TEST, TRAIN, Fetched, error, fetch_demo, table
from workflow.scripts.salt.demo_images import EMPTY, FULL, feet, share
from workflow.scripts.salt.seismic import draw

TEST_IMAGES = "test/images"


def digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def truths(fetched: Fetched) -> NDArray[np.bool_]:
    lines = table(fetched.root / "train.csv")[1:]
    return decode_all([text for _, text in lines], [name for name, _ in lines])


def greys(fetched: Fetched) -> NDArray[np.float64]:
    paths = [fetched.root / "train/images" / f"{name}.png" for name, _ in table(fetched.root / "train.csv")[1:]]
    return np.stack([np.asarray(Image.open(path), np.float64)[..., 0] for path in paths])


def test_every_image_has_the_form_of_the_competitions(fetched: Fetched) -> None:
    for part, count in (("train", TRAIN), ("test", TEST)):
        paths = sorted((fetched.root / part / "images").iterdir())
        assert len(paths) == count
        for path in paths:
            assert re.fullmatch(r"[0-9a-f]{10}\.png", path.name)
            with Image.open(path) as image:
                assert (image.format, image.size, image.mode) == ("PNG", (101, 101), "RGB")
                pixels = np.asarray(image)
            assert (pixels == pixels[..., :1]).all()
            assert pixels.std() > 8


def test_masks_have_sixteen_bits_and_are_what_train_csv_says(fetched: Fetched) -> None:
    lines = table(fetched.root / "train.csv")
    assert lines[0] == ["id", "rle_mask"]
    assert {name for name, _ in lines[1:]} == {path.stem for path in (fetched.root / "train/masks").iterdir()}
    assert len(lines) == TRAIN + 1
    for name, text in lines[1:]:
        with Image.open(fetched.root / "train/masks" / f"{name}.png") as image:
            assert (image.format, image.size, image.mode) == ("PNG", (101, 101), "I;16")
            pixels = np.asarray(image)
        assert set(np.unique(pixels).tolist()) <= {0, 65535}
        assert ((pixels == 65535) == decode(text, name)).all()
        assert bool(text) == bool(pixels.any())


def test_the_other_tables_name_every_image(fetched: Fetched) -> None:
    train, test = ({path.stem for path in (fetched.root / part).iterdir()} for part in ("train/images", "test/images"))
    assert not train & test
    sample = table(fetched.root / "sample_submission.csv")
    assert sample[0] == ["id", "rle_mask"]
    assert {name for name, _ in sample[1:]} == test
    assert {text for _, text in sample[1:]} == {"1 1"}
    depths = table(fetched.root / "depths.csv")
    assert depths[0] == ["id", "z"]
    assert {name for name, _ in depths[1:]} == train | test
    assert len(depths) == TRAIN + TEST + 1
    assert all(50 <= int(z) <= 959 for _, z in depths[1:])


def test_the_truth_of_the_test_lies_outside_the_competitions_folder(fetched: Fetched) -> None:
    truth = table(fetched.root.parent / "truth.csv")
    assert truth[0] == ["id", "rle_mask"]
    assert {name for name, _ in truth[1:]} == {path.stem for path in (fetched.root / "test/images").iterdir()}
    salt = decode_all([text for _, text in truth[1:]], [name for name, _ in truth[1:]]).mean(axis=(1, 2))
    assert 0.25 <= np.mean(salt == 0) <= 0.5
    assert not list(fetched.root.rglob("truth*"))
    assert not (fetched.root / "test/masks").exists()
    assert sorted(path.name for path in fetched.root.iterdir()) == [
        *("depths.csv", "sample_submission.csv", "test", "train", "train.csv")
    ]


def test_the_manifest_tells_what_is_there(fetched: Fetched) -> None:
    content = fetched.content
    assert (content["schema"], content["source"]) == (1, "demo")
    texts = dict(table(fetched.root / "train.csv")[1:])
    depths = dict(table(fetched.root / "depths.csv")[1:])
    assert [entry["id"] for entry in content["train"]] == sorted(texts)
    for entry in content["train"]:
        name = entry["id"]
        assert set(entry) == {"id", "image", "mask", "rle", "z", "coverage"}
        assert (entry["rle"] or "", entry["z"]) == (texts[name], int(depths[name]))
        assert (entry["image"], entry["mask"]) == (f"train/images/{name}.png", f"train/masks/{name}.png")
        assert entry["coverage"] == decode(texts[name], name).sum() / 10201
        assert (entry["rle"] is None) == (entry["coverage"] == 0)
    assert [entry["id"] for entry in content["test"]] == sorted(
        path.stem for path in (fetched.root / TEST_IMAGES).iterdir()
    )
    for entry in content["test"]:
        name = entry["id"]
        assert entry == {"id": name, "image": f"{TEST_IMAGES}/{name}.png", "z": int(depths[name])}


@pytest.mark.parametrize("count", [60, 100, 400])
def test_shares_of_salt_are_spread_as_in_the_competition(count: int) -> None:
    shares = np.array([share(index) for index in range(count)])
    assert abs(np.mean(shares == 0) - EMPTY) < 0.02
    assert 0 < np.mean(shares == 1) < 2 * FULL
    some = shares[(shares > 0) & (shares < 1)]
    tenths = np.histogram(some, 10, (0, 1))[0]
    assert tenths.min() >= 1
    assert tenths[0] > 1.5 * tenths[1:].max()
    assert 0.02 <= some.min() <= some.max() <= 0.97


@pytest.mark.parametrize("wanted", [0.0, 0.01, 0.3, 0.97, 1.0])
def test_an_image_has_the_share_of_salt_that_was_asked_for(wanted: float) -> None:
    for index in range(6):
        picture = draw(np.random.default_rng([7, index]), wanted)
        assert picture.salt.shape == picture.grey.shape == (101, 101)
        assert picture.salt.mean() == pytest.approx(wanted, abs=2e-4)


def test_there_is_more_salt_farther_down() -> None:
    random = np.random.default_rng(3)
    bare, full = np.zeros((101, 101), bool), np.ones((101, 101), bool)
    mean: Any = [np.mean([feet(random, salt) for _ in range(400)]) for salt in (bare, full)]
    assert 80 < mean[1] - mean[0] < 260


def test_salt_is_not_told_by_brightness_or_roughness_alone(fetched: Fetched) -> None:
    truth, pixels = truths(fetched), greys(fetched)
    for size in (5, 15, 25):
        mean = uniform_filter(pixels, (0, size, size))
        rough = uniform_filter(pixels**2, (0, size, size)) - mean**2
        for feature in (mean, rough):
            for level in np.percentile(feature, range(5, 100, 10)):
                assert of_all(truth, feature > level).mean() < 0.5
                assert of_all(truth, feature < level).mean() < 0.5


def test_salt_is_chaotic_and_layers_are_not(fetched: Fetched) -> None:
    """Where layers lie, neighbours along a row are more alike than in salt."""
    truth, pixels = truths(fetched), greys(fetched)
    change = np.diff(pixels, axis=2) ** 2
    spread = pixels.var(axis=(1, 2))[:, None, None]
    inside = truth[..., 1:] & truth[..., :-1]
    assert (change / spread)[inside].mean() > 1.5 * (change / spread)[~inside].mean()


def test_a_seed_decides_every_byte(fetched: Fetched, tmp_path: Path) -> None:
    same = fetch_demo(tmp_path / "same", train=TRAIN, test=TEST, seed=2018)
    assert digests(same.root.parent) == digests(fetched.root.parent)
    assert same.content["fingerprint"] == fetched.content["fingerprint"]
    other = fetch_demo(tmp_path / "other", train=TRAIN, test=TEST, seed=7)
    assert other.content["fingerprint"] != fetched.content["fingerprint"]
    images = [{name: digest for name, digest in digests(one.root).items() if "images" in name} for one in (other, same)]
    assert not set(images[0]) & set(images[1])
    assert not set(images[0].values()) & set(images[1].values())


def test_two_processes_make_the_same_as_one(fetched: Fetched, tmp_path: Path) -> None:
    made = fetch_demo(tmp_path, workers=2, train=TRAIN, test=TEST)
    assert digests(made.root.parent) == digests(fetched.root.parent)


def test_more_images_are_the_same_and_others(fetched: Fetched, tmp_path: Path) -> None:
    fewer = digests(fetch_demo(tmp_path, train=3, test=2).root / "train/images")
    assert len(fewer) == 3
    assert fewer.items() < digests(fetched.root / "train/images").items()


def test_what_is_whole_is_not_made_again_and_what_is_not_is(tmp_path: Path) -> None:
    root = fetch_demo(tmp_path, train=2, test=1).root
    path = min((root / "train/images").iterdir())
    made, before = path.stat().st_mtime_ns, digests(root)
    fetch_demo(tmp_path, train=2, test=1)
    assert path.stat().st_mtime_ns == made
    path.unlink()
    fetch_demo(tmp_path, train=2, test=1)
    assert digests(root) == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"train": 0}, "demo.train must be at least 1"),
        ({"test": 0}, "demo.test must be at least 1"),
        ({"seed": -1}, "demo.seed must be at least 0"),
        ({"trian": 3}, "demo.trian is not a setting; did you mean 'train'?"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    settings: dict[str, int], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert error(tmp_path, "demo", capsys, **settings) == said
    assert not list(tmp_path.iterdir())
