"""Files that are no scan: one sentence with the file's name and what is wrong, never a traceback."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from containers.amos import volume
from containers.kit.errors import UserError
from tests.amos_container.scans import UPRIGHT, noise, save

SHAPE = (6, 5, 4)
Broken = Callable[[Path], Any]


def whole(path: Path) -> bytes:
    return save(path, noise(SHAPE)).read_bytes()


def shortened(path: Path) -> None:
    path.write_bytes(whole(path)[:-40])


def plain(path: Path) -> bytes:
    return gzip.decompress(whole(path))


def flipped(path: Path) -> None:
    content = bytearray(whole(path))
    content[-6] ^= 0xFF  # in the checksum
    path.write_bytes(content)


def garbled(path: Path) -> None:
    content = bytearray(whole(path))
    content[120:160] = b"\xff" * 40
    path.write_bytes(content)


def pair(path: Path) -> None:
    header = nib.nifti1.Nifti1PairHeader()
    header.set_data_shape(SHAPE)
    header.set_data_dtype(np.int16)
    path.write_bytes(gzip.compress(header.binaryblock))


def typed(kind: Any) -> Broken:
    return lambda path: save(path, np.zeros(SHAPE, kind))


def shaped(*shape: int) -> Broken:
    return lambda path: save(path, np.zeros(shape, np.int16))


def headed(codes: tuple[int, int] = (1, 1), **fields: Any) -> Broken:
    return lambda path: save(path, noise(SHAPE), UPRIGHT, codes, **fields)


COLOURS = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
CASES: dict[str, tuple[Broken, str]] = {
    "missing": (lambda _: None, "cannot be read (No such file or directory)"),
    "folder": (lambda path: path.mkdir(), "is a folder, not an image"),
    "dangling link": (lambda path: path.symlink_to("nowhere"), "cannot be read (No such file or directory)"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "text": (lambda path: path.write_text("a scan, believe me"), "is no NIfTI file"),
    "gzipped text": (lambda path: path.write_bytes(gzip.compress(b"a scan, believe me")), "is no NIfTI file"),
    "gzip of nothing": (lambda path: path.write_bytes(gzip.compress(b"")), "is cut short: it ends within its header"),
    "two bytes": (lambda path: path.write_bytes(b"\x1f\x8b"), "is cut short"),
    "another gzip method": (lambda path: path.write_bytes(b"\x1f\x8b\x07" + bytes(40)), "is damaged"),
    "cut in the voxels": (shortened, "is cut short: its gzip stream has no end"),
    "cut in the header": (lambda path: path.write_bytes(plain(path)[:200]), "is cut short: it ends within its header"),
    "cut before the voxels": (lambda path: path.write_bytes(plain(path)[:350]), "ends before its voxels begin"),
    "fewer voxels than said": (
        lambda path: path.write_bytes(plain(path)[:-61]),
        "is cut short: its header says 4 planes and its voxels end in plane 3",
    ),
    "fewer voxels in whole gzip": (
        lambda path: path.write_bytes(gzip.compress(plain(path)[:-1])),
        "its voxels end in plane 4",
    ),
    "wrong checksum": (flipped, "is damaged"),
    "wrong bytes": (garbled, "is damaged"),
    "header and image apart": (pair, "is no NIfTI file with its voxels inside: its magic is b'ni1'"),
    "no magic": (headed(magic=b""), "its magic is b''"),
    "complex": (typed(np.complex64), "has complex numbers for voxels"),
    "colours": (typed(COLOURS), "has colours for voxels"),
    "unknown type": (headed(datatype=3), "has a broken header (data code 3 not recognized)"),
    "bits": (headed(datatype=1), "has a broken header (data code 1 not supported)"),
    "two dimensions": (shaped(5, 5), "has 2 dimensions (5 x 5); it should be one 3-D image"),
    "several channels": (shaped(5, 5, 5, 2), "has 4 dimensions (5 x 5 x 5 x 2)"),
    "vectors": (shaped(5, 5, 5, 1, 3), "has 5 dimensions (5 x 5 x 5 x 1 x 3)"),
    "no voxels": (headed(dim=[3, 5, 0, 5, 1, 1, 1, 1]), "has no voxels (5 x 0 x 5)"),
    "negative side": (headed(dim=[3, 5, -5, 5, 1, 1, 1, 1]), "has no voxels (5 x -5 x 5)"),
    "no spacing": (headed(pixdim=[1, 1, 0, 1, 1, 1, 1, 1]), "has the spacing 1 x 0 x 1; it should be positive, in mm"),
    "spacing nan": (headed(pixdim=[1, 1, np.nan, 1, 1, 1, 1, 1]), "has the spacing 1 x nan x 1"),
    "no direction": (headed(srow_x=[0] * 4), "has an affine that is not a number or zero somewhere"),
    "affine nan": (headed(srow_y=[0, np.nan, 0, 0]), "has an affine that is not a number"),
    "flat": (headed(srow_x=[1, 1, 0, 0], srow_y=[1, 1, 0, 0]), "has a singular affine"),
    "broken quaternion": (headed((0, 1), quatern_b=9), "has a broken header"),
    "intercept nan": (headed(scl_slope=2, scl_inter=np.nan), "has a broken header (Valid slope but invalid"),
    "voxels in the header": (headed(vox_offset=0), "has a broken header (its voxels begin within it)"),
    "offset nan": (headed(vox_offset=np.nan), "has a broken header"),
    "offset infinite": (headed(vox_offset=np.inf), "has a broken header"),
    "offset beyond the end": (headed(vox_offset=1e6), "is cut short: it ends before its voxels begin"),
}


@pytest.mark.parametrize("name", CASES)
def test_it_is_one_sentence(tmp_path: Path, name: str) -> None:
    make, words = CASES[name]
    path = tmp_path / "a scan.nii.gz"
    make(path)
    with pytest.raises(UserError) as caught:
        volume.read(path)
    said = str(caught.value)
    assert said.startswith(f"{path} ")
    assert words in said
    assert "\n" not in said


def test_a_file_of_another_user_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "scan.nii.gz", noise(SHAPE))

    def refused(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(UserError, match=r"scan\.nii\.gz cannot be read \(Permission denied\)"):
        volume.head(path)


def test_nibabel_says_nothing_by_itself(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "scan.nii.gz", noise(SHAPE), pixdim=[0, -1, 1, 1, 1, 1, 1, 1], sform_code=77)
    volume.head(path)
    assert capfd.readouterr() == ("", "")
