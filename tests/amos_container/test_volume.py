"""Reading scans: voxel for voxel what nnU-Net's own reader gives, in as little memory as it takes."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from nnunetv2.imageio.nibabel_reader_writer import NibabelIOWithReorient

from containers.amos import volume
from containers.kit.errors import UserError
from tests.amos_container.scans import ORIENTATIONS, UPRIGHT, noise, save, turned

SHAPE = (5, 4, 3)
OBLIQUE = np.array([[0.71, 0.1, 0.4, -20], [-0.12, 0.78, 0.9, 7], [0.05, -0.2, 4.8, 33], [0, 0, 0, 1]])


def same_as_nnunet(path: Path) -> volume.Volume:
    theirs, said = NibabelIOWithReorient().read_images([str(path)])
    ours = volume.read(path)
    assert ours.voxels.shape == ours.head.shape
    np.testing.assert_array_equal(ours.voxels.astype(np.float32), theirs[0])
    assert list(ours.spacing) == said["spacing"]
    assert ours.voxels.dtype == ours.head.dtype
    assert ours.voxels.dtype.isnative
    return ours


@pytest.mark.parametrize("affine", [UPRIGHT, OBLIQUE], ids=["upright", "oblique"])
@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=lambda orientation: "".join(map(str, orientation.ravel())))
def test_every_orientation_is_nnunets(tmp_path: Path, orientation: Any, affine: Any) -> None:
    path = save(tmp_path / "scan.nii.gz", noise(SHAPE), turned(orientation, SHAPE, affine))
    assert same_as_nnunet(path).voxels.dtype == np.int16


@pytest.mark.parametrize("kind", ["u1", "i1", "<i2", ">i2", "<u2", ">u2"])
def test_short_integers_stay_as_they_are(tmp_path: Path, kind: str) -> None:
    info = np.iinfo(kind)
    voxels = np.random.default_rng(0).integers(info.min, info.max, SHAPE, endpoint=True).astype(kind)
    image = nib.Nifti1Image(
        voxels, turned(ORIENTATIONS[17], SHAPE), nib.Nifti1Header(endianness=kind[0].strip("ui") or "<")
    )
    image.header.set_data_dtype(kind)
    nib.save(image, tmp_path / "scan.nii.gz")
    ours = same_as_nnunet(tmp_path / "scan.nii.gz")
    assert ours.voxels.dtype == np.dtype(kind).newbyteorder("=")
    assert volume.head(tmp_path / "scan.nii.gz").itemsize == np.dtype(kind).itemsize


@pytest.mark.parametrize("kind", ["i4", "u4", "i8", "u8", "f4", "f8", ">f4", ">f8"])
def test_everything_else_becomes_single_precision_rounded_as_nnunet_rounds(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(1)
    wide = (
        random.normal(0, 1e5, SHAPE)
        if kind[-2] == "f"
        else random.integers(0, 1 << 31, SHAPE) * (1 << 31 if kind[-1] == "8" else 1)
    )
    image = nib.Nifti1Image(wide.astype(kind), turned(ORIENTATIONS[30], SHAPE), dtype=kind)
    nib.save(image, tmp_path / "scan.nii")
    assert same_as_nnunet(tmp_path / "scan.nii").voxels.dtype == np.float32


@pytest.mark.parametrize(("slope", "inter"), [(0.1, -1024), (1, -1024), (2.5, 0), (1e-3, 1e3)])
@pytest.mark.parametrize("kind", ["i2", "u1", "i4", "f4", "f8"])
def test_scaling_is_applied_in_double_precision(tmp_path: Path, kind: str, slope: float, inter: float) -> None:
    path = save(tmp_path / "scan.nii.gz", np.abs(noise(SHAPE) % 200).astype(kind), scl_slope=slope, scl_inter=inter)
    assert same_as_nnunet(path).voxels.dtype == np.float32


@pytest.mark.parametrize("slope", [0, float("nan"), float("inf")])
def test_a_slope_that_is_none_leaves_integers_alone(tmp_path: Path, slope: float) -> None:
    path = save(tmp_path / "scan.nii.gz", noise(SHAPE), scl_slope=slope, scl_inter=7)
    assert same_as_nnunet(path).voxels.dtype == np.int16


@pytest.mark.parametrize("codes", [(0, 0), (0, 1), (2, 0), (3, 1)])
def test_the_affine_comes_from_where_nibabel_takes_it(tmp_path: Path, codes: tuple[int, int]) -> None:
    same_as_nnunet(save(tmp_path / "scan.nii.gz", noise(SHAPE), turned(ORIENTATIONS[5], SHAPE), codes))


def test_an_upright_header_is_taken_at_its_word_as_nnunet_does(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.nii.gz", noise(SHAPE), pixdim=[1, 2, 3, 4, 1, 1, 1, 1])
    assert same_as_nnunet(path).spacing == (4, 3, 2)


def test_negative_steps_are_taken_as_positive(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.nii.gz", noise(SHAPE), codes=(1, 0), pixdim=[1, -2, 3, -4, 1, 1, 1, 1])
    assert same_as_nnunet(path).spacing == (4, 3, 2)


def test_nifti_2(tmp_path: Path) -> None:
    affine = turned(ORIENTATIONS[41], SHAPE, OBLIQUE)
    nib.save(nib.Nifti2Image(noise(SHAPE), affine), tmp_path / "scan.nii.gz")
    same_as_nnunet(tmp_path / "scan.nii.gz")


def test_gzip_is_known_by_its_bytes_and_not_by_its_name(tmp_path: Path) -> None:
    save(tmp_path / "scan.nii", noise(SHAPE)).rename(tmp_path / "plain.NII.GZ")
    assert np.array_equal(volume.read(tmp_path / "plain.NII.GZ").voxels, noise(SHAPE).transpose(2, 1, 0))


def test_extensions_are_stepped_over(tmp_path: Path) -> None:
    image = nib.Nifti1Image(noise(SHAPE), UPRIGHT)
    image.header.extensions.append(nib.nifti1.Nifti1Extension("comment", b"x" * 5000))
    nib.save(image, tmp_path / "scan.nii.gz")
    same_as_nnunet(tmp_path / "scan.nii.gz")


@pytest.mark.parametrize("trailing", [(1,), (1, 1), (1, 1, 1, 1)])
def test_a_fourth_axis_of_one_is_no_axis(tmp_path: Path, trailing: tuple[int, ...]) -> None:
    voxels = noise(SHAPE)
    affine = turned(ORIENTATIONS[20], SHAPE)
    flat = same_as_nnunet(save(tmp_path / "flat.nii.gz", voxels, affine))
    deep = volume.read(save(tmp_path / "deep.nii.gz", voxels.reshape(SHAPE + trailing), affine))
    np.testing.assert_array_equal(deep.voxels, flat.voxels)
    assert (deep.spacing, deep.head.file_shape) == (flat.spacing, SHAPE)


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_what_is_not_finite_counts_as_the_smallest_value(tmp_path: Path, kind: str) -> None:
    voxels = noise(SHAPE).astype(kind)
    expected = voxels.astype(np.float32)
    with np.errstate(over="ignore"):  # 1e39 is too much for single precision
        for place, value in (((0, 0, 0), np.nan), ((1, 2, 0), np.inf), ((4, 3, 2), -np.inf), ((2, 2, 1), 1e39)):
            voxels[place] = value
        finite = np.isfinite(voxels.astype(np.float32))
    expected[~finite] = expected[finite].min()
    found = volume.read(save(tmp_path / "scan.nii.gz", voxels))
    assert found.replaced == 4
    np.testing.assert_array_equal(found.voxels, expected.transpose(2, 1, 0))


def test_nothing_finite_is_no_scan(tmp_path: Path) -> None:
    path = save(tmp_path / "scan.nii.gz", np.full(SHAPE, np.nan, np.float32))
    with pytest.raises(UserError, match=r"scan\.nii\.gz has no voxel that is a finite number"):
        volume.read(path)


@pytest.mark.parametrize("name", ["scan.nii", "scan.nii.gz"])
def test_a_head_needs_no_voxels(tmp_path: Path, name: str) -> None:
    header = nib.Nifti1Header()
    header.set_data_shape((512, 512, 2048))
    header.set_data_dtype(np.int16)
    header.set_sform(np.diag([-0.7, -0.7, 0.5, 1]), 1)
    header["pixdim"][1:4] = 0.7, 0.7, 0.5
    path = tmp_path / name
    header["vox_offset"] = 352
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(header.binaryblock) + packer.flush(zlib.Z_SYNC_FLUSH)  # a stream without its end
    path.write_bytes(packed if name.endswith("gz") else header.binaryblock)
    found = volume.head(path)
    assert (found.shape, found.itemsize) == ((2048, 512, 512), 2)
    assert found.spacing == pytest.approx((0.5, 0.7, 0.7))


def test_no_copy_of_an_integer_scan_is_made(tmp_path: Path) -> None:
    found = volume.read(save(tmp_path / "scan.nii.gz", noise(SHAPE), turned(ORIENTATIONS[3], SHAPE)))
    assert found.voxels.base is not None
    assert found.head.filed(found.voxels).flags.c_contiguous
