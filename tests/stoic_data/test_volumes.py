"""Reading: every orientation and pixel type gives the same (Z, Y, X); what cannot be used is named and refused."""

from __future__ import annotations

import itertools
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from containers.kit.errors import UserError
from containers.kit.volumes import Volume
from tests.stoic_data.images import noise, write

ORIENTATIONS = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_any_orientation_comes_out_towards_left_back_and_head(
    tmp_path: Path, order: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    straight = sitk.GetImageFromArray(noise((4, 5, 6)))
    straight.SetSpacing((1.0, 2.0, 3.0))
    turned = sitk.Flip(sitk.PermuteAxes(straight, order), [sign < 0 for sign in signs])
    sitk.WriteImage(turned, str(tmp_path / "turned.mha"), True)
    volume = Volume.open(tmp_path / "turned.mha")
    assert volume.shape == (4, 5, 6)
    assert volume.spacing == (3.0, 2.0, 1.0)
    np.testing.assert_array_equal(volume.read(), sitk.GetArrayFromImage(straight))


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS[::5])
@pytest.mark.parametrize("compressed", [True, False])
def test_a_part_is_the_same_part_in_any_orientation(
    tmp_path: Path, order: tuple[int, ...], signs: tuple[int, ...], compressed: bool
) -> None:
    straight = sitk.GetImageFromArray(noise((7, 8, 9)))
    turned = sitk.Flip(sitk.PermuteAxes(straight, order), [sign < 0 for sign in signs])
    sitk.WriteImage(turned, str(tmp_path / "turned.mhd"), compressed)
    box = (slice(2, 6), slice(0, 5), slice(4, 9))
    part = Volume.open(tmp_path / "turned.mhd").read(box)
    np.testing.assert_array_equal(part, sitk.GetArrayFromImage(straight)[box])


def test_a_part_of_an_uncompressed_file_is_all_that_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "large.mhd", noise((20, 30, 40)), compressed=False)
    sizes = []
    execute = sitk.ImageFileReader.Execute

    def counted(reader: sitk.ImageFileReader) -> sitk.Image:
        image: sitk.Image = execute(reader)
        sizes.append(image.GetSize())
        return image

    monkeypatch.setattr(sitk.ImageFileReader, "Execute", counted)
    part = Volume.open(path).read((slice(15, 20), slice(0, 30), slice(10, 20)))
    assert sizes == [(10, 30, 5)]
    np.testing.assert_array_equal(part, noise((20, 30, 40))[15:, :, 10:20])


def test_an_oblique_image_keeps_its_own_grid(tmp_path: Path) -> None:
    cosine, sine = np.cos(0.3), np.sin(0.3)
    direction = (cosine, -sine, 0, sine, cosine, 0, 0, 0, 1)
    path = write(tmp_path / "oblique.mha", noise((3, 4, 5)), direction=direction)
    np.testing.assert_array_equal(Volume.open(path).read(), noise((3, 4, 5)))


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
@pytest.mark.parametrize("suffix", ["mha", "mhd"])
@pytest.mark.parametrize("compressed", [True, False])
def test_any_pixel_type_and_file_is_read(tmp_path: Path, dtype: str, suffix: str, compressed: bool) -> None:
    voxels = (np.arange(60).reshape(3, 4, 5)).astype(dtype)
    path = write(tmp_path / f"image.{suffix}", voxels, compressed=compressed)
    found = Volume.open(path).read()
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, voxels)


@pytest.mark.parametrize("name", ["scan.MHA", "scan.Mha"])
def test_the_ending_may_be_in_capital_letters(tmp_path: Path, name: str) -> None:
    voxels = noise((3, 4, 5))
    write(tmp_path / "scan.mha", voxels)
    (tmp_path / "scan.mha").rename(tmp_path / name)
    np.testing.assert_array_equal(Volume.open(tmp_path / name).read(), voxels)


def test_big_endian_voxels_are_read_and_their_checksum_holds(tmp_path: Path) -> None:
    voxels = noise((3, 4, 5))
    packed = zlib.compress(voxels.astype(">i2").tobytes())
    header = (
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = True\nCompressedData = True\n"
        f"CompressedDataSize = {len(packed)}\nElementSpacing = 1 1 1\nDimSize = 5 4 3\nElementType = MET_SHORT\n"
        "ElementDataFile = LOCAL\n"
    )
    (tmp_path / "big.mha").write_bytes(header.encode() + packed)
    np.testing.assert_array_equal(Volume.open(tmp_path / "big.mha").read(), voxels)


def test_a_fourth_axis_of_length_one_is_dropped(tmp_path: Path) -> None:
    image = sitk.JoinSeries([sitk.GetImageFromArray(noise((3, 4, 5)))])
    sitk.WriteImage(image, str(tmp_path / "four.mha"), True)
    volume = Volume.open(tmp_path / "four.mha")
    assert volume.shape == (3, 4, 5)
    np.testing.assert_array_equal(volume.read(), noise((3, 4, 5)))


def test_voxels_outlive_the_image_that_they_came_from(tmp_path: Path) -> None:
    write(tmp_path / "a.mha", noise((30, 64, 64), 1))
    write(tmp_path / "b.mha", noise((30, 64, 64), 2))
    first = Volume.open(tmp_path / "a.mha").read()
    second = Volume.open(tmp_path / "b.mha").read()
    np.testing.assert_array_equal(first, noise((30, 64, 64), 1))
    np.testing.assert_array_equal(second, noise((30, 64, 64), 2))


def damaged(path: Path) -> Path:
    content = bytearray(path.read_bytes())
    content[len(content) * 2 // 3] ^= 0xFF
    path.write_bytes(content)
    return path


def cut(path: Path, data: Path | None = None) -> Path:
    data = data or path
    data.write_bytes(data.read_bytes()[: data.stat().st_size * 2 // 3])
    return path


def edited(path: Path, old: str, new: str) -> Path:
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode()))
    return path


def empty(folder: Path) -> Path:
    (folder / "x.mha").touch()
    return folder / "x.mha"


def text(folder: Path) -> Path:
    (folder / "x.mha").write_text("not an image\n")
    return folder / "x.mha"


def with_value(folder: Path, value: float, dtype: str = "f4") -> Path:
    voxels = np.zeros((3, 4, 5), dtype)
    voxels[1, 2, 3] = value
    return write(folder / "x.mha", voxels)


def saved(folder: Path, image: sitk.Image) -> Path:
    sitk.WriteImage(image, str(folder / "x.mha"), True)
    return folder / "x.mha"


def some(folder: Path, compressed: bool = False, suffix: str = "mha") -> Path:
    return write(folder / f"x.{suffix}", noise((20, 30, 40)), compressed=compressed)


BROKEN: dict[str, tuple[Any, str]] = {
    "absent": (lambda folder: folder / "x.mha", "is not there; fetch it again"),
    "empty": (empty, "is empty; fetch it again"),
    "text": (text, "is not a readable image"),
    "2-D": (lambda folder: saved(folder, sitk.Image(4, 5, sitk.sitkInt16)), r"has 2 dimensions \(4 x 5\)"),
    "4-D": (lambda folder: saved(folder, sitk.Image([4, 5, 6, 2], sitk.sitkInt16)), "has 4 dimensions"),
    "colour": (lambda folder: saved(folder, sitk.Image([4, 5, 6], sitk.sitkVectorUInt8, 3)), "has 3 values a voxel"),
    "NaN": (lambda folder: with_value(folder, np.nan), "NaN or infinite"),
    "infinite": (lambda folder: with_value(folder, -np.inf, "f8"), "NaN or infinite"),
    "too large": (lambda folder: with_value(folder, 1e300, "f8"), "NaN or infinite"),
    "cut": (lambda folder: cut(some(folder)), "is truncated or damaged"),
    "cut, compressed": (lambda folder: cut(some(folder, True)), "is truncated or damaged"),
    "cut beside": (lambda folder: cut(some(folder, True, "mhd"), folder / "x.zraw"), "is truncated or damaged"),
    "flipped bits": (lambda folder: damaged(some(folder, True)), "is damaged: its voxels do not match the checksum"),
    "no voxels": (lambda folder: edited(some(folder), "DimSize = 40 30 20", "DimSize = 40 30 0"), "has no voxels"),
    "spacing -1": (
        lambda folder: edited(some(folder), "ElementSpacing = 1 1 1", "ElementSpacing = 1 -1 1"),
        "has the spacing",
    ),
    "spacing 0": (
        lambda folder: edited(some(folder), "ElementSpacing = 1 1 1", "ElementSpacing = 0 1 1"),
        "has the spacing",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_cannot_be_used_is_named_and_refused(tmp_path: Path, kind: str) -> None:
    make, sentence = BROKEN[kind]
    path = make(tmp_path)
    with pytest.raises(UserError, match=sentence) as caught:
        Volume.open(path).read()
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_truncated_file_is_refused_even_where_the_part_is_whole(tmp_path: Path) -> None:
    path = cut(some(tmp_path, False, "mhd"), tmp_path / "x.raw")
    with pytest.raises(UserError, match=r"x\.mhd is truncated: its voxels take 48000 bytes, and x\.raw has fewer"):
        Volume.open(path).read((slice(0, 5), slice(0, 30), slice(0, 40)))
