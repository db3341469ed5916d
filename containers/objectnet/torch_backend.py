"""A network in torch, on GPUs or on the CPU, in the memory layout and the precision that are fast there."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from containers.kit import amp
from containers.kit.errors import UserError, one_line
from containers.objectnet import networks
from containers.objectnet.backends import ON_CPU, parts, transform_of
from containers.objectnet.description import Description
from containers.objectnet.settings import Precision
from containers.objectnet.transforms import Pipeline

Floats = np.ndarray[Any, np.dtype[np.float32]]


class TorchNetwork:
    def __init__(
        self,
        model: str,
        checkpoint: Path,
        said: Description | None,
        checksum: str,
        *,
        precision: Precision,
        gpus: int | None,
        threads: int,
    ) -> None:
        there = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if gpus is not None and gpus > there:
            raise UserError(f"--gpus {gpus}, but {there} GPUs are there; give at most as many, or 0 for the CPU")
        self.gpus = there if gpus is None else gpus
        self.device = torch.device("cuda" if self.gpus else "cpu")
        self.model, self.threads = model, threads
        self.dtype = _dtype(precision, self.device)
        self.pool = ThreadPoolExecutor(threads, "network", initializer=torch.set_num_threads, initargs=(1,))
        if self.gpus:
            torch.backends.cudnn.benchmark = True  # all batches but the last have one shape
        network = networks.network(model, said.model_args if said else {})
        networks.load(network, checkpoint)
        network = network.eval().requires_grad_(False)
        network = network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network = nn.DataParallel(network, list(range(self.gpus))) if self.gpus > 1 else network
        self.classes: int | None = said.classes if said else None
        known = networks.transform_of(model) if said is None else None  # a timm model's own
        self.transform = Pipeline(known) if known else transform_of(said)
        name = "bf16" if self.dtype else "fp32"
        where = f"{self.gpus} x {torch.cuda.get_device_name(0)}" if self.gpus else f"CPU, {threads} threads"
        self.described = f"torch {torch.__version__}, {where}, {name}"
        self.decides = {"checkpoint": checksum, "runtime": f"torch, {self.device.type}", "precision": name}

    def __call__(self, batch: Floats, /) -> Floats:
        if self.gpus:
            return self._run(batch)
        # Each thread computes a part by itself: torch's own threads, which share each step of one, wait for one another
        # and for the threads that decode.
        size = min(ON_CPU, math.ceil(len(batch) / self.threads))
        return np.concatenate(list(self.pool.map(self._run, parts(batch, size))))

    def _run(self, batch: Floats) -> Floats:
        photos = torch.from_numpy(batch)
        try:
            # The threads that DataParallel starts are not in that mode, and may not write into what was made in it.
            with (
                torch.inference_mode(self.gpus < 2),
                torch.autocast(self.device.type, torch.bfloat16, enabled=bool(self.dtype)),
            ):
                if self.gpus:
                    photos = photos.pin_memory().to(self.device, non_blocking=True)
                answers = self.network(photos.contiguous(memory_format=torch.channels_last))
        except torch.OutOfMemoryError:
            raise UserError(f"the GPU's memory does not suffice for {len(batch)} photos; lower --batch_size") from None
        except UserError:
            raise
        except Exception as error:  # a participant's network may do anything
            size = " x ".join(map(str, batch.shape[1:]))
            raise UserError(
                f"{self.model} fails on photos of {size} ({type(error).__name__}: {one_line(error)}); see the "
                "transform, or the network's class"
            ) from error
        return self._checked(answers, len(batch))

    def _checked(self, answers: object, photos: int) -> Floats:
        if not isinstance(answers, Tensor) or answers.ndim != 2 or len(answers) != photos:
            got = f"{tuple(answers.shape)}" if isinstance(answers, Tensor) else type(answers).__name__
            raise UserError(
                f"{self.model} gives {got} for {photos} photos; forward() must return a row of logits for each"
            )
        found: Floats = answers.float().cpu().numpy()
        return found


def _dtype(precision: Precision, device: torch.device) -> torch.dtype | None:
    """bfloat16 where it is asked for, and on a GPU that is made for it.

    Not by itself on a CPU, though some multiply matrices of it twice as fast: it puts guesses of like confidence into
    another order, and then the candidates would be compared by other answers than ONNX Runtime gives in the container.
    """
    if precision == "bf16" or (precision == "auto" and amp.choose("auto", device) is torch.bfloat16):
        return torch.bfloat16
    return None
