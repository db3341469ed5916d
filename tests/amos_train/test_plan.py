"""Planning: what the presets and the overrides come to, what nnU-Net is given, and which cases are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from containers.amos.organs import LABELS
from containers.kit.errors import UserError
from tests.amos_train.conftest import Place
from tests.amos_train.synthetic import PLAN, SHAPE, make, save
from workflow.scripts.amos import nnunet, plan, samples


@pytest.fixture
def place(tmp_path: Path) -> Place:
    make(tmp_path)
    return Place(tmp_path)


def planned_for(place: Place, configuration: str = "3d_fullres") -> Any:
    return place.read("plan/plans.json")["configurations"][configuration]


def test_nnunet_is_told_where_the_images_lie(planned: Place) -> None:
    described = planned.read("plan/dataset.json")
    assert described["labels"] == LABELS
    assert described["channel_names"] == {"0": "CT or MR"}
    assert described["numTraining"] == 6
    assert described["overwrite_image_reader_writer"] == "NibabelIOWithReorient"
    root = planned.folder / "amos22"
    assert described["dataset"]["amos_0507"] == {
        "images": [f"{root}/imagesTr/amos_0507.nii.gz"],
        "label": f"{root}/labelsTr/amos_0507.nii.gz",
    }
    assert "amos_0008" not in described["dataset"], "the organisers' validation cases stay unseen"
    copies = [path for path in (planned.folder / "scratch").rglob("*.nii.gz") if "predictions" not in path.parts]
    assert copies == []


def test_overrides(planned: Place) -> None:
    chosen = planned.read("plan/plans.json")["configurations"]["3d_fullres"]
    assert chosen["patch_size"] == [16, 32, 32]
    assert chosen["batch_size"] == 2
    kwargs = chosen["architecture"]["arch_kwargs"]
    assert kwargs["features_per_stage"] == [4, 8, 16, 32]
    assert kwargs["strides"] == [[1, 1, 1], [1, 2, 2], [2, 2, 2], [2, 2, 2]]
    assert kwargs["kernel_sizes"][0] == [1, 3, 3], "3 mm slices are coarse beside 1.2 mm voxels"
    assert chosen["normalization_schemes"] == ["ZScoreNormalization"]
    assert chosen["spacing"] == pytest.approx([3.0, 1.5, 1.2])
    record = planned.read("plan/plan.json")
    assert record["notes"] == []
    assert record["holdout"] == {"CT": 1}
    assert len(planned.read("plan/splits_final.json")) == 2


def test_the_fingerprint_is_nnunets_own(planned: Place, tmp_path: Path) -> None:
    from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor

    nnunet.workspace(tmp_path)
    raw = tmp_path / "raw" / nnunet.DATASETS[2]
    raw.mkdir(parents=True)
    (raw / "dataset.json").write_bytes((planned.plan / "dataset.json").read_bytes())
    extractor = DatasetFingerprintExtractor(nnunet.DATASETS[2], num_processes=1)
    extractor.num_foreground_voxels_for_intensitystats = 600_000
    theirs = json.loads(json.dumps(extractor.run()))
    ours = planned.read("plan/dataset_fingerprint.json")
    assert ours["spacings"] == theirs["spacings"]
    assert ours["shapes_after_crop"] == theirs["shapes_after_crop"]
    assert ours["median_relative_size_after_cropping"] == theirs["median_relative_size_after_cropping"]
    one, other = (given["foreground_intensity_properties_per_channel"]["0"] for given in (ours, theirs))
    assert one.keys() == other.keys()
    for name in ("mean", "std", "median", "percentile_00_5", "percentile_99_5"):
        assert one[name] == pytest.approx(other[name], rel=0.01, abs=1.5), name


def test_task_1_is_ct_in_hounsfield_units(place: Place) -> None:
    content = place.read("manifest.json")
    content |= {"task": 1, "cases": [case for case in content["cases"] if case["modality"] == "CT"]}
    place.manifest.write_text(json.dumps(content))
    assert plan.main(place.plan_words(task=1, validation="train")) == 0
    assert place.read("plan/dataset.json")["channel_names"] == {"0": "CT"}
    assert planned_for(place)["normalization_schemes"] == ["CTNormalization"]
    assert set(place.read("plan/plan.json")["modalities"]) == {f"amos_000{n}" for n in (1, 2, 3, 4, 8)}
    assert place.read("plan/plan.json")["holdout"] == {}


@pytest.mark.parametrize(
    ("planner", "network", "encoder"),
    [("default", "PlainConvUNet", "n_conv_per_stage"), ("resenc_l", "ResidualEncoderUNet", "n_blocks_per_stage")],
)
def test_what_is_not_told_is_left_to_nnunet(
    planned: Place, tmp_path: Path, planner: str, network: str, encoder: str
) -> None:
    place = Place(tmp_path)
    place.manifest.symlink_to(planned.manifest)
    assert plan.main(place.plan_words(told={"planner": planner})) == 0
    chosen = planned_for(place)
    architecture = chosen["architecture"]
    assert architecture["network_class_name"].endswith(f".{network}")
    assert chosen["patch_size"] == [24, 40, 40], "the whole of so small an image"
    assert architecture["arch_kwargs"]["features_per_stage"][0] == 32
    stages = architecture["arch_kwargs"]["n_stages"]
    assert architecture["arch_kwargs"][encoder] == {"default": [2] * stages, "resenc_l": [1, 3, 4, 6][:stages]}[planner]
    assert chosen["batch_size"] == {"default": 2, "resenc_l": 6}[planner]


def test_a_told_patch_keeps_the_preset_and_its_batch_follows(planned: Place, tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.manifest.symlink_to(planned.manifest)
    told = {"planner": "resenc_m", "patch": [15, 32, 32], "features": 6}
    assert plan.main(place.plan_words(told=told)) == 0
    chosen = planned_for(place)
    kwargs = chosen["architecture"]["arch_kwargs"]
    assert chosen["patch_size"] == [16, 32, 32]
    assert place.read("plan/plan.json")["notes"] == [
        "plan.patch 15 x 32 x 32 became 16 x 32 x 32, which halves evenly at every stage"
    ]
    assert kwargs["n_blocks_per_stage"] == [1, 3, 4, 6]
    assert kwargs["features_per_stage"] == [6, 12, 24, 48]
    assert chosen["batch_size"] > 2, "as many as the planned memory takes and the data are worth"


def test_features_stop_growing() -> None:
    from workflow.scripts.amos import planner

    assert planner.GROWTH * 32 == 320, "as nnU-Net's own"


def test_a_configuration_that_nnunet_does_not_plan(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan.main(place.plan_words(told={"configuration": "3d_lowres"})) == 1
    assert "plan.configuration is 3d_lowres, which nnU-Net does not plan for these data" in capsys.readouterr().err
    assert not place.plan.exists()


def test_the_coarse_configuration_can_be_told_too(tmp_path: Path) -> None:
    place = Place(tmp_path)
    make(tmp_path, ct=2, mr=2, validation=0)
    for label in sorted(tmp_path.rglob("*.nii.gz")):
        image: Any = nibabel.load(label)
        big = np.kron(np.asanyarray(image.dataobj), np.ones((4, 4, 4), np.int16))
        nibabel.save(nibabel.Nifti1Image(big.astype(image.get_data_dtype()), image.affine), label)
    told = {"configuration": "3d_lowres", "patch": [16, 32, 32], "gpu_memory": 0.2, "batch": 2, "features": 8}
    assert plan.main(place.plan_words(told=told)) == 0
    coarse, fine = planned_for(place, "3d_lowres"), planned_for(place)
    assert coarse["patch_size"] == [16, 32, 32]
    assert fine["patch_size"] != [16, 32, 32]
    assert coarse["spacing"][1] > 2 * fine["spacing"][1]
    assert place.read("plan/plan.json")["configuration"] == "3d_lowres"


def test_a_patch_that_is_too_small(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan.main(place.plan_words(told=PLAN | {"patch": [8, 8, 8]})) == 1
    assert "plan.patch 8 x 8 x 8 is too small for a U-Net" in capsys.readouterr().err


def break_label(root: Path) -> str:
    labels = np.zeros(SHAPE, np.uint8)
    labels[0, 0, 0] = 16
    save(root / "labelsTr/amos_0003.nii.gz", labels, "LPS")
    return "labelsTr/amos_0003.nii.gz has the label 16; labels are whole numbers from 0 to 15"


def break_fraction(root: Path) -> str:
    labels = np.zeros(SHAPE, np.float32)
    labels[0, 0, 0] = 1.5
    save(root / "labelsTr/amos_0003.nii.gz", labels, "LPS")
    return "labelsTr/amos_0003.nii.gz has the label 1.5;"


def break_shape(root: Path) -> str:
    save(root / "labelsTr/amos_0003.nii.gz", np.zeros((24, 40, 39), np.uint8), "LPS")
    return "labelsTr/amos_0003.nii.gz has 39 x 40 x 24 voxels but its image 40 x 40 x 24"


def break_affine(root: Path) -> str:
    save(root / "labelsTr/amos_0003.nii.gz", np.zeros(SHAPE, np.uint8), "RAS")
    return "labelsTr/amos_0003.nii.gz lies up to"


def break_spacing(root: Path) -> str:
    save(root / "labelsTr/amos_0003.nii.gz", np.zeros(SHAPE, np.uint8), "LPS", (3.1, 1.5, 1.2))
    return "mm beside its image amos_0003.nii.gz; their affines must be equal"


def break_image(root: Path) -> str:
    path = root / "imagesTr/amos_0003.nii.gz"
    path.write_bytes(path.read_bytes()[:2000])
    return "imagesTr/amos_0003.nii.gz cannot be read ("


def break_voxels(root: Path) -> str:
    voxels = np.zeros(SHAPE, np.float32)
    voxels[3, 3, 3] = np.nan
    save(root / "imagesTr/amos_0003.nii.gz", voxels, "LPS")
    return "imagesTr/amos_0003.nii.gz holds values that are not numbers"


@pytest.mark.parametrize(
    "broken", [break_label, break_fraction, break_shape, break_affine, break_spacing, break_image, break_voxels]
)
def test_a_case_that_is_not_sound_is_named(place: Place, broken: Any, capsys: pytest.CaptureFixture[str]) -> None:
    said = broken(place.folder / "amos22")
    assert plan.main(place.plan_words()) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: ")
    assert said in last
    assert not place.plan.exists()


def test_the_data_are_looked_at_once(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan.main(place.plan_words()) == 0
    first = (place.plan / "dataset_fingerprint.json").read_bytes()
    capsys.readouterr()
    assert plan.main(place.plan_words(told=PLAN | {"features": 5})) == 0
    assert "examine" not in capsys.readouterr().err
    assert (place.plan / "dataset_fingerprint.json").read_bytes() == first


@pytest.mark.parametrize(
    ("task", "change", "said"),
    [
        (1, {}, "lists the cases of task 2, not of task 1"),
        (2, {"cases": []}, "has no training cases"),
    ],
)
def test_a_manifest_that_does_not_fit(
    place: Place, task: int, change: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place.manifest.write_text(json.dumps(place.read("manifest.json") | change))
    assert plan.main(place.plan_words(task=task)) == 1
    assert said in capsys.readouterr().err


def test_a_training_case_needs_its_label(place: Place) -> None:
    content = place.read("manifest.json")
    content["cases"][1]["label"] = None
    place.manifest.write_text(json.dumps(content))
    with pytest.raises(UserError, match="amos_0002 is a training case without a label"):
        samples.read(place.manifest, 2, "holdout")
