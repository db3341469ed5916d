"""Several processes that train one model, one a GPU, on a machine without a network.

`python -m containers.kit.distributed ...` is torchrun, but it ends when the process that started it ends.
"""

from __future__ import annotations

import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from containers.kit.errors import UserError
from containers.kit.parent import die_with_parent

T = TypeVar("T")
PATIENCE = timedelta(hours=6)  # one rank may write predictions of many cases while the others wait


@dataclass(frozen=True)
class Group:
    """This process among those that train together. Alone it is rank 0 of 1."""

    device: torch.device
    rank: int = 0
    world: int = 1
    control: Any = None  # gloo, for small things on the CPU: no GPU has to wait for them

    @property
    def first(self) -> bool:
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a CPU tensor over all processes."""
        if self.world > 1:
            values = values.clone()
            dist.all_reduce(values, group=self.control)
        return values

    def gather(self, value: T) -> list[T]:
        """Every process's value, in the order of ranks."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        dist.all_gather_object(values, value, group=self.control)
        return values

    def share(self, value: T) -> T:
        """The first process's value, in every process."""
        if self.world == 1:
            return value
        values: list[Any] = [value]
        dist.broadcast_object_list(values, src=0, group=self.control)
        shared: T = values[0]
        return shared

    def align(self, model: nn.Module) -> None:
        """Give every process the first one's running statistics, which are those that are kept."""
        if self.world > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, src=0)


def processes(wanted: int) -> int:
    """How many to start: one a GPU unless `wanted` says otherwise, and one where there is no GPU."""
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted and gpus and wanted > gpus:
        raise UserError(f"train.processes is {wanted} but there are {gpus} GPUs; set it to 0 to use one process a GPU")
    return wanted or max(1, gpus)


def alone() -> Group:
    return Group(torch.device("cuda:0" if torch.cuda.is_available() else "cpu"))


@contextmanager
def joined() -> Iterator[Group]:
    """The group of this process, as torchrun describes it in the environment; without torchrun it is alone."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield alone()
        return
    rank, local = int(os.environ["RANK"]), int(os.environ["LOCAL_RANK"])
    gpu = torch.cuda.is_available()
    device = torch.device(f"cuda:{local}" if gpu else "cpu")
    if gpu:
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if gpu else "gloo", timeout=PATIENCE, device_id=device if gpu else None)
    try:
        yield Group(device, rank, world, dist.new_group(backend="gloo", timeout=PATIENCE))
    finally:
        dist.destroy_process_group()


def launch(module: str, arguments: Sequence[str], count: int, temporary: Path) -> None:
    """Run `python -m module arguments` in `count` processes that find each other over the loopback interface."""
    command = [sys.executable, "-m", __spec__.name, "--nnodes", "1", "--nproc-per-node", str(count)]
    command += ["--master-addr", "127.0.0.1", "--local-addr", "127.0.0.1", "--master-port", str(_free_port())]
    temporary.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*command, "-m", module, *arguments], env=environment(os.environ, temporary), check=False)
    if done.returncode:
        raise UserError(f"one of the {count} training processes failed (exit {done.returncode}); its reason is above")


def environment(base: Mapping[str, str], temporary: Path) -> dict[str, str]:
    """What the processes need where there is no network but loopback, and /tmp may be small."""
    return (
        {"OMP_NUM_THREADS": "1"}
        | dict(base)
        | {
            "GLOO_SOCKET_IFNAME": "lo",
            "NCCL_SOCKET_IFNAME": "lo",
            "TMPDIR": str(temporary),
            "TORCH_CPP_LOG_LEVEL": "ERROR",  # or it complains that 127.0.0.1 has no name
        }
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    die_with_parent()
    runpy.run_module("torch.distributed.run", run_name="__main__", alter_sys=True)
