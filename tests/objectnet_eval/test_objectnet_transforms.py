"""Photos as the network sees them: torchvision's Resize, CenterCrop, ToTensor and Normalize, computed by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from containers.objectnet.model import data_transform_description
from containers.objectnet.objectnet_eval import main
from containers.objectnet.settings import Transform
from containers.objectnet.transforms import Pipeline
from tests.objectnet_eval import parts

Capture = pytest.CaptureFixture[str]
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def by_hand(photo: Image.Image, transform: Transform) -> Any:
    """One step of torchvision's after the other."""
    side = round(transform.size / transform.crop)
    width, height = photo.size
    if transform.resize == "squash":
        wide, high = side, side
    else:
        short, long = min(width, height), max(width, height)
        wide, high = (side, int(side * long / short)) if width <= height else (int(side * long / short), side)
    resized = photo.resize((wide, high), FILTERS[transform.interpolation])
    top, left = int(round((high - transform.size) / 2.0)), int(round((wide - transform.size) / 2.0))  # noqa: RUF046
    pixels = np.array(resized)[top : top + transform.size, left : left + transform.size]
    scaled = torch.from_numpy(pixels).permute(2, 0, 1).to(torch.float32).div(255)
    mean, std = (torch.tensor(values, dtype=torch.float32)[:, None, None] for values in (transform.mean, transform.std))
    return scaled.sub(mean).div(std).numpy()


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    size=st.integers(1, 80),
    crop=st.sampled_from([1.0, 0.875, 0.9, 0.95]),
    resize=st.sampled_from(["shorter", "squash"]),
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
)
def test_as_torchvision_defines_it(
    width: int, height: int, size: int, crop: float, resize: Any, interpolation: Any
) -> None:
    transform = Transform(size, crop, resize, interpolation, mean=(0.5, 0.25, 0.1), std=(0.5, 0.3, 0.2))
    drawn = np.random.default_rng(width * height).integers(0, 256, (height, width, 3), np.uint8)
    photo = Image.fromarray(drawn)
    got = Pipeline(transform)(photo)
    assert got.dtype == np.float32
    assert got.shape == (3, size, size)
    np.testing.assert_array_equal(got, by_hand(photo, transform))


def test_the_template_is_the_default() -> None:
    transform = data_transform_description.data_transform().getTransform()
    photo = parts.noise(5, (480, 270))
    expected = by_hand(photo, Transform(224, 1.0, "shorter", "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    np.testing.assert_array_equal(transform(photo), expected)


def own(monkeypatch: pytest.MonkeyPatch, get: Any) -> None:
    monkeypatch.setattr(data_transform_description.data_transform, "getTransform", get)


def evaluated(folder: Path, photos: Path, weights: Path, *more: str) -> int:
    return main([str(photos), str(folder / "p.csv"), "Tiny", str(weights), *more])


def test_a_participants_own_is_what_counts(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that gives tensors, as torchvision's do, and one that gives the same for every photo."""
    assert evaluated(tmp_path, photos, weights) == 0
    plain = (tmp_path / "p.csv").read_bytes()
    (tmp_path / "p.csv").unlink()
    own(monkeypatch, lambda _: lambda photo: torch.from_numpy(Pipeline(Transform())(photo)))
    assert evaluated(tmp_path, photos, weights) == 0
    assert (tmp_path / "p.csv").read_bytes() == plain
    (tmp_path / "p.csv").unlink()
    own(monkeypatch, lambda _: lambda photo: torch.zeros(3, 224, 224) + photo.width)
    assert evaluated(tmp_path, photos, weights) == 0
    assert len({tuple(row) for row in parts.rows(tmp_path / "p.csv").values()}) == 1


def without_torch(_: Any) -> Any:
    raise ModuleNotFoundError("No module named 'torchvision'", name="torchvision")


def broken(_: Any) -> Any:
    raise ValueError("a\nb")


def fails(_: Any) -> Any:
    return lambda photo: photo.no_such_thing


def flat(_: Any) -> Any:
    return lambda photo: np.zeros(photo.width)


def uneven(_: Any) -> Any:
    return lambda photo: np.zeros((3, 224, 224 + int(np.asarray(photo)[0, 0, 0])))


@pytest.mark.parametrize(
    ("get", "sentence"),
    [
        (
            without_torch,
            r"\S+data_transform_description\.py needs torchvision, which this image has not; use a Pipeline.*",
        ),
        (broken, r"\S+data_transform_description\.py fails with ValueError: a b; correct it"),
        (lambda _: 5, r"getTransform\(\) of \S+data_transform_description\.py must return something to call, not 5"),
        (fails, r"the transform fails with AttributeError: .* \(\S+/000\.png\); correct it"),
        (flat, r"the transform gives 270 for \S+/000\.png; it must give 3 x height x width"),
        (uneven, r"the transform gives 3 x 224 x \d+ for \S+/001\.png and 3 x 224 x \d+ for \S+/000\.png; .*"),
    ],
)
def test_a_mistake_in_it_is_one_sentence(
    photos: Path,
    weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    get: Any,
    sentence: str,
) -> None:
    own(monkeypatch, get)
    assert evaluated(tmp_path, photos, weights) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(f"error: {sentence}", told), told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_a_size_that_the_network_does_not_take(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, backend: str
) -> None:
    own(monkeypatch, lambda _: Pipeline(Transform(size=120)))
    file = parts.checkpoint(tmp_path / "t.pth") if backend == "torch" else parts.onnx_file(tmp_path / "t.onnx")
    assert evaluated(tmp_path, photos, file) == 1
    what = "Tiny" if backend == "torch" else r"\S+/t\.onnx"
    told = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(rf"error: {what} fails on photos of 3 x 120 x 120 \(.*\); see the transform.*", told), told
