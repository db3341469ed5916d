"""From trained folds to the model folder: validation by the container's own predictor, the card, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from containers.amos import model
from containers.amos.organs import ORGANS
from containers.kit.errors import UserError
from containers.kit.files import sha256
from tests.amos_train.conftest import Place
from workflow.scripts.amos import artifact, bundle, validate


def validate_words(place: Place, fold: int, output: Path) -> list[str]:
    return [
        f"--trained={place.folder}/trained/fold_{fold}",
        f"--plan-folder={place.plan}",
        f"--manifest={place.manifest}",
        '--predict={"mirror": false}',
        '--metric={"tolerance": 2.0}',
        f"--scratch={place.folder / 'scratch'}",
        f"--output={output}",
        "--workers=1",
    ]


def artifact_words(place: Place, output: Path, folds: tuple[int, ...] = (1, 0)) -> list[str]:
    return [
        f"--plan-folder={place.plan}",
        "--task=2",
        "--trained",
        *[f"{place.folder}/trained/fold_{fold}" for fold in folds],
        "--validated",
        *[f"{place.folder}/validated_{fold}.json" for fold in folds],
        f"--output={output}",
    ]


@pytest.fixture(scope="session")
def validated(trained: Place) -> Place:
    for fold in (0, 1):
        assert validate.main(validate_words(trained, fold, trained.folder / f"validated_{fold}.json")) == 0
    return trained


@pytest.fixture
def copy(validated: Place, tmp_path: Path) -> Place:
    """To change; without the scratch, which is large."""
    place = Place(tmp_path / "copy")
    for name in ("plan", "trained"):
        shutil.copytree(validated.folder / name, place.folder / name)
    for fold in (0, 1):
        shutil.copy(validated.folder / f"validated_{fold}.json", place.folder)
    return place


def label_map(place: Place, fold: int, case: str) -> Path:
    [path] = [
        path
        for path in place.folder.glob(f"scratch/predictions/*/{case}.nii.gz")
        if case in [one["id"] for one in place.read(f"validated_{fold}.json")["cases"]]
    ]
    return path


def voxels(path: Path) -> Any:
    image: Any = nibabel.load(path)
    return np.asanyarray(image.dataobj)


def test_validation_measures_the_folds_own_cases(validated: Place) -> None:
    splits = validated.read("plan/splits_final.json")
    for fold in (0, 1):
        content = validated.read(f"validated_{fold}.json")
        assert [case["id"] for case in content["cases"]] == splits[fold]["val"]
        assert content["weights"] == validated.read(f"trained/fold_{fold}/fold.json")["sha256"]
        for case in content["cases"]:
            assert case["voxel_mm3"] == pytest.approx(3.0 * 1.5 * 1.2)
            found = voxels(label_map(validated, fold, case["id"]))
            truth = voxels(validated.folder / f"amos22/labelsTr/{case['id']}.nii.gz")
            for organ in ORGANS:
                row = case["organs"][str(organ)]
                there, predicted = truth == organ, found == organ
                assert row["truth"] == there.sum()
                assert sum(voxels * count for voxels, count, _ in row["parts"]) == predicted.sum()
                assert sum(right for _, _, right in row["parts"]) == (there & predicted).sum()
                both = int(there.sum() + predicted.sum())
                expected = None if both == 0 else pytest.approx(2 * int((there & predicted).sum()) / both)
                assert row["dsc"] == expected


def test_label_maps_are_made_once(validated: Place, tmp_path: Path) -> None:
    case = validated.read("validated_0.json")["cases"][0]["id"]
    made = label_map(validated, 0, case)
    before = made.stat().st_mtime_ns
    assert validate.main(validate_words(validated, 0, tmp_path / "again.json")) == 0
    assert made.stat().st_mtime_ns == before
    assert (tmp_path / "again.json").read_bytes() == (validated.folder / "validated_0.json").read_bytes()


def test_the_model_folder(validated: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "artifact"
    output.mkdir()
    (output / "old").write_text("goes")
    assert artifact.main(artifact_words(validated, output)) == 0
    assert "2 folds, verified" in capsys.readouterr().out
    names = {"plans.json", "dataset.json", "dataset_fingerprint.json", "model.json", "card.json", "card.md"}
    assert {path.name for path in output.iterdir()} == names | {"fold_0.safetensors", "fold_1.safetensors"}
    description = json.loads((output / "model.json").read_text())
    assert description["task"] == 2
    assert description["configuration"] == "3d_fullres"
    assert description["mirror_axes"] is None
    assert [fold["fold"] for fold in description["folds"]] == [0, 1]
    assert set(description["min_volume_mm3"]) == {str(organ) for organ in ORGANS}
    for name in ("plans.json", "dataset_fingerprint.json"):
        assert (output / name).read_bytes() == (validated.plan / name).read_bytes()
    assert "/" not in (output / "dataset.json").read_text().replace("prostate/uterus", "")
    assert len(model.load(output).folds) == 2


def test_the_card(validated: Place, tmp_path: Path) -> None:
    assert artifact.main(artifact_words(validated, tmp_path / "artifact")) == 0
    card = json.loads((tmp_path / "artifact/card.json").read_text())
    assert card["data"] == {"fingerprint": "f00d", "cases": 7, "holdout": 1, "ct": 5, "mr": 2}
    assert [(row["fold"], row["epoch"]) for row in card["history"]] == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert [row["cases"] for row in card["folds"]] == [3, 3]
    cases = [case for fold in (0, 1) for case in validated.read(f"validated_{fold}.json")["cases"]]
    for organ, name in ((1, "spleen"), (6, "liver")):
        own = [case["organs"][str(organ)]["dsc"] for case in cases]
        assert card["metrics"]["out_of_fold_dsc"][name]["dsc"] == pytest.approx(np.mean(own))
        assert card["metrics"]["out_of_fold_dsc"][name]["cases"] == 6
    assert "not the organisers' word" in card["metrics"]["out_of_fold_nsd"]["spleen"]["note"]
    assert any("2 mm, is a setting of Slipway" in note for note in card["notes"])
    assert card["config"]["planned"]["patch"] == [16, 32, 32]
    text = (tmp_path / "artifact/card.md").read_text()
    assert "7 cases (5 CT, 2 MR), 1 of them kept from all training" in text
    assert "| spleen |" in text


def test_changed_weights_are_refused(copy: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = copy.folder / "trained/fold_0/fold_0.safetensors"
    weights = load_file(path)
    first = sorted(weights)[0]
    save_file(weights | {first: weights[first] + 1}, path)
    assert artifact.main(artifact_words(copy, tmp_path / "artifact")) == 1
    assert "its SHA-256 differs" in capsys.readouterr().err
    assert not (tmp_path / "artifact").exists()


def test_weights_that_are_no_numbers_are_refused(validated: Place, tmp_path: Path) -> None:
    folder = tmp_path / "artifact"
    bundle.assemble(folder, validated.plan, [validated.folder / "trained/fold_0"], dict.fromkeys(ORGANS, 0.0))
    path = folder / "fold_0.safetensors"
    weights = load_file(path)
    first = sorted(weights)[0]
    save_file(weights | {first: weights[first] * float("nan")}, path)
    description = json.loads((folder / "model.json").read_text())
    description["folds"][0]["sha256"] = sha256(path)
    (folder / "model.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match="not finite"):
        bundle.verify(folder)


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("trained/fold_1/fold.json", {"plan": "other"}, "was trained by another plan"),
        ("trained/fold_1/fold.json", {"mirror_axes": [0]}, "differ in train.mirror"),
        ("validated_1.json", {"weights": "other"}, "is of other weights than those of fold 1"),
        ("validated_1.json", {"fold": 7}, "--validated has nothing of fold 1"),
        ("plan/plan.json", {"task": 1}, "was planned for task 1"),
    ],
)
def test_what_does_not_belong_together(
    copy: Place, tmp_path: Path, file: str, values: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy.folder / file, **values)
    assert artifact.main(artifact_words(copy, tmp_path / "artifact")) == 1
    assert said in capsys.readouterr().err
