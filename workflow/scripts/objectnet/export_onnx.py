"""A network as ONNX: exported, freed of what tells of this machine, and held against PyTorch's own logits."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from containers.kit import cpus
from containers.kit.files import replacing
from containers.objectnet.prefetch import Floats

OPSET = 18
IMAGES, LOGITS = "images", "logits"
TOLERANCE = 1e-3  # of the largest logit: rounding gives 1e-5, a layer that was exported wrongly gives far more
MOST_BYTES = 1_900_000_000  # a protocol buffer ends at 2 GiB; weights in a second file are not supported here


class NotExportedError(Exception):
    """Why there is no ONNX file, in one line."""


def export(network: nn.Module, size: int, target: Path) -> None:
    """Write `network`, which takes pictures of `size` by `size`, any number at once."""
    total = sum(tensor.numel() * tensor.element_size() for tensor in network.state_dict().values())
    if total > MOST_BYTES:
        raise NotExportedError(
            f"its {total / 1e9:.1f} GB of weights do not fit into an ONNX file, which ends at 2 GiB; use torch"
        )
    example = torch.zeros((2, 3, size, size))
    count = {0: torch.export.Dim("n")}
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), _quiet():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                input_names=[IMAGES],
                output_names=[LOGITS],
                dynamic_shapes=(count,),
                opset_version=OPSET,
                verbose=False,
            )
    except Exception as error:  # whatever the exporter cannot translate
        raise NotExportedError(f"PyTorch could not export it ({type(error).__name__}: {_line(error)})") from error
    if program is None:
        raise NotExportedError("PyTorch exported nothing")
    model = program.model_proto
    _strip(model)
    onnx.checker.check_model(model, full_check=True)
    with replacing(target) as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))


def difference(network: nn.Module, path: Path, pictures: Floats, batches: Sequence[int] = (1, 3)) -> float:
    """The largest difference of any logit between PyTorch and the ONNX file, that one in batches of several sizes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = cpus.available()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # PyTorch's threads need the cores, too
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    with torch.inference_mode():
        expected = network(torch.from_numpy(pictures)).float().numpy()
    allowed, largest = TOLERANCE * max(1.0, float(np.abs(expected).max())), 0.0
    for many in sorted({min(many, len(pictures)) for many in (*batches, len(pictures))}):
        for start in range(0, len(pictures), many):
            part = slice(start, start + many)
            (got,) = session.run([LOGITS], {IMAGES: pictures[part]})
            gap = float(np.abs(got - expected[part]).max())
            if not gap <= allowed:  # a NaN is no agreement either
                raise NotExportedError(
                    f"its ONNX export gives other logits than PyTorch in batches of {many} (off by {gap:.2g})"
                )
            largest = max(largest, gap)
    return largest


def _strip(model: onnx.ModelProto) -> None:
    """Take out the lines of source code and their paths, which PyTorch keeps with every node."""
    model.doc_string = ""
    del model.metadata_props[:]
    for graph in (model.graph, *model.functions):
        graph.doc_string = ""
        del graph.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
        for value in graph.value_info:
            del value.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        value.doc_string = ""
        del value.metadata_props[:]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's log of what it tries."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "no reason given")
