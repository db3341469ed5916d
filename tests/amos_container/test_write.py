"""Label maps: in the scan's own grid and header, for every program that reads them, and whole or not at all."""

from __future__ import annotations

import gzip
import resource
import signal
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk

from containers.amos import volume
from containers.kit.errors import UserError
from tests.amos_container.scans import ORIENTATIONS, UPRIGHT, noise, save, turned

SHAPE = (5, 4, 3)
GEOMETRY = ("pixdim", "qform_code", "sform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y")
MATRIX = ("qoffset_z", "srow_x", "srow_y", "srow_z", "xyzt_units")
TURN = np.deg2rad(20)
ROTATION = [[np.cos(TURN), -np.sin(TURN), 0, 3], [np.sin(TURN), np.cos(TURN), 0, 4], [0, 0, 1, 5], [0, 0, 0, 1]]
OBLIQUE = np.array(ROTATION) @ UPRIGHT


def labelled(source: Path, target: Path) -> Any:
    """Write labels that are a function of the scan's voxels, so that a voxel in the wrong place is seen."""
    scan = volume.read(source)
    volume.write(target, np.asarray(scan.voxels % 16, np.uint8), like=scan.head)
    return load(target)


def load(path: Path) -> Any:
    return nib.load(path)


@pytest.mark.parametrize("orientation", ORIENTATIONS, ids=lambda orientation: "".join(map(str, orientation.ravel())))
def test_every_voxel_comes_back_to_its_place(tmp_path: Path, orientation: Any) -> None:
    voxels = noise(SHAPE)
    source = save(tmp_path / "scan.nii.gz", voxels, turned(orientation, SHAPE, OBLIQUE))
    written = labelled(source, tmp_path / "label.nii.gz")
    np.testing.assert_array_equal(np.asanyarray(written.dataobj), voxels % 16)
    assert written.get_data_dtype() == np.uint8


@pytest.mark.parametrize("codes", [(0, 0), (0, 1), (2, 0), (1, 1), (4, 3)])
def test_the_header_places_it_where_the_scan_is(tmp_path: Path, codes: tuple[int, int]) -> None:
    source = save(tmp_path / "scan.nii.gz", noise(SHAPE), turned(ORIENTATIONS[13], SHAPE, OBLIQUE), codes)
    written, scan = labelled(source, tmp_path / "label.nii.gz"), load(source)
    for name in (*GEOMETRY, *MATRIX):
        assert written.header[name].tobytes() == scan.header[name].tobytes(), name
    assert written.affine.tobytes() == scan.affine.tobytes()
    assert (written.dataobj.slope, written.dataobj.inter) == (1, 0)
    ours, theirs = sitk.ReadImage(tmp_path / "label.nii.gz"), sitk.ReadImage(source)
    assert ours.GetSize() == theirs.GetSize()
    for one, other in (
        (ours.GetSpacing(), theirs.GetSpacing()),
        (ours.GetOrigin(), theirs.GetOrigin()),
        (ours.GetDirection(), theirs.GetDirection()),
    ):
        assert one == pytest.approx(other, abs=1e-3)
    assert np.array_equal(sitk.GetArrayViewFromImage(ours), sitk.GetArrayViewFromImage(theirs) % 16)


def test_what_is_about_the_scans_values_goes(tmp_path: Path) -> None:
    fields: dict[str, Any] = {"scl_slope": 2, "scl_inter": -1024, "cal_max": 400, "cal_min": -100}
    source = save(tmp_path / "scan.nii.gz", noise(SHAPE), intent_code=5, intent_p1=3, intent_name=b"z score", **fields)
    header = nib.Nifti1Header(gzip.decompress(write_zeros(source, tmp_path).read_bytes())[:348])
    assert (header["scl_slope"], header["scl_inter"], header["cal_max"], header["cal_min"]) == (1, 0, 0, 0)
    assert header.get_intent() == ("none", (), "")
    assert (header["vox_offset"], header["bitpix"]) == (352, 8)


def write_zeros(source: Path, folder: Path) -> Path:
    found = volume.head(source)
    volume.write(folder / "label.nii.gz", np.zeros(found.shape, np.uint8), like=found)
    return folder / "label.nii.gz"


def test_a_fourth_axis_of_one_is_not_written(tmp_path: Path) -> None:
    source = save(tmp_path / "scan.nii.gz", noise((*SHAPE, 1)), turned(ORIENTATIONS[9], SHAPE))
    written = labelled(source, tmp_path / "label.nii.gz")
    assert written.shape == SHAPE
    assert np.array_equal(written.affine, load(source).affine)
    assert np.array_equal(np.asanyarray(written.dataobj), noise((*SHAPE, 1))[..., 0] % 16)


@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_big_endian_and_nifti_2_stay_readable(tmp_path: Path, kind: Any) -> None:
    header = kind.header_class(endianness=">")
    header.set_data_dtype(">i2")
    affine = turned(ORIENTATIONS[21], SHAPE)
    nib.save(kind(noise(SHAPE), affine, header), tmp_path / "scan.nii.gz")
    written = labelled(tmp_path / "scan.nii.gz", tmp_path / "label.nii.gz")
    assert np.array_equal(np.asanyarray(written.dataobj), noise(SHAPE) % 16)
    assert np.array_equal(written.affine, load(tmp_path / "scan.nii.gz").affine)
    assert type(written) is kind


def test_the_same_labels_are_the_same_bytes_and_the_name_decides_on_gzip(tmp_path: Path) -> None:
    source = save(tmp_path / "scan.nii", noise(SHAPE))
    for name in ("a.nii.gz", "b.NII.GZ", "c.nii"):
        labelled(source, tmp_path / name)
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.NII.GZ").read_bytes()
    assert (tmp_path / "c.nii").read_bytes() == gzip.decompress((tmp_path / "a.nii.gz").read_bytes())
    assert (tmp_path / "a.nii.gz").read_bytes()[4:8] == bytes(4), "no time"


def test_half_a_file_never_bears_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = save(tmp_path / "scan.nii.gz", noise((64, 64, 64)))
    out = tmp_path / "out"
    out.mkdir()
    seen: list[str] = []
    real = np.ascontiguousarray

    def looking(array: Any) -> Any:
        seen.extend(path.name for path in out.iterdir())
        return real(array)

    monkeypatch.setattr(np, "ascontiguousarray", looking)
    labelled(source, out / "label.nii.gz")
    assert {name.startswith(".") and not name.endswith(".nii.gz") for name in seen} == {True}
    assert [path.name for path in out.iterdir()] == ["label.nii.gz"]


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    source = save(tmp_path / "scan.nii", noise((64, 64, 64)))
    scan = volume.read(source)
    labels = np.asarray(scan.voxels % 16, np.uint8)
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(UserError, match=r"label\.nii\.gz cannot be written \(File too large\)"):
            volume.write(tmp_path / "label.nii.gz", labels, like=scan.head)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in tmp_path.iterdir()] == ["scan.nii"]


def test_labels_of_another_shape_are_a_mistake_of_ours(tmp_path: Path) -> None:
    found = volume.head(save(tmp_path / "scan.nii.gz", noise(SHAPE)))
    with pytest.raises(ValueError, match="labels are uint8 of"):
        volume.write(tmp_path / "label.nii.gz", np.zeros(SHAPE, np.uint8), like=found)
