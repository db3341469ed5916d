"""Training a fold: what it leaves, and that it goes on exactly where it was killed."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.amos_train.conftest import Place
from tests.processes import members, send_when, start
from workflow.scripts.amos import halves, train

MODULE = "workflow.scripts.amos.train"


def checkpoint(place: Path, name: str = "checkpoint_final.pth", fold: int = 0) -> Any:
    [path] = place.glob(f"scratch/training/*/results/*/*/fold_{fold}/{name}")
    return torch.load(path, weights_only=True)


def test_weights_are_the_checkpoints_and_nothing_else(trained: Place) -> None:
    kept = load_file(trained.folder / "trained/fold_0/fold_0.safetensors")
    whole = checkpoint(trained.folder)["network_weights"]
    assert {value.dtype for value in kept.values()} == {torch.float32}
    assert set(kept) <= set(whole)
    for name, value in kept.items():
        torch.testing.assert_close(value, whole[name], rtol=0, atol=0)
    stored = {value.data_ptr() for value in whole.values()}
    assert len(kept) == len(stored), "each tensor once, though nnU-Net names many twice"
    size = (trained.folder / "trained/fold_0/fold_0.safetensors").stat().st_size
    assert size < 4 * sum(value.numel() for value in kept.values()) + 200 * len(kept)


def test_the_record_of_a_fold(trained: Place) -> None:
    record = trained.read("trained/fold_1/fold.json")
    assert record["plan"] == trained.read("plan/plan.json")["key"]
    assert record["mirror_axes"] is None
    assert [row["epoch"] for row in record["history"]] == [1, 2]
    assert record["history"][0]["lr"] == 0.01
    assert record["history"][1]["lr"] == pytest.approx(0.01 * 0.5**0.9)
    assert all(np.isfinite(row[name]) for row in record["history"] for name in ("train_loss", "val_loss"))
    assert {path.name for path in (trained.folder / "trained/fold_1").iterdir()} == {
        "fold.json",
        "fold_1.safetensors",
    }


def test_a_finished_fold_is_not_trained_again(trained: Place, capsys: pytest.CaptureFixture[str]) -> None:
    before = trained.read("trained/fold_0/fold.json")
    assert train.main(trained.train_words(0)) == 0
    assert "fold 0 is trained already" in capsys.readouterr().out
    assert trained.read("trained/fold_0/fold.json") == before


def test_nnunets_own_predictor_takes_the_folder(trained: Place) -> None:
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

    [path] = trained.folder.glob("scratch/training/*/results/*/*/fold_0")
    predictor = nnUNetPredictor(device=torch.device("cpu"), perform_everything_on_device=False, allow_tqdm=False)
    predictor.initialize_from_trained_model_folder(str(path.parent), (0,), "checkpoint_final.pth")
    assert len(predictor.list_of_parameters) == 1
    assert predictor.allowed_mirroring_axes is None


def test_killed_it_goes_on_to_the_very_same_weights(planned: Place, tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    assert train.main(planned.train_words(elsewhere=straight, epochs=3)) == 0
    log = tmp_path / "log"
    killed.mkdir()
    words = planned.train_words(elsewhere=killed, epochs=3)
    process = start(MODULE, words, log)
    assert send_when(process, lambda: "epoch 1/3" in log.read_text(), signal.SIGKILL, log) == -signal.SIGKILL
    process = start(MODULE, words, log)
    assert process.wait() == 0, log.read_text()
    said = log.read_text()
    assert "epoch 1/3" not in said
    assert "epoch 3/3" in said
    one, other = (json.loads((place / "trained/fold_0/fold.json").read_text()) for place in (straight, killed))
    assert [row["epoch"] for row in other["history"]] == [1, 2, 3]
    assert one["history"] == other["history"]
    assert one["sha256"] == other["sha256"]


def test_asked_to_stop_it_finishes_the_epoch(planned: Place, tmp_path: Path) -> None:
    log = tmp_path / "log"
    words = planned.train_words(elsewhere=tmp_path, epochs=50, checkpoint_every=50)
    process = start(MODULE, words, log)
    assert send_when(process, lambda: "epoch 1/50" in log.read_text(), signal.SIGTERM, log) == 1
    assert "fold 0 was asked to stop, and did after epoch" in log.read_text().splitlines()[-1]
    done = checkpoint(tmp_path, "checkpoint_latest.pth")["current_epoch"]
    assert 1 <= done < 50
    assert not (tmp_path / "trained").exists()


def test_augmenting_processes_end_with_a_killed_training(planned: Place, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = start(MODULE, planned.train_words(elsewhere=tmp_path, epochs=50, workers=1), log)
    send_when(process, lambda: "epoch 1/50" in log.read_text(), signal.SIGKILL, log)
    end = time.monotonic() + 30
    while members(process) and time.monotonic() < end:
        time.sleep(0.05)
    assert members(process) == []


def test_mirroring_is_remembered(planned: Place, tmp_path: Path) -> None:
    words = planned.train_words(elsewhere=tmp_path, epochs=1, iterations=1, mirror=True)
    assert train.main(words) == 0
    assert json.loads((tmp_path / "trained/fold_0/fold.json").read_text())["mirror_axes"] == [0, 1, 2]


def test_another_optimizer_and_no_augmentation(planned: Place, trained: Place, tmp_path: Path) -> None:
    learn: dict[str, Any] = {"optimizer": "adamw", "augment": "none", "lr": 0.003}
    assert train.main(planned.train_words(elsewhere=tmp_path, **learn)) == 0
    state = checkpoint(tmp_path)
    assert {"exp_avg", "exp_avg_sq"} <= set(state["optimizer_state"]["state"][0]), "the moments of AdamW"
    assert "momentum_buffer" in checkpoint(trained.folder)["optimizer_state"]["state"][0], "and nnU-Net's own is SGD"
    record = json.loads((tmp_path / "trained/fold_0/fold.json").read_text())
    assert {name: record["train"][name] for name in learn} == learn
    assert [row["epoch"] for row in record["history"]] == [1, 2]


def test_halves_answer_in_single_precision() -> None:
    class Two(torch.nn.Conv3d):
        def forward(self, x: torch.Tensor) -> Any:
            answer = super().forward(x)
            assert answer.dtype == torch.bfloat16
            return [answer, answer[..., ::2]]

    network = Two(1, 2, 3)
    halves.compute_in_halves(network)
    assert [one.dtype for one in network(torch.zeros(1, 1, 5, 5, 5))] == [torch.float32] * 2
    assert {value.dtype for value in network.state_dict().values()} == {torch.float32}


def test_a_loss_that_is_no_number_is_said(planned: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(planned.train_words(elsewhere=tmp_path, lr=1e30, iterations=4)) == 1
    assert "fold 0: the loss is nan in epoch 1; lower train.lr (1e+30)" in capsys.readouterr().err
    assert not list(tmp_path.rglob("checkpoint_*.pth"))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"--fold": "2"}, "--fold 2 is not there"),
        ({"--configuration": "3d_lowres"}, "--configuration 3d_lowres was not planned"),
        ({"--train": '{"epoch": 3}'}, "train.epoch is not a setting; did you mean 'epochs'?"),
    ],
)
def test_what_a_user_can_get_wrong(
    planned: Place, changed: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        f"{flag}={changed.get(flag, value)}" for flag, _, value in (w.partition("=") for w in planned.train_words())
    ]
    assert train.main(words) == 1
    assert said in capsys.readouterr().err
