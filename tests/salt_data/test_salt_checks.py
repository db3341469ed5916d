"""What is wrong with images and masks in the competition's layout is said in one sentence; what is there is counted."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from containers.salt.rle import decode, encode
from tests.salt_data.conftest import TRAIN, Fetched, edit, error, fetch, ids, set_mask, table, write_table
from workflow.scripts.salt.pictures import FIRST, STEP, checks


def test_missing_parts_are_named(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in ("train/masks", "test"):
        shutil.rmtree(data / part)
    (data / "depths.csv").unlink()
    assert error(tmp_path / "out", data, capsys) == (
        f"{data} lacks train/masks (from train.zip), test/images (from test.zip), depths.csv; "
        "put there what the competition has"
    )


def test_a_folder_without_images_is_refused(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(data / "test/images")
    (data / "test/images").mkdir()
    (data / "test/images/.hidden.png").touch()
    assert error(tmp_path / "out", data, capsys) == (
        f"{data}/test/images holds no PNG; put there what the competition has"
    )


def test_the_sample_may_be_missing(data: Path, tmp_path: Path, fetched: Fetched) -> None:
    (data / "sample_submission.csv").unlink()
    assert fetch(tmp_path, data) == 0
    assert Fetched(tmp_path).content["fingerprint"] == fetched.content["fingerprint"]


@pytest.mark.parametrize(("part", "kind"), [("images", "image"), ("masks", "mask")])
def test_ids_and_files_must_fit(
    part: str, kind: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = ids(data)[:2]
    folder = data / "train" / part
    for name in (first, second):
        (folder / f"{name}.png").rename(tmp_path / f"{name}.png")
    assert error(tmp_path / "out", data, capsys) == (
        f"{data}/train.csv has 2 ids without {kind} in {folder} ({first}, {second}); add them"
    )
    for name in (first, second):
        (tmp_path / f"{name}.png").rename(folder / f"{name}.png")
    shutil.copy(folder / f"{first}.png", folder / "0000000000.png")
    assert error(tmp_path / "out", data, capsys) == (
        f"{folder} has 1 {kind}s that {data}/train.csv does not list (0000000000); take both from one download"
    )


def test_the_sample_must_list_the_tests_images(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = ids(data, "test/images")[0]
    (data / f"test/images/{first}.png").rename(tmp_path / "kept.png")
    assert error(tmp_path / "out", data, capsys) == (
        f"{data}/sample_submission.csv has 1 ids without image in {data}/test/images ({first}); add them"
    )


def test_an_image_cannot_be_of_both_parts(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = ids(data)[0]
    shutil.copy(data / f"train/images/{first}.png", data / f"test/images/{first}.png")
    assert error(tmp_path / "out", data, capsys) == (
        f"{data} has images both in train/images and in test/images ({first}); take them from one"
    )


@pytest.mark.parametrize("part", ["train/images", "train/masks", "test/images"])
@pytest.mark.parametrize("place", [1, -1])
def test_every_image_must_have_the_size(
    part: str, place: int, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = ids(data, part)[place]
    Image.new("RGB", (101, 100)).save(data / part / f"{name}.png")
    assert error(tmp_path / "out", data, capsys) == (
        f"{data} has 1 files that are not 101 x 101; take the images as the competition has them ({part}/{name}.png)"
    )


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image_is_named(
    content: bytes, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = ids(data)[0]
    (data / f"train/images/{name}.png").write_bytes(content)
    assert error(tmp_path / "out", data, capsys) == (
        f"{data} has 1 files that cannot be read as images; download the data again (train/images/{name}.png)"
    )


def test_a_torn_image_is_named(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data / f"train/images/{ids(data)[0]}.png"
    path.write_bytes(path.read_bytes()[:2000])
    assert f"cannot be read as images; download the data again (train/images/{path.name})" in error(
        tmp_path / "out", data, capsys
    )


def test_images_must_be_grey(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = ids(data)[0]
    path = data / f"train/images/{name}.png"
    pixels = np.array(Image.open(path))
    pixels[50, 50, 2] ^= 1
    Image.fromarray(pixels).save(path)
    assert error(tmp_path / "out", data, capsys) == (
        f"{data} has 1 files that are not grey (their channels differ); "
        f"take the images as the competition has them (train/images/{name}.png)"
    )


def test_images_of_one_channel_and_masks_of_eight_bits_will_do(data: Path, tmp_path: Path, fetched: Fetched) -> None:
    for path in sorted((data / "train/images").iterdir()):
        Image.fromarray(np.array(Image.open(path))[..., 0]).save(path)
    for path in sorted((data / "train/masks").iterdir()):
        Image.fromarray((np.array(Image.open(path)) > 0).astype(np.uint8)).save(path)
    assert fetch(tmp_path, data) == 0
    made = Fetched(tmp_path).content
    assert made["train"] == fetched.content["train"]
    assert made["fingerprint"] != fetched.content["fingerprint"]  # other bytes


def test_a_mask_that_is_not_what_the_table_says_is_refused(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = dict(table(data / "train.csv")[1:])
    salty = [name for name in sorted(texts)[:FIRST] if texts[name]]
    mask = decode(texts[salty[0]], salty[0])
    mask[np.argwhere(mask)[0][0], np.argwhere(mask)[0][1]] = False  # one pixel
    set_mask(data, salty[0], encode(mask))
    set_mask(data, salty[1], "")
    assert error(tmp_path / "out", data, capsys) == (
        f"{data} has 2 files that show other salt than the rle_mask of train.csv; take both from one download "
        f"(train/masks/{salty[0]}.png, train/masks/{salty[1]}.png)"
    )


def test_masks_are_looked_at_row_by_row(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table whose runs go along the rows, not down the columns, is found out."""
    texts = dict(table(data / "train.csv")[1:])
    turned = {name: encode(decode(text, name).T) for name, text in texts.items()}
    write_table(data / "train.csv", [["id", "rle_mask"], *([name, text] for name, text in turned.items())])
    assert "show other salt than the rle_mask of train.csv" in error(tmp_path / "out", data, capsys)


def test_the_first_and_every_so_manieth_are_looked_at_closely() -> None:
    assert (FIRST, STEP) == (50, 40)
    closely = [one.closely for one in checks([f"{index}.png" for index in range(4000)])]
    assert [index for index, so in enumerate(closely) if so] == [*range(50), *range(80, 4000, 40)]


def test_the_fingerprint_tells_what_changed(data: Path, tmp_path: Path, fetched: Fetched) -> None:
    def print_of() -> str:
        assert fetch(tmp_path, data) == 0
        return str(Fetched(tmp_path).content["fingerprint"])

    assert print_of() == fetched.content["fingerprint"]
    last = ids(data)[TRAIN - 1]
    before = dict(table(data / "train.csv")[1:])[last]
    set_mask(data, last, "1 1" if before != "1 1" else "1 2")
    assert (changed := print_of()) != fetched.content["fingerprint"]
    set_mask(data, last, before)
    assert print_of() == fetched.content["fingerprint"]
    edit(data / "depths.csv", lambda lines: [lines[0], [lines[1][0], str(int(lines[1][1]) + 1)], *lines[2:]])
    assert print_of() not in (changed, fetched.content["fingerprint"])


def test_what_is_there_is_counted(fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch(tmp_path, fetched.root) == 0
    shares = [entry["coverage"] for entry in fetched.content["train"]]
    assert capsys.readouterr().out == (
        f"{fetched.root}: 60 images with masks and 20 for the test (the competition has 4,000 and 18,000); "
        f"{shares.count(0)} have no salt, {shares.count(1)} nothing else, and {sum(shares) / 60:.1%} of all is salt\n"
    )


def test_a_manifest_that_cannot_be_written_is_told(
    fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out").write_text("a file")
    said = error(tmp_path / "out", fetched.root, capsys)
    assert said == f"{tmp_path}/out/manifest.json cannot be written (File exists); make room there"
