"""One network of a fold: what it leaves, what it learns from, and what it does when it is started again."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from containers.kit import cpus
from containers.kit.files import sha256
from containers.kit.settings import build
from containers.salt import networks
from containers.salt.infer import predict
from containers.salt.settings import Inputs
from tests.salt_train.commands import INPUTS, WHOLE, Place, draw, judged, pack_images, record
from tests.salt_train.conftest import Said
from workflow.scripts.salt import classify
from workflow.scripts.salt import packed as packing


def test_a_folder_says_all_that_comes_after_needs(trained: Place) -> None:
    folder, images = trained.output("segmentation", 1), packing.read(trained.packed)
    content = record(folder)
    assert {"schema": 1, "kind": "segmentation", "fold": 1, "trained": 12, "judged": 12}.items() <= content.items()
    assert content["inputs"] == {
        "channels": 1, "depth": False, "offset": 125.0, "scale": 60.0,
        "depth_mean": pytest.approx(images.mean), "depth_std": pytest.approx(images.std),
    }  # fmt: skip
    assert [shot["epoch"] for shot in content["snapshots"]] == [1, 2]
    assert [shot["file"] for shot in content["snapshots"]] == ["epoch_1.safetensors", "epoch_2.safetensors"]
    assert all(sha256(folder / shot["file"]) == shot["sha256"] for shot in content["snapshots"])
    assert {path.name for path in folder.iterdir()} == {
        "fold.json", "judged.npz", "epoch_1.safetensors", "epoch_2.safetensors",
    }  # fmt: skip
    assert [row["epoch"] for row in content["history"]] == [1, 2]
    assert set(content["history"][0]) == {"epoch", "train_loss", "val_loss", "ap", "lr", "seconds"}
    assert content["train"]["batch"] == 4
    assert content["versions"]["torch"] == torch.__version__
    found = judged(folder)
    assert (found["index"].tolist(), found["index"].dtype) == (images.judged(1).tolist(), np.int64)
    assert (found["logits"].shape, found["logits"].dtype) == ((12, 101, 101), np.float16)
    whole = judged(trained.output("classifier", 1))["logits"]
    assert (whole.shape, whole.dtype) == ((12,), np.float32)


@pytest.mark.parametrize("kind", ["classifier", "segmentation"])
def test_the_snapshots_give_what_was_judged(trained: Place, kind: str) -> None:
    folder, images = trained.output(kind, 0), packing.read(trained.packed)
    content, found = record(folder), judged(folder)
    make = networks.segmenter if kind == "segmentation" else networks.classifier
    models = []
    for shot in content["snapshots"]:
        model = make(content["model"], content["model_args"])
        model.load_state_dict(load_file(folder / shot["file"]))
        models.append(model.eval())
    inputs = build(Inputs, content["inputs"], "inputs")
    again = predict(models, images.images[found["index"]], None, inputs)
    assert found["logits"].astype(np.float32) == pytest.approx(again, abs=1e-5 if kind == "classifier" else 1e-2)


def test_scratch_has_metrics_and_events(trained: Place) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = record(trained.output("classifier", 0))["history"]
    with (trained.scratch("classifier", 0) / "metrics.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["epoch", "train_loss", "val_loss", "accuracy", "auc", "lr", "seconds"]
    assert [float(row["val_loss"]) for row in rows] == pytest.approx([row["val_loss"] for row in history])
    (board,) = (trained.folder / "learning/tensorboard").glob("classifier_fold_0-*")
    events = EventAccumulator(str(board))
    events.Reload()
    assert [event.step for event in events.Scalars("auc")] == [1, 2]
    assert [event.value for event in events.Scalars("val_loss")] == pytest.approx([row["val_loss"] for row in history])


def test_what_is_finished_is_not_trained_again(
    trained: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trained.segment(0, tmp_path, images="all") == 0
    first = record(Place(tmp_path).output("segmentation", 0))
    capsys.readouterr()
    assert trained.segment(0, tmp_path, images="all", snapshots=1, loaders=1, only_folds=[0]) == 0
    assert "segmentation fold 0 was finished before" in capsys.readouterr().out
    again = record(Place(tmp_path).output("segmentation", 0))
    assert again["history"] == first["history"]
    assert again["snapshots"] == first["snapshots"][1:], "those of one epoch fewer are asked, and none is made"
    (folder,) = Place(tmp_path).scratch("segmentation", 0).glob("*/")
    assert sorted(path.name for path in folder.iterdir()) == [
        "epoch_1.safetensors", "epoch_2.safetensors", "history.json",
    ]  # fmt: skip
    (folder / "epoch_2.safetensors").write_bytes(b"torn")
    assert trained.segment(0, tmp_path, images="all") == 0
    assert "epoch 2/2" in capsys.readouterr().out
    assert record(Place(tmp_path).output("segmentation", 0))["snapshots"] == first["snapshots"]


@pytest.mark.parametrize(
    "changes",
    [
        {"lr": 0.02},
        {"optimizer": "sgd"},
        {"lovasz_from": 0.0},
        {"augment": {"flip": False}},
        {"cycle": 2},
        {"inputs": {"offset": 100.0}},
        {"inputs": {"channels": 2, "depth": True}},
    ],
)
def test_other_settings_give_other_weights(trained: Place, tmp_path: Path, changes: dict[str, Any]) -> None:
    assert trained.segment(1, tmp_path, **{"images": "all"} | changes) == 0
    before, after = (record(place.output("segmentation", 1)) for place in (trained, Place(tmp_path)))
    assert before["snapshots"][-1]["sha256"] != after["snapshots"][-1]["sha256"]
    (one,) = trained.scratch("segmentation", 1).glob("*/")
    (other,) = Place(tmp_path).scratch("segmentation", 1).glob("*/")
    assert one.name != other.name


def test_it_learns_from_what_is_kept(trained: Place, tmp_path: Path) -> None:
    place, images = Place(tmp_path), packing.read(trained.packed)
    place.packed.symlink_to(trained.packed)
    kept = [*images.judged(0)[:5], *images.judged(1)[:7]]
    lines = trained.oof.read_text().splitlines()
    rows = [f"{line[:-1]}{int(number in kept)}" for number, line in enumerate(lines[1:])]
    place.oof.write_text("\n".join([lines[0], *rows]) + "\n")
    assert place.segment(0, images="kept") == place.segment(1, images="kept") == 0
    found = [record(place.output("segmentation", fold)) for fold in range(2)]
    assert [(one["trained"], one["judged"]) for one in found] == [(7, 12), (5, 12)]
    assert judged(place.output("segmentation", 0))["index"].tolist() == images.judged(0).tolist()


def test_networks_of_the_challenge_learn_too(trained: Place, tmp_path: Path) -> None:
    small = {"model": "unet", "model_args": {"width": 0.05}, "epochs": 1, "snapshots": 0}
    assert trained.segment(0, tmp_path, images="all", **small) == 0
    deep = {"model": "resnet18-scse", "model_args": {"width": 0.1, "decoder": 4, "deep_supervision": True}}
    assert trained.segment(1, tmp_path, images="all", **small | deep, deep=0.1, amp="bf16") == 0
    args = {"width": 0.1, "dropout": 0.5}
    assert trained.classify(1, tmp_path, model="resnet10", model_args=args, epochs=1, amp="auto") == 0
    for kind, fold in (("segmentation", 0), ("segmentation", 1), ("classifier", 1)):
        found = judged(Place(tmp_path).output(kind, fold))
        assert np.isfinite(found["logits"]).all()
        assert found["logits"].std() > 0


def test_it_learns_where_salt_is_bright(tmp_path: Path) -> None:
    place = Place(tmp_path)
    coverages = [0.0, 0.3, 0.0, 0.6, 0.0, 0.4, 0.0, 0.5]
    assert pack_images(draw(tmp_path, [500] * 8, coverages), place.packed) == 0
    for fold in range(2):
        assert place.classify(fold, epochs=12, cycle=12, lr=0.05) == 0
    assert place.classified() == 0
    assert place.segment(0, images="kept", epochs=20, cycle=20, lr=0.05) == 0
    row = record(place.output("classifier", 0))["history"][-1]
    assert (row["accuracy"], row["auc"]) == (1.0, 1.0)
    content = record(place.output("segmentation", 0))
    assert content["trained"] == 2, "of four images in the other fold the classifier keeps two"
    assert content["notes"] == ["all images learned from have salt"]
    assert content["history"][-1]["ap"] > 0.9


def test_the_depth_is_a_channel(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert pack_images(draw(tmp_path, [100, None, 300, 500], [0, 0.2, 0, 0.3]), place.packed) == 0
    changes: dict[str, Any] = {"model": "tests.salt_train.nets:Depth", "lr": 1e-9, "epochs": 1}
    assert place.classify(inputs={"channels": 2, "depth": True}, **changes) == 0
    found, feet = judged(place.output("classifier", 0)), np.array([100, 300, 300, 500])
    level = (feet - 300) / np.std([100, 300, 500]) * 40 / INPUTS["scale"]
    assert found["logits"] == pytest.approx(level[found["index"]], abs=1e-5)
    content = record(place.output("classifier", 0))
    assert content["notes"] == ["1 of 4 images have no depth, and count as of the mean"]
    assert content["inputs"]["depth_mean"] == 300


def test_one_class_in_a_fold_has_no_auc(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert pack_images(draw(tmp_path, [1, 2, 3, 4], [0, 0, 0, 0.3]), place.packed) == 0
    bare = next(
        fold for fold in range(2) if not packing.read(place.packed).salt[packing.read(place.packed).judged(fold)].any()
    )
    assert place.classify(bare) == 0
    content = record(place.output("classifier", bare))
    assert content["history"][-1]["auc"] is None
    assert content["notes"] == ["all images judged are without salt"]
    assert (place.scratch("classifier", bare) / "metrics.csv").read_text().splitlines()[1].split(",")[4] == ""


def test_pretrained_weights_are_taken(trained: Place, tmp_path: Path, said: Said) -> None:
    from safetensors.torch import save_file

    small = {"width": 0.25, "decoder": 4}
    network = networks.segmenter("resnet18-scse", small)
    encoder = dict(network.named_children())["encoder"]
    weights = {name: value.contiguous() for name, value in encoder.state_dict().items()}
    save_file(weights, tmp_path / "encoder.safetensors")
    changes = {"images": "all", "model": "resnet18-scse", "model_args": small, "epochs": 1, "lr": 1e-9}
    changes |= {"weights": str(tmp_path / "encoder.safetensors"), "weight_decay": 0.0, "snapshots": 1}
    assert trained.segment(0, tmp_path, **changes) == 0
    folder = Place(tmp_path).output("segmentation", 0)
    assert record(folder)["notes"] == [f"encoder.safetensors: {len(weights)} of {len(weights)} tensors taken"]
    assert torch.allclose(load_file(folder / "epoch_1.safetensors")["encoder.conv1.weight"], weights["conv1.weight"])
    assert trained.segment(0, tmp_path, **changes | {"weights": "nowhere.pt"}) == 1
    assert said() == "segmentation.weights nowhere.pt is not there; leave it empty to begin from scratch"


def test_more_threads_than_cpus_are_not_taken(packed: Place, tmp_path: Path) -> None:
    before = torch.get_num_threads()
    words = packed.words("classifier", {**WHOLE, "epochs": 1}, 0, tmp_path)
    words[words.index("--threads") + 1] = "64"
    try:
        assert classify.main(words) == 0
        assert torch.get_num_threads() == cpus.available()
    finally:
        torch.set_num_threads(before)
