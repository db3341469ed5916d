"""Files with weights: what is in them is never run, and what is wrong with them is told."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from containers.kit.errors import UserError
from containers.kit.weights import read


class Evil:
    """Makes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.target), "w")


@pytest.mark.parametrize("how", ["zip", "old", "pickle"])
@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_code_in_a_file_is_not_run(how: str, suffix: str, tmp_path: Path) -> None:
    target, path = tmp_path / "made", tmp_path / f"weights.{suffix}"
    content = {"weight": torch.zeros(3), "more": Evil(target)}
    if how == "pickle":
        path.write_bytes(pickle.dumps(content, protocol=2))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "zip")
    with pytest.raises(UserError, match=rf"^train.weights {path} cannot be read as weights \(.*\)$") as raised:
        read(path, "train.weights")
    assert not target.exists()
    if suffix == "pth":
        assert "holds Python objects beside tensors, and their code is not run; save model.state_dict() alone" in str(
            raised.value
        )
    pickle.loads(pickle.dumps(Evil(target)))
    assert target.exists(), "a reader that runs code would have made it"


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_was_cut_off(suffix: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"weights.{suffix}"
    torch.save({"weight": torch.randn((64, 64))}, path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(UserError, match=rf"^model-checkpoint {path} cannot be read as weights \(.+\)$"):
        read(path, "model-checkpoint")


def test_what_holds_no_state_dict_and_what_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"epoch": 3}, path)
    with pytest.raises(UserError, match=rf"^key {path} holds no state dict; save model.state_dict\(\) into it$"):
        read(path, "key")
    with pytest.raises(UserError, match=rf"^key {tmp_path / 'none.pth'} is not there; give the path of a file"):
        read(tmp_path / "none.pth", "key")
    with pytest.raises(UserError, match=r"^key .*none.safetensors is not there; leave it empty$"):
        read(tmp_path / "none.safetensors", "key", "leave it empty")
    with pytest.raises(UserError, match=r"cannot be read as weights \(.*[Ii]s a directory"):
        read(tmp_path, "key")


def test_a_zip_is_read_from_the_disk_as_it_is_used(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    given = torch.arange(1 << 16, dtype=torch.float32)
    torch.save({"model": {"weight": given}}, path)
    assert torch.equal(read(path, "key")["weight"], given)
    mapped = [line for line in Path("/proc/self/maps").read_text().splitlines() if line.endswith(str(path))]
    assert mapped == [], "nothing stays mapped once the tensors are gone"
    kept = read(path, "key")
    assert str(path) in Path("/proc/self/maps").read_text()
    assert kept["weight"].shape == (1 << 16,)
