"""A rehearsal tries the training container, and not the network: one epoch of one fold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from containers.stoic import places
from containers.stoic.settings import Preprocess, Settings, Train


def test_a_rehearsal_is_one_epoch_of_one_fold_and_all_else_as_baked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    baked = tmp_path / "settings.json"
    baked.write_text(json.dumps({"preprocess": {"spacing": 2.0}, "train": {"epochs": 40, "folds": 4, "lr": 0.5}}))
    monkeypatch.setenv("SLIPWAY_SETTINGS", str(baked))
    monkeypatch.delenv("SLIPWAY_REHEARSAL", raising=False)
    whole = places.settings()
    assert whole == Settings(Preprocess(spacing=2.0), Train(epochs=40, folds=4, lr=0.5))
    monkeypatch.setenv("SLIPWAY_REHEARSAL", "1")
    assert places.settings() == replace(whole, train=replace(whole.train, epochs=1, only_folds=(0,)))
