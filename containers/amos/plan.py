"""What nnU-Net's plans.json and dataset.json say about one configuration, as far as prediction needs it.

What this predictor cannot do as nnU-Net does is refused here, before any image is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from containers.kit.errors import UserError

RESAMPLING, NO_RESAMPLING = "resample_data_or_seg_to_shape", "no_resampling_hack"
SCHEMES = ("CTNormalization", "ZScoreNormalization", "RescaleTo01Normalization", "NoNormalization")
ANISOTROPIC = 3.0  # nnU-Net's threshold between the largest and the smallest spacing


@dataclass(frozen=True)
class Resampling:
    order: int
    order_z: int = 0  # along the coarse axis, where that is resampled by itself
    separate: bool | None = None  # None: by the spacings
    threshold: float = ANISOTROPIC


@dataclass(frozen=True, eq=False)
class Plan:
    """Axes are in the order that `transpose` makes of (z, y, x), spacings in mm."""

    configuration: str
    patch: tuple[int, int, int]
    spacing: tuple[float, float, float]
    transpose: tuple[int, int, int]
    scheme: str
    masked: bool  # normalise only what is not zero, with its holes
    intensity: Mapping[str, float]
    resamples: bool
    voxels: Resampling
    logits: Resampling
    network: str
    arguments: Mapping[str, Any]
    imported: tuple[str, ...]  # arguments that are names of Python objects
    classes: int

    @property
    def back(self) -> tuple[int, int, int]:
        """The transposition that undoes `transpose`."""
        return self.transpose.index(0), self.transpose.index(1), self.transpose.index(2)


def read(plans: Mapping[str, Any], dataset: Mapping[str, Any], name: str, where: str) -> Plan:
    """`where` names the folder of the two files in errors."""
    try:
        return _read(plans, dataset, name, where)
    except KeyError as error:
        raise UserError(f"{where} has plans of configuration {name} without {error}; plan with nnU-Net 2.8") from None


def _read(plans: Mapping[str, Any], dataset: Mapping[str, Any], name: str, where: str) -> Plan:
    found = _configuration(plans["configurations"], name, where)
    if len(found["patch_size"]) != 3:
        raise UserError(f"{where}: {name} is a 2D configuration; only 3d_fullres and 3d_lowres can be predicted")
    if found.get("previous_stage"):
        raise UserError(f"{where}: {name} needs the result of {found['previous_stage']}; train a single stage instead")
    scheme, *others = found["normalization_schemes"]
    if others:
        raise UserError(f"{where}: {name} takes {len(others) + 1} channels; only one can be predicted")
    if scheme not in SCHEMES:
        raise UserError(f"{where}: normalisation {scheme} is not known here; it can be {', '.join(SCHEMES)}")
    if "architecture" not in found:
        raise UserError(f"{where}: {name} describes no architecture, as old plans do; plan with nnU-Net 2.8")
    properties = plans.get("foreground_intensity_properties_per_channel") or {}
    resamples, voxels, logits = _resampling(found, where)
    network, patch, spacing, axes = (
        found["architecture"],
        found["patch_size"],
        found["spacing"],
        plans["transpose_forward"],
    )
    return Plan(
        configuration=name,
        patch=(patch[0], patch[1], patch[2]),
        spacing=(float(spacing[0]), float(spacing[1]), float(spacing[2])),
        transpose=(axes[0], axes[1], axes[2]),
        scheme=scheme,
        masked=bool(found["use_mask_for_norm"][0]),
        intensity=properties["0"] if scheme == "CTNormalization" else properties.get("0", {}),
        resamples=resamples,
        voxels=voxels,
        logits=logits,
        network=network["network_class_name"],
        arguments=network["arch_kwargs"],
        imported=tuple(network["_kw_requires_import"]),
        classes=_classes(dataset["labels"], where),
    )


def _configuration(configurations: Mapping[str, Any], name: str, where: str) -> dict[str, Any]:
    """The configuration with what it inherits from others."""
    chain: list[dict[str, Any]] = []
    seen: list[str] = []
    while name:
        if name not in configurations or name in seen:
            known = ", ".join(sorted(configurations))
            raise UserError(f"{where} has no plans of configuration '{name}' that end; there are {known}")
        seen.append(name)
        chain.append(configurations[name])
        name = configurations[name].get("inherits_from") or ""
    return {key: value for part in reversed(chain) for key, value in part.items()}


def _resampling(found: Mapping[str, Any], where: str) -> tuple[bool, Resampling, Resampling]:
    names = {found["resampling_fn_data"], found["resampling_fn_probabilities"]}
    if names == {NO_RESAMPLING}:
        return False, Resampling(1), Resampling(1)
    if names != {RESAMPLING}:
        raise UserError(
            f"{where}: resampling by {' and '.join(sorted(names))} is not known here; plan with {RESAMPLING}"
        )
    ways = []
    for key, order, order_z in (("resampling_fn_data_kwargs", 5, 0), ("resampling_fn_probabilities_kwargs", 1, 1)):
        given = found[key]
        way = Resampling(
            given.get("order", 3),
            given.get("order_z", 0),
            given.get("force_separate_z", False),
            given.get("separate_z_anisotropy_threshold", ANISOTROPIC),
        )
        # A cubic curve overshoots, so nnU-Net clips it to the extremes of the whole array, unknown for logits.
        if not 0 <= way.order <= order or not 0 <= way.order_z <= order_z:
            raise UserError(f"{where}: {key} of order {way.order} and order_z {way.order_z} is not known here")
        ways.append(way)
    return True, ways[0], ways[1]


def _classes(labels: Mapping[str, Any], where: str) -> int:
    if any(isinstance(value, (list, tuple)) for value in labels.values()) or "ignore" in labels:
        raise UserError(f"{where}/dataset.json has regions or an ignore label; only plain labels can be predicted")
    numbers = sorted(int(value) for value in labels.values())
    if numbers != list(range(len(numbers))) or len(numbers) > 256:
        raise UserError(f"{where}/dataset.json must number its labels 0, 1, 2, ..., not {numbers}")
    return len(numbers)
