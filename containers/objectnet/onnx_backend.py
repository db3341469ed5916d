"""A network in ONNX Runtime, on the CPU; nothing here needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from containers.kit.errors import UserError, one_line
from containers.objectnet.backends import ON_CPU, parts, transform_of
from containers.objectnet.description import Description

Floats = np.ndarray[Any, np.dtype[np.float32]]
MOST_THREADS = 32  # more gain nothing on a batch, and a container may be allowed few processes


class OnnxNetwork:
    gpus = 0

    def __init__(self, checkpoint: Path, said: Description | None, checksum: str, threads: int) -> None:
        self.threads = threads = min(threads, MOST_THREADS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # its warnings are not for who runs this
        # Threads that wait would by default keep their cores busy, which the decoding of photos needs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.checkpoint = checkpoint
        try:
            self.session = onnxruntime.InferenceSession(checkpoint, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own kinds of errors are no public names
            raise UserError(
                f"model-checkpoint {checkpoint} cannot be opened by ONNX Runtime ({one_line(error)}); export it again"
            ) from None
        inputs, outputs = self.session.get_inputs(), self.session.get_outputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].type != "tensor(float)":
            raise UserError(
                f"{checkpoint} must take one batch of photos, n x 3 x height x width of float32; export it again"
            )
        if isinstance(inputs[0].shape[0], int):
            raise UserError(
                f"{checkpoint} takes exactly {inputs[0].shape[0]} photos at a time; export it with a dynamic first axis"
            )
        self.input, self.output = inputs[0].name, outputs[0].name
        last = outputs[0].shape[-1] if len(outputs[0].shape) == 2 else None
        self.classes: int | None = last if isinstance(last, int) else said.classes if said else None
        self.transform = transform_of(said)
        self.described = f"ONNX Runtime {onnxruntime.__version__}, CPU, fp32, {threads} threads"
        self.decides = {"checkpoint": checksum, "runtime": "onnx", "precision": "fp32"}

    def __call__(self, batch: Floats, /) -> Floats:
        return np.concatenate([self._run(part) for part in parts(batch, max(ON_CPU, self.threads))])

    def _run(self, batch: Floats) -> Floats:
        try:
            (answers,) = self.session.run([self.output], {self.input: batch})
        except Exception as error:
            size = " x ".join(map(str, batch.shape[1:]))
            raise UserError(
                f"{self.checkpoint} fails on photos of {size} ({one_line(error)}); see the transform's size, and "
                "--batch_size"
            ) from None
        answers = np.asarray(answers, np.float32)
        if answers.ndim != 2 or len(answers) != len(batch):
            size = " x ".join(map(str, answers.shape))
            raise UserError(
                f"{self.checkpoint} gives {size} numbers for {len(batch)} photos; it must give a row for each"
            )
        return answers
