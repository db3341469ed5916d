"""Memory: the limit of a cgroup, and an estimate that is neither too small nor far too large."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from containers.amos import estimate, footprint, network
from containers.amos.model import load
from containers.amos.predictor import Options
from containers.kit import memory
from containers.kit.errors import UserError
from tests.amos_predict import parts

GIB = 1 << 30
MACHINE = {"proc/meminfo": "MemTotal:       33554432 kB\nMemFree:        1 kB"}  # 32 GiB


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "8589934592"}, 8 * GIB),
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": "max"}, 32 * GIB),
        ({"proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": str(64 * GIB)}, 32 * GIB),
        (
            {
                "proc/self/cgroup": "0::/a/b",
                "sys/fs/cgroup/a/memory.max": str(3 * GIB),
                "sys/fs/cgroup/a/b/memory.max": str(5 * GIB),
            },
            3 * GIB,
        ),
        (
            {
                "proc/self/cgroup": "9:cpu,cpuacct:/x\n4:memory:/docker/x\n0::/",
                "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": str(6 * GIB),
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712",
            },
            6 * GIB,
        ),
        (  # in a container the group's own folder is the topmost that can be seen
            {
                "proc/self/cgroup": "4:memory:/docker/x",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2 * GIB),
            },
            2 * GIB,
        ),
        ({}, 32 * GIB),
    ],
)
def test_limit(files: dict[str, str], limit: int, tmp_path: Path) -> None:
    for name, text in {**MACHINE, **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    assert memory.limit(tmp_path) == limit


def test_no_limit_is_known(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="says how much memory there is"):
        memory.limit(tmp_path)


def test_this_process() -> None:
    held = bytearray(b"x") * (64 << 20)
    assert len(held) < memory.resident() <= memory.peak() < memory.limit()


@pytest.fixture
def holding_256_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tests before have left in memory is no matter."""
    monkeypatch.setattr(memory, "resident", lambda: 256 << 20)


@pytest.mark.usefixtures("holding_256_mib")
def test_a_case_that_cannot_fit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    model = load(parts.make(tmp_path))
    with pytest.raises(UserError) as error:
        estimate.need((2048, 512, 512), 2, (1.0, 0.7, 0.7), model, Options(limit=GIB))
    assert str(error.value) == (
        "an image of 2048x512x512 voxels needs about 1.93 GiB even in 22 strips and the limit is 1.00 GiB; "
        "give the container more memory, or raise predict.memory if it is set"
    )


@pytest.mark.usefixtures("holding_256_mib")
def test_strips_take_less(tmp_path: Path) -> None:
    model = load(parts.make(tmp_path, patch_size=[64, 96, 96], folds=2))
    shape, spacing = (512, 512, 512), (2.0, 1.0, 1.0)
    whole = estimate.need(shape, 2, spacing, model, Options(limit=64 * GIB))
    assert whole.strips == 1
    assert whole.input == 2 * whole.output == 2 * 512**3
    assert whole.buffer == 2 * 64 * 512 * 512 * (2 * 16 + 1)
    less = estimate.need(shape, 2, spacing, model, Options(limit=whole.total - whole.buffer // 2))
    assert less.strips > 1
    assert less.buffer < whole.buffer / 2
    assert (less.input, less.output, less.network) == (whole.input, whole.output, whole.network)
    taller = estimate.need((1024, 512, 512), 2, spacing, model, Options(limit=64 * GIB))
    assert (taller.buffer, taller.working) == (whole.buffer, whole.working), "only input and output grow with the image"


def test_what_lies_on_the_gpu_is_not_counted(tmp_path: Path) -> None:
    model = load(parts.make(tmp_path))
    cpu = Options(limit=64 * GIB)
    one = estimate.need((64, 128, 128), 2, (2.0, 1.0, 1.0), model, cpu)
    other = estimate.need((64, 128, 128), 2, (2.0, 1.0, 1.0), model, replace(cpu, device=torch.device("cuda")))
    assert other.buffer == 0
    assert other.network < one.network
    assert other.working == one.working


@pytest.mark.parametrize("kind", ["PlainConvUNet", "ResidualEncoderUNet"])
def test_footprint_is_what_real_tensors_take(kind: str, tmp_path: Path) -> None:
    plan = load(parts.make(tmp_path, architecture=parts.architecture(kind))).plan
    with torch.device("meta"):
        pretended = network.build(plan)
    assert footprint.weights(pretended) == 4 * sum(value.numel() for value in pretended.parameters())
    real, living = network.build(plan), footprint._Living()
    window = torch.zeros(1, 1, *plan.patch)
    with torch.inference_mode(), living:
        real(window)
    assert footprint.activations(pretended, plan.patch) == living.peak > 6 * 4 * 4 * 16 * 32 * 32


CHILD = """
import json, sys
from pathlib import Path
import torch
from containers.amos.estimate import need
from containers.amos.model import load
from containers.amos.predictor import Options, segment
from containers.kit import memory
from tests.amos_predict import parts

given = json.loads(sys.argv[1])
torch.set_num_threads(1)
model = load(Path(given["model"]))
options = Options(mirror=given["mirror"], step=given["step"], limit=given["limit"])
soft = parts.image(tuple(size // 4 for size in given["shape"]), margin=given["margin"])
before = memory.resident()
found = need(tuple(given["shape"]), 2, tuple(given["spacing"]), model, options)
voxels = soft.repeat(4, 0).repeat(4, 1).repeat(4, 2)
labels = segment(voxels, tuple(given["spacing"]), model, options)
print(json.dumps({"total": found.total, "strips": found.strips, "peak": memory.peak(), "before": before}))
"""


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="at the network's spacing"),
        pytest.param({"spacing": [2.4, 0.8, 0.9]}, id="resampled"),
        pytest.param({"folds": 3, "mirror": True, "shape": [48, 128, 128]}, id="mirrored, three folds"),
        pytest.param({"mask": True, "margin": 2, "shape": [192, 320, 320]}, id="with a mask"),
        pytest.param({"limit": 760 << 20}, id="in strips"),
    ],
)
def test_estimate_holds(changes: dict[str, Any], tmp_path: Path) -> None:
    given: dict[str, Any] = {"shape": [96, 320, 320], "spacing": [2.0, 1.0, 1.0], "mirror": False, "step": 1.0}
    given |= {"margin": 0, "limit": 0, "folds": 1, "mask": False, **changes}
    scheme = "ZScoreNormalization" if given["mask"] else "CTNormalization"
    model = parts.make(
        tmp_path,
        folds=given["folds"],
        patch_size=[48, 128, 128],
        normalization_schemes=[scheme],
        use_mask_for_norm=[given["mask"]],
    )
    command = [sys.executable, "-c", CHILD, json.dumps({**given, "model": str(model)})]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert found["strips"] == (1 if not given["limit"] else found["strips"])
    said = {key: f"{value / 2**20:.0f} MiB" for key, value in found.items() if key != "strips"}
    assert found["total"] >= found["peak"] - (16 << 20), f"the estimate is too small: {said}"
    assert found["total"] <= 2 * found["peak"], f"the estimate is far too large: {said}"
    if given["limit"]:
        assert found["strips"] > 1
        assert found["peak"] < given["limit"]
    print(said)
