"""Look at every training case once: is it sound, and what nnU-Net wants to know about it (the data fingerprint)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
from nnunetv2.imageio.nibabel_reader_writer import NibabelIOWithReorient
from numpy.typing import NDArray

from containers.amos.organs import LAST
from containers.kit.errors import UserError
from containers.kit.pool import each
from workflow.scripts.amos.grids import apart
from workflow.scripts.amos.samples import Sample

VOXELS = 100_000_000  # that nnU-Net draws from all organs together, to know the intensities
MOST = 500_000  # of one case; nnU-Net draws as many from 200 cases on, and with fewer cases repeats itself
PERCENTILES = {"percentile_00_5": 0.5, "median": 50.0, "percentile_99_5": 99.5}


@dataclass(frozen=True)
class Seen:
    shape: tuple[int, ...]  # of what is left after cropping zeros
    spacing: tuple[float, ...]
    intensities: NDArray[np.float32]
    kept: float  # share of the voxels


class Checked(NibabelIOWithReorient):
    """nnU-Net's reader, which refuses values that would spoil a training."""

    def read_images(self, image_fnames: Any) -> Any:
        voxels, properties = _read(super().read_images, image_fnames)
        if not np.isfinite(voxels).all():
            raise UserError(f"{image_fnames[0]} holds values that are not numbers; fetch it again or leave it out")
        return voxels, properties

    def read_seg(self, seg_fname: str) -> Any:
        labels, properties = self.read_images((seg_fname,))
        values = np.unique(labels)
        wrong = [value for value in values if value != int(value) or not 0 <= value <= LAST]
        if wrong:
            raise UserError(f"{seg_fname} has the label {wrong[0]:g}; labels are whole numbers from 0 to {LAST}")
        return labels, properties


def fingerprint(samples: tuple[Sample, ...], workers: int) -> dict[str, Any]:
    """nnU-Net's data fingerprint; the first case that is not sound is named in an error."""
    voxels = min(MOST, VOXELS // len(samples))
    results = each(partial(examine, voxels=voxels), samples, workers=workers, title="examine the cases")
    bad = [result for result in results if isinstance(result, UserError)]
    if bad:
        more = f" (and {len(bad) - 1} more cases are not sound)" if len(bad) > 1 else ""
        raise UserError(f"{bad[0]}{more}")
    return summary([result for result in results if isinstance(result, Seen)])


def examine(sample: Sample, voxels: int) -> Seen:
    _same_grid(sample.image, sample.label)
    found = DatasetFingerprintExtractor.analyze_case([str(sample.image)], str(sample.label), Checked, voxels)
    shape, spacing, intensities, _, kept = found
    return Seen(tuple(map(int, shape)), tuple(map(float, spacing)), np.asarray(intensities[0], np.float32), float(kept))


def summary(seen: list[Seen]) -> dict[str, Any]:
    """In the form of nnU-Net's dataset_fingerprint.json."""
    values = np.concatenate([case.intensities for case in seen])
    if not len(values):
        raise UserError("no training case has a labelled organ; amos.source must name data with labels")
    properties = {name: float(np.percentile(values, share)) for name, share in PERCENTILES.items()}
    properties |= {name: float(getattr(np, name)(values)) for name in ("mean", "std", "min", "max")}
    return {
        "spacings": [list(case.spacing) for case in seen],
        "shapes_after_crop": [list(case.shape) for case in seen],
        "foreground_intensity_properties_per_channel": {"0": properties},
        "median_relative_size_after_cropping": float(np.median([case.kept for case in seen])),
    }


def _same_grid(image: Path, label: Path) -> None:
    """Both must have the same voxels at the same places; nnU-Net itself would only look at the number of voxels."""
    one, other = _header(image), _header(label)
    for path, header in ((image, one), (label, other)):
        if len(header.shape) != 3:
            raise UserError(f"{path} has {len(header.shape)} axes; a scan has three")
    if one.shape != other.shape:
        raise UserError(f"{label} has {_by(other.shape)} voxels but its image {_by(one.shape)}; they must be equal")
    far = apart(one.shape, one.affine, other.affine)
    if not far <= min(nibabel.affines.voxel_sizes(one.affine)) / 2:
        raise UserError(f"{label} lies up to {far:.1f} mm beside its image {image.name}; their affines must be equal")


def _header(path: Path) -> Any:
    return _read(nibabel.load, path)


def _read(read: Any, path: Any) -> Any:
    try:
        return read(path)
    except (OSError, EOFError, ValueError, AssertionError, nibabel.filebasedimages.ImageFileError) as error:
        name = path[0] if isinstance(path, tuple | list) else path
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise UserError(f"{name} cannot be read ({reason}); fetch it again") from None


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
