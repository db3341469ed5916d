"""The predictor beside the labels: strips, what cannot be answered, and a GPU whose memory ends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from containers.amos import ensemble, estimate, grid, network, predictor
from containers.amos.model import Model, load
from containers.amos.predictor import Options, segment
from containers.kit import memory
from containers.kit.errors import UserError
from tests.amos_predict import parts

CPU, META = torch.device("cpu"), torch.device("meta")


def limit_for(strips: int, model: Model, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> int:
    """The most bytes under which the image needs `strips`."""
    limit = 1 << 40
    while (need := estimate.need(shape, 0, spacing, model, Options(mirror=False, limit=limit))).strips < strips:
        limit = int(need.total / (1 - estimate.RESERVE)) - 1000
    assert need.strips == strips
    return limit


@pytest.mark.parametrize("spacing", [(2, 1, 1), (2.5, 1.4, 1.3), (8, 0.8, 0.7), (1, 8, 1.1)])
@pytest.mark.parametrize("folds", [1, 2])
def test_strips_change_nothing(
    spacing: tuple[float, float, float], folds: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(parts.make(tmp_path, folds=folds))
    voxels = parts.image((20, 84, 36) if spacing[1] < 5 else (20, 14, 36), margin=1)
    monkeypatch.setattr(memory, "resident", lambda: 0)  # it would change between two looks
    used: list[int] = []

    def spied(case: predictor._Case, found: list[grid.Strip], *others: Any) -> None:
        used.append(len(found))
        in_strips(case, found, *others)

    in_strips = predictor._in_strips
    monkeypatch.setattr(predictor, "_in_strips", spied)
    whole = segment(voxels, spacing, model, Options(mirror=False))
    inner = (voxels.shape[0] - 2, voxels.shape[1] - 2, voxels.shape[2] - 2)
    for strips in (2, 3):
        limit = limit_for(strips, model, inner, spacing) + whole.size - inner[0] * inner[1] * inner[2]
        np.testing.assert_array_equal(segment(voxels, spacing, model, Options(mirror=False, limit=limit)), whole)
    assert used == [1, 2, 3]
    assert len(np.unique(whole)) > 3


def test_strips_cover_each_row_once(tmp_path: Path) -> None:
    plan = load(parts.make(tmp_path)).plan
    cut = grid.make((20, 101, 36), (2, 1.3, 1), plan, 0.5)
    for count in (1, 2, 5, 101, 200):
        found = grid.strips(cut, count)
        assert [row for strip in found for row in range(*strip.out)] == list(range(101))
        assert len(found) == min(count, 101)
        assert sorted({start for strip in found for start in strip.starts}) == list(cut.windows[1])


def test_only_zeros_are_background(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = load(parts.make(tmp_path))
    labels = segment(np.zeros((12, 20, 20), np.int16), (2, 1, 1), model, Options(), "amos_0001")
    assert labels.shape == (12, 20, 20)
    assert not labels.any()
    assert capsys.readouterr().err == "warning: amos_0001 has no voxel but zeros; all of it is background\n"


def test_margins_are_background(tmp_path: Path) -> None:
    voxels = parts.image((24, 44, 40), margin=6)
    labels = segment(voxels, (2, 1, 1), load(parts.make(tmp_path)), Options(mirror=False))
    labels[6:-6, 6:-6, 6:-6] = 0
    assert not labels.any()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e5])
def test_logits_that_are_no_numbers_or_too_large(value: float, tmp_path: Path) -> None:
    folder = parts.make(tmp_path)
    weights = load_file(folder / "fold_0.safetensors")
    last = max(name for name in weights if name.startswith("decoder.seg_layers") and name.endswith("bias"))
    weights[last][3] = value
    parts.put(folder, 0, weights)
    with pytest.raises(UserError, match="the network's answer is not finite, or too large for half precision"):
        segment(parts.image((12, 34, 34)), (2, 1, 1), load(folder), Options(mirror=False))


def test_weights_are_read_for_each_row_of_windows_where_folds_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def spied(net: nn.Module, path: Path) -> None:
        read.append(int(path.stem[-1]))
        network.fill(net, path)

    monkeypatch.setattr(ensemble, "fill", spied)
    voxels = parts.image((32, 34, 34))
    segment(voxels, (2, 1, 1), load(parts.make(tmp_path / "one")), Options(mirror=False))
    assert read == [0]
    read.clear()
    segment(voxels, (2, 1, 1), load(parts.make(tmp_path / "two", folds=2)), Options(mirror=False))
    assert read == [0, 1] * 3


class Greedy(nn.Module):
    """A network that is out of memory until it has failed `times` times, and then does what the other does."""

    failed = 0

    def __init__(self, other: nn.Module, times: int, error: type[RuntimeError]) -> None:
        super().__init__()
        self.other, self.times, self.error = other, times, error

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        return self.other.state_dict(*args, **kwargs)

    def forward(self, window: Tensor) -> Tensor:
        if not window.is_meta and Greedy.failed < self.times:
            Greedy.failed += 1
            raise self.error("CUDA out of memory: tried to allocate 20 MiB\nmore of it")
        answer: Tensor = self.other(window)
        return answer


@pytest.mark.parametrize(
    ("error", "times", "said"),
    [
        (torch.cuda.OutOfMemoryError, 1, ["the GPU with less in its memory"]),
        (torch.cuda.OutOfMemoryError, 2, ["the GPU with less in its memory", "the CPU"]),
        (RuntimeError, 1, ["the CPU"]),
    ],
)
def test_a_gpu_whose_memory_ends(
    error: type[RuntimeError],
    times: int,
    said: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model, voxels = load(parts.make(tmp_path)), parts.image((20, 34, 40))
    expected = segment(voxels, (2, 1, 1), model, Options(mirror=False))
    Greedy.failed = 0
    monkeypatch.setattr(ensemble, "build", lambda plan: Greedy(network.build(plan), times, error))
    gpu = torch.device("cpu", 0)  # no GPU, but not the same as CPU
    monkeypatch.setattr(predictor, "_places", lambda _: [(gpu, gpu), (gpu, CPU), (CPU, CPU)])
    capsys.readouterr()
    found = segment(voxels, (2, 1, 1), model, Options(mirror=False))
    np.testing.assert_array_equal(found, expected)
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning")]
    reason = "CUDA out of memory: tried to allocate 20 MiB"
    assert warnings == [f"warning: the GPU failed ({reason}); going on with {where}" for where in said]


def test_a_failure_on_the_cpu_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Greedy.failed = 0
    monkeypatch.setattr(ensemble, "build", lambda plan: Greedy(network.build(plan), 1, RuntimeError))
    with pytest.raises(RuntimeError, match="out of memory"):
        segment(parts.image((20, 34, 40)), (2, 1, 1), load(parts.make(tmp_path)), Options())


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 9, 1), (3, 1, 40)])
def test_images_thinner_than_a_voxel_of_the_network(shape: tuple[int, int, int], tmp_path: Path) -> None:
    voxels = np.full(shape, 70, np.int16)
    for spacing in ((0.3, 0.3, 0.3), (9.0, 0.4, 0.4)):
        labels = segment(voxels, spacing, load(parts.make(tmp_path)), Options(mirror=False))
        assert labels.shape == shape


def test_places() -> None:
    cuda = torch.device("cuda")
    assert predictor._places(CPU) == [(CPU, CPU)]
    assert predictor._places(cuda) == [(cuda, cuda), (cuda, CPU), (CPU, CPU)]


@pytest.mark.parametrize("step", [0.0, 1.5, -1.0])
def test_a_step_that_makes_no_sense(step: float) -> None:
    with pytest.raises(ValueError, match="step must be above 0 and at most 1"):
        Options(step=step)
