"""What nnU-Net itself makes of an image: its reader, preprocessing, sliding window and export, on the CPU."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.utilities.get_network_from_plans import get_network_from_plans
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager
from safetensors.torch import load_file


def nnunet_labels(
    folder: Path, image: Path, mirror: bool = False, step: float = 0.5, folds: Sequence[int] | None = None
) -> npt.NDArray[np.uint8]:
    """(z, y, x) in RAS, of the model folder that `containers.amos.model.load` reads."""
    description, plans, dataset = (
        json.loads((folder / name).read_text()) for name in ("model.json", "plans.json", "dataset.json")
    )
    manager = PlansManager(plans)
    configuration = manager.get_configuration(description["configuration"])
    network = get_network_from_plans(
        configuration.network_arch_class_name,
        configuration.network_arch_init_kwargs,
        configuration.network_arch_init_kwargs_req_import,
        1,
        manager.get_label_manager(dataset).num_segmentation_heads,
        deep_supervision=False,
    )
    files = [entry["file"] for entry in description["folds"] if folds is None or entry["fold"] in folds]
    predictor = nnUNetPredictor(step, True, mirror, False, torch.device("cpu"), allow_tqdm=False)
    axes = description["mirror_axes"]
    parameters = [_parameters(network, folder / name) for name in files]
    predictor.manual_initialization(network, manager, configuration, parameters, dataset, "nnUNetTrainer", axes)
    data, _, properties = DefaultPreprocessor(verbose=False).run_case(
        [str(image)], None, manager, configuration, dataset
    )
    logits = predictor.predict_logits_from_preprocessed_data(torch.from_numpy(data))
    labels = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits, manager, configuration, predictor.label_manager, properties
    )
    return np.asarray(labels, np.uint8)


def _parameters(network: torch.nn.Module, path: Path) -> dict[str, Any]:
    """All names of nnU-Net's own state; the file may hold each tensor under one of its names only."""
    unexpected = network.load_state_dict(load_file(path), strict=False).unexpected_keys
    assert not unexpected, f"{path} has weights that the network lacks: {unexpected}"
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}
