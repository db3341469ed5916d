"""What runs a network: torch, or ONNX Runtime, which is several times as fast on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from containers.kit import cpus
from containers.kit.errors import UserError
from containers.kit.files import sha256
from containers.objectnet import description, transforms
from containers.objectnet.description import ONNX, Description
from containers.objectnet.settings import Backend, Precision
from containers.objectnet.transforms import Pipeline

Floats = np.ndarray[Any, np.dtype[np.float32]]
SUFFIX = ".onnx"
ON_CPU = 8  # photos: what is computed of more at once does not stay in the caches
# One of these is there where torch may find a GPU. Without any, it need not be imported to know that there is none.
GPUS = tuple(map(Path, ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")))


class Opened(Protocol):
    """A network that is ready."""

    @property
    def classes(self) -> int | None:
        """How many it tells apart; None where only its first answer will say."""

    @property
    def transform(self) -> Callable[[Any], Any]:
        """From a photo to what it wants to see."""

    @property
    def described(self) -> str:
        """What runs it, in a line."""

    @property
    def gpus(self) -> int: ...

    @property
    def decides(self) -> dict[str, str]:
        """All of it that its answers depend on."""

    def __call__(self, batch: Floats, /) -> Floats: ...


def open_backend(
    model: str,
    checkpoint: Path,
    *,
    backend: Backend = "auto",
    precision: Precision = "auto",
    gpus: int | None = None,
    threads: int = 0,
) -> Opened:
    """Make the network ready. `gpus` None means all that there are, `threads` 0 one a CPU.

    auto: torch where there is a GPU to use; else ONNX Runtime, if the checkpoint is itself for it or was exported
    together with one that is; else torch.
    """
    if not checkpoint.is_file():
        raise UserError(f"model-checkpoint {checkpoint} is no file; name the file with the network's weights")
    said = description.beside(checkpoint)
    mine = said if said is not None and said.model == model else None
    checksum = said.checksums[checkpoint.name] if said else sha256(checkpoint)
    threads = threads or cpus.available()
    if checkpoint.suffix == SUFFIX:
        _only_onnx(model, checkpoint, said, backend)
        return _onnx(checkpoint, mine, checksum, precision, gpus, threads)
    if backend == "onnx":
        exported = _exported(checkpoint, mine)
        if exported is None:
            raise UserError(
                f"--backend onnx needs a {SUFFIX} file, and beside {checkpoint} lies no {ONNX} that {description.FILE} "
                f"there says is the same {model}; give one as the model-checkpoint, or use --backend torch"
            )
        return _onnx(exported, mine, checksum, precision, gpus, threads)
    if backend == "auto" and precision != "bf16" and not _gpu(gpus):
        exported = _exported(checkpoint, mine)
        if exported is not None and _there("onnxruntime"):
            return _onnx(exported, mine, checksum, precision, gpus, threads)
    if not _there("torch"):
        raise UserError(
            f"{checkpoint} needs torch, which this image has not; give a {SUFFIX} file, or use the torch image"
        )
    from containers.objectnet.torch_backend import TorchNetwork

    return TorchNetwork(model, checkpoint, mine, checksum, precision=precision, gpus=gpus, threads=threads)


def transform_of(said: Description | None) -> Callable[[Any], Any]:
    """What was exported with the network, else what the participant wrote."""
    return Pipeline(said.transform) if said is not None and said.transform is not None else transforms.own()


def parts(batch: Floats, size: int = ON_CPU) -> list[Floats]:
    """What a CPU's network gets of a batch, one after another: that is faster, and takes a fraction of the memory."""
    return [batch[start : start + size] for start in range(0, len(batch), size)]


def _onnx(
    checkpoint: Path, said: Description | None, checksum: str, precision: Precision, gpus: int | None, threads: int
) -> Opened:
    if precision == "bf16":
        raise UserError("--precision bf16 is torch's; leave it out for ONNX Runtime, or give --backend torch")
    if gpus:
        raise UserError(f"--gpus {gpus}, but ONNX Runtime works on the CPU here; give --gpus 0 or --backend torch")
    if not _there("onnxruntime"):
        raise UserError(f"{checkpoint} needs ONNX Runtime, which is not installed; install onnxruntime")
    from containers.objectnet.onnx_backend import OnnxNetwork

    return OnnxNetwork(checkpoint, said, checksum, threads)


def _only_onnx(model: str, checkpoint: Path, said: Description | None, backend: Backend) -> None:
    if backend == "torch":
        raise UserError(f"--backend torch cannot read {checkpoint}; give a checkpoint of torch's, or --backend onnx")
    if said is not None and said.model != model:
        raise UserError(
            f"model-class-name {model}, but {checkpoint} is {said.model} as {description.FILE} beside it says; "
            "give that name"
        )


def _exported(checkpoint: Path, said: Description | None) -> Path | None:
    """The same network as ONNX, beside the checkpoint."""
    other = checkpoint.parent / ONNX
    known = said.checksums.get(ONNX) if said else None
    return other if known and other.is_file() and sha256(other) == known else None


def _gpu(gpus: int | None) -> bool:
    """Whether one is to be used; one that was asked for and is not there is for torch to refuse."""
    if gpus is not None:
        return gpus > 0
    if not any(path.exists() for path in GPUS) or not _there("torch"):
        return False
    import torch

    return torch.cuda.is_available()


def _there(package: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(package) is not None
    except ValueError:  # it is blocked
        return False
