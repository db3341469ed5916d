"""Changes at random: pictures and their boxes stay together, and crops are cut from upright pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.agrigaia_train import flat

assert flat
import augment  # noqa: E402
import crops  # noqa: E402
import pixels  # noqa: E402
import plots  # noqa: E402

SIZE = 96


def drawn(box: tuple[int, int, int, int]) -> torch.Tensor:
    picture = torch.zeros(1, SIZE, SIZE)
    picture[:, box[1] : box[3], box[0] : box[2]] = 1
    return picture.repeat(3, 1, 1)


@pytest.mark.parametrize(("kind", "forms"), [("mirror", 2), ("aerial", 8)])
def test_boxes_go_where_their_pictures_go(kind: str, forms: int) -> None:
    box, count = (30, 38, 50, 48), 64
    changes = augment.movements(count, kind, torch.Generator().manual_seed(1))
    found = augment.moved(drawn(box)[None].repeat(count, 1, 1, 1), changes)
    for picture, change in zip(found, changes, strict=True):
        rows, columns = torch.nonzero(picture[0] > 0.5, as_tuple=True)
        seen = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        told = augment.moved_boxes(torch.tensor([box]).float(), change, SIZE)[0]
        assert torch.allclose(torch.tensor(seen).float(), told, atol=1.3)
    signs = {tuple(change[:, :2].flatten().sign().int().tolist()) for change in changes}
    assert len(signs) == forms


def test_light_changes_and_places_do_not() -> None:
    random = torch.Generator().manual_seed(4)
    pictures = torch.rand(32, 3, 8, 8) * 0.5 + 0.2
    found = augment.lit(pictures.clone(), random)
    assert ((found >= 0) & (found <= 1)).all()
    assert 0.02 < (found.mean((1, 2, 3)) / pictures.mean((1, 2, 3))).std() < 0.25
    for one, other in zip(found, pictures, strict=True):
        assert torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1] > 0.9


def test_equal_seeds_give_equal_changes() -> None:
    one, other, third = (augment.movements(9, "aerial", torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, other)
    assert not torch.equal(one, third)


def test_boxes_that_left_are_no_longer_learnt() -> None:
    boxes = torch.tensor(
        [[-10.0, 10, 10, 20], [-18, 10, 2, 20], [10, 10, 11, 40], [90, 90, 100, 100], [200, 0, 210, 9]]
    )
    cut, labels = plots.seen((boxes, torch.arange(5)), SIZE)
    assert cut.tolist() == [[0, 10, 10, 20], [90, 90, 96, 96]]
    assert labels.tolist() == [0, 3]
    none, nothing = plots.seen((boxes[:0], torch.zeros(0, dtype=torch.long)), SIZE)
    assert (len(none), len(nothing)) == (0, 0)


def quarters(path: Path) -> None:
    """A picture of 60 x 40 with a red top left, green top right, blue bottom left, white bottom right; saved turned."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20, :30], picture[:20, 30:] = (220, 20, 20), (20, 220, 20)
    picture[20:, :30], picture[20:, 30:] = (20, 20, 220), (240, 240, 240)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise to be seen upright
    Image.fromarray(np.rot90(picture, 1)).save(path, exif=exif, quality=98, subsampling=0)


def colour(values: torch.Tensor) -> list[int]:
    return (values.mean((1, 2)) * 255 / 20).round().int().tolist()


def test_crops_are_cut_from_upright_pictures_with_some_around_them(tmp_path: Path) -> None:
    images, labels = tmp_path / "images", tmp_path / "labels"
    (images / "val").mkdir(parents=True)
    (labels / "val").mkdir(parents=True)
    quarters(images / "val" / "a.jpg")
    boxes = [[2, 2, 16, 10], [40, 2, 10, 16], [0, 0, 60, 40]]
    content = {
        "categories": [{"id": 1, "name": "oat"}, {"id": 2, "name": "rye"}],
        "images": [{"id": 4, "file_name": "a.jpg"}],
        "annotations": [{"image_id": 4, "category_id": 2 - n % 2, "bbox": box} for n, box in enumerate(boxes)],
    }
    (labels / "val" / "labels.json").write_text(json.dumps(content))
    found = crops.load(images, labels, "val", 64)
    assert (found.classes, found.labels.tolist(), len(found)) == (("oat", "rye"), [1, 0, 1], 3)
    values = found.frames.batch([0, 1, 2], torch.device("cpu"))
    assert values.shape == (3, 3, 64, 64)
    assert colour(values[0, :, 20:44, 20:44]) == [11, 1, 1]
    assert colour(values[1, :, 20:40, 20:44]) == [1, 11, 1]
    assert colour(values[2, :, :9]) == [6, 6, 6]  # grey above the whole picture
    assert colour(values[2, :, 14:30, 4:28]) == [11, 1, 1]
    assert colour(values[2, :, 36:50, 36:60]) == [12, 12, 12]


def test_labels_that_are_not_there_or_are_none_are_told(tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit, match=r"^error: .*/train/labels.json cannot be read \(No such file or directory\); let "
    ):
        crops.load(tmp_path, tmp_path, "train", 64)
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "labels.json").write_text("{")
    with pytest.raises(SystemExit, match=r"labels.json cannot be read \(Expecting .*\); let setup.py write it$"):
        crops.load(tmp_path, tmp_path, "train", 64)


def test_plots_have_their_boxes_in_the_square(tmp_path: Path) -> None:
    images, labels = tmp_path / "images", tmp_path / "labels"
    (images / "train" / "day").mkdir(parents=True)
    (labels / "train" / "day").mkdir(parents=True)
    quarters(images / "train" / "day" / "a.jpg")
    Image.new("RGB", (10, 10)).save(images / "train" / "empty.png")
    (labels / "train" / "day" / "a.txt").write_text("1 0.25 0.25 0.5 0.5\n0 0.75 0.75 0.5 0.5\n")
    found = plots.load(images, labels, "train", 96, 2)
    boxes, numbers = found.truth[0]
    assert boxes.tolist() == [[0, 16, 48, 48], [48, 48, 96, 80]]
    assert (numbers.tolist(), len(found.truth[1][0]), len(found)) == ([1, 0], 0, 2)
    values = found.frames.batch([0], torch.device("cpu"))[0]
    assert colour(values[:, 20:44, 4:44]) == [11, 1, 1]
    assert colour(values[:, 52:76, 52:92]) == [12, 12, 12]
    (labels / "train" / "day" / "a.txt").write_text("1 0.25 0.25 0.5 0.5\n2 0.75 0.75 0.5 0.5\n")
    with pytest.raises(
        SystemExit, match=r"^error: .*/a.txt, line 2 is not 'class x y width height'; let setup.py write"
    ):
        plots.load(images, labels, "train", 96, 2)


def test_pictures_of_sixteen_bits_keep_their_light_and_broken_ones_are_named(tmp_path: Path) -> None:
    values = np.linspace(1000, 41000, 32 * 32).reshape(32, 32).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    found = np.asarray(pixels.upright(tmp_path / "deep.png"))
    assert found.shape == (32, 32, 3)
    assert (found.min(), found.max()) == (0, 255)
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8 no picture")
    with pytest.raises(SystemExit, match=r"^error: .*bad.jpg cannot be read as a picture \(.*\); put it there again$"):
        pixels.upright(tmp_path / "bad.jpg")


def test_pictures_that_have_no_room_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10**6}))
    with pytest.raises(SystemExit, match=r"0.0 GB free and 100 pictures of img-size 100 take 0.0 GB; set TMPDIR"):
        pixels.Frames(100, 100)
