"""The predict container's program: one image in, two numbers out, one sentence where that cannot be."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from containers.kit.errors import UserError
from containers.stoic import predict
from containers.stoic.job import Job

COVID, SEVERE = "probability-covid-19.json", "probability-severe-covid-19.json"


@pytest.fixture
def place(trained: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLIPWAY_INPUT", str(tmp_path / "input"))
    monkeypatch.setenv("SLIPWAY_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("SLIPWAY_ARTIFACT", str(trained.artifact))
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(tmp_path / "settings.json"))
    (tmp_path / "output").mkdir()
    (tmp_path / "input/images/ct").mkdir(parents=True)
    return tmp_path


def write(place: Path, name: str = "scan.mha", value: int = -300, dtype: Any = np.int16) -> Path:
    voxels = (np.random.default_rng(1).integers(-50, 50, (20, 20, 20)) + value).astype(dtype)
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing((1.6, 1.6, 1.6))
    path = place / "input/images/ct" / name
    sitk.WriteImage(image, str(path), True)
    return path


def answers(place: Path) -> tuple[float, float]:
    texts = [(place / "output" / name).read_text() for name in (COVID, SEVERE)]
    values = [json.loads(text) for text in texts]
    assert all(type(value) is float for value in values), "a bare number"
    return values[0], values[1]


def test_two_bare_numbers_that_tell_cases_apart(place: Path) -> None:
    found = []
    for value in (-950, -200):  # as dark as negatives in training, and as bright as severe cases
        write(place, value=value)
        assert predict.main([]) == 0
        found.append(answers(place))
    assert {path.name for path in (place / "output").iterdir()} == {COVID, SEVERE}
    assert all(0 <= number <= 1 for pair in found for number in pair)
    assert found[1][0] > found[0][0] + 0.1
    assert found[1][1] > found[0][1] + 0.1


def test_same_input_same_bytes(place: Path) -> None:
    write(place)
    texts = []
    for _ in range(2):
        assert predict.main([]) == 0
        texts.append([(place / "output" / name).read_bytes() for name in (COVID, SEVERE)])
    assert texts[0] == texts[1]


def test_it_is_the_mean_of_folds_and_mirror_images(place: Path, trained: Job) -> None:
    from containers.stoic.artifact import load_weights, read_recipe
    from containers.stoic.preprocess import prepare

    path = write(place)
    recipe = read_recipe(trained.artifact)
    image = torch.from_numpy(prepare(path, recipe.preprocess)[0]).float()[None, None]
    expected = {True: [], False: []}  # type: dict[bool, list[torch.Tensor]]
    for fold in recipe.weights:
        model = recipe.network().eval()
        load_weights(model, trained.artifact / fold.file)
        with torch.no_grad():
            one, other = (model(view, torch.zeros(1, 2)).double().sigmoid()[0] for view in (image, image.flip(4)))
        expected[True] += [one, other]
        expected[False] += [one]
    for flip, values in expected.items():
        (place / "settings.json").write_text(json.dumps({"predict": {"flip": flip}}))
        assert predict.main([]) == 0
        assert answers(place) == pytest.approx(torch.stack(values).mean(dim=0).tolist(), abs=1e-6)
    assert not torch.allclose(expected[True][0], expected[True][1], atol=1e-7)


@pytest.mark.parametrize("name", ["scan.mha", "scan.MHA", "scan.Mhd"])
def test_the_suffix_may_be_written_in_any_case(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("")
    (tmp_path / "scan.ZRAW").write_text("")
    assert predict.find_image(tmp_path).name == name


def test_mhd_with_its_data_counts_as_one(place: Path) -> None:
    path = write(place)
    assert predict.main([]) == 0
    first = answers(place)
    path.unlink()
    (place / "input/images/ct/.DS_Store").write_text("hidden")
    write(place, "scan.mhd")
    assert sorted(path.suffix for path in (place / "input/images/ct").iterdir()) == ["", ".mhd", ".zraw"]
    assert predict.main([]) == 0
    assert answers(place) == first


def test_bytes_are_a_pixel_type_too(place: Path) -> None:
    write(place, value=200, dtype=np.uint8)
    assert predict.main([]) == 0
    assert 0 <= answers(place)[0] <= 1


def none(folder: Path) -> None:
    (folder / "readme.txt").write_text("")


def several(folder: Path) -> None:
    for name in ("a.mha", "b.mhd"):
        (folder / name).write_text("")


def broken(folder: Path) -> None:
    (folder / "scan.mha").write_text("not an image")


@pytest.mark.parametrize(
    ("fill", "said"),
    [
        (none, "has no image: there are readme.txt; give one .mha, or one .mhd with its data file"),
        (several, "has 2 images (a.mha, b.mhd); give exactly one"),
        (broken, "scan.mha"),
        (
            lambda folder: folder.rmdir(),
            "cannot be read (No such file or directory); one .mha or .mhd image belongs",
        ),
    ],
)
def test_anything_else_is_one_sentence_and_no_output(
    fill: Callable[[Path], None], said: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(place / "input/images/ct")
    assert predict.main([]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert said in captured.err
    assert list((place / "output").iterdir()) == []


def test_a_number_that_is_no_probability_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the model says nan for severe, which is no probability"):
        predict.write({"covid": 0.5, "severe": float("nan")}, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_cpu_answers_where_the_gpus_memory_ends(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place)
    assert predict.main([]) == 0
    expected = answers(place)
    devices = []
    real = predict.average

    def average(*args: Any) -> list[float]:
        devices.append(args[-1].type)
        if args[-1].type == "cuda":
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return real(*args)

    monkeypatch.setattr(predict, "average", average)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    assert predict.main([]) == 0
    assert devices == ["cuda", "cpu"]
    assert answers(place) == expected
    assert "the GPU failed (CUDA out of memory); using the CPU" in capsys.readouterr().err


def test_a_wrong_folder_is_told_before_torch_is_imported() -> None:
    code = "import sys, containers.stoic.predict as p; p.main([]); print([m for m in sys.modules if m in HEAVY])"
    heavy = ("torch", "numpy", "monai", "sklearn", "pandas", "tensorboard", "SimpleITK")
    done = subprocess.run(
        [sys.executable, "-c", f"HEAVY = {heavy}; {code}"],
        env={"SLIPWAY_INPUT": "/nonexistent"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
    assert done.stderr.startswith("error: /nonexistent/images/ct cannot be read")


def test_prediction_needs_none_of_the_trainings_packages(place: Path) -> None:
    write(place)
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['sklearn', 'pandas', 'tensorboard', 'monai']))\n"
        "from containers.stoic.predict import main; raise SystemExit(main([]))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 <= answers(place)[0] <= 1
