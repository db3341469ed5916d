"""CVAT -> COCO -> CVAT and CVAT -> YOLO -> CVAT keep every box."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.agrigaia.common.cvat_xml import Picture, Shape, read
from tests.agrigaia_data import flat
from tests.agrigaia_data.conftest import Fetched
from workflow.scripts.agrigaia import coco_to_cvat, yolo_to_cvat
from workflow.scripts.agrigaia.cvat_write import write

assert flat.COMMON.is_dir()  # and on the path
from coco import as_coco  # noqa: E402
from yolo import lines  # noqa: E402

SIZES = st.tuples(st.integers(1, 9000), st.integers(1, 9000))
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="￾￿"), min_size=1)


@st.composite
def annotated(draw: st.DrawFn) -> tuple[tuple[str, ...], Picture]:
    """Boxes in hundredths of a pixel, as CVAT has them, of labels with any names."""
    width, height = draw(SIZES)
    labels = draw(st.lists(TEXTS, min_size=1, max_size=4, unique=True))
    boxes = []
    for number in range(draw(st.integers(1, 6))):
        xs = draw(st.lists(st.integers(0, 100 * width), min_size=2, max_size=2, unique=True))
        ys = draw(st.lists(st.integers(0, 100 * height), min_size=2, max_size=2, unique=True))
        corners = ((min(xs) / 100, min(ys) / 100), (max(xs) / 100, max(ys) / 100))
        boxes.append(Shape("box", draw(st.sampled_from(labels)), corners, number + 1))
    return tuple(sorted(labels)), Picture("0", "a.jpg", width, height, tuple(boxes))


@given(annotated())
@settings(max_examples=150, deadline=None)
def test_boxes_survive_the_way_to_coco_or_yolo_and_back(given_one: tuple[tuple[str, ...], Picture]) -> None:
    labels, before = given_one
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder / "before.xml", "task", labels, [before])
        content = read(folder / "before.xml")
        (after,) = content.pictures
        assert (content.labels, content.complaints, after) == (labels, (), before)
        coco = as_coco(content.labels, [("a.jpg", after)], "detection")
        found: list[Shape] = []
        of_number = {entry["id"]: entry["name"] for entry in coco["categories"]}
        for entry in json.loads(json.dumps(coco["annotations"])):
            made = coco_to_cvat._object(entry, of_number[entry["category_id"]], "both")
            assert isinstance(made, list)
            found += made
        assert written(folder, before, found) == before.shapes
        found = []
        for number, line in enumerate(lines(content.labels, after), 1):
            made = yolo_to_cvat._object(
                line.split(), dict(enumerate(content.labels)), (before.width, before.height), number, "both"
            )
            assert isinstance(made, list)
            found += made
        assert written(folder, before, found) == before.shapes


def written(folder: Path, before: Picture, found: list[Shape]) -> tuple[Shape, ...]:
    """The shapes of the picture after they went through an XML once more."""
    one = Picture(before.id, before.name, before.width, before.height, tuple(found))
    write(folder / "after.xml", "task", sorted({shape.label for shape in found}), [one])
    return read(folder / "after.xml").pictures[0].shapes


def test_the_demo_survives_both_commands(fetched: Fetched, tmp_path: Path) -> None:
    """CVAT -> COCO or YOLO -> CVAT, by files: every box, and of outlines every point."""
    content = read(fetched.root / "annotations" / "annotations.xml")
    known = {one.name.rpartition("/")[2]: one for one in content.pictures}
    for kind in ("detection", "segmentation"):
        made = as_coco(content.labels, list(known.items()), kind)
        (tmp_path / f"{kind}.json").write_text(json.dumps(made))
        words = ["--labels", str(tmp_path / f"{kind}.json"), "--images", str(fetched.root)]
        assert coco_to_cvat.main([*words, "--output", str(tmp_path / kind), "--shapes", "polygons", "--strict"]) == 0
    for name, one in known.items():
        (tmp_path / "yolo/images").mkdir(parents=True, exist_ok=True)
        (tmp_path / "yolo/images" / name).symlink_to(fetched.root / name)
        (tmp_path / "yolo/images" / name).with_suffix(".txt").write_text("\n".join(lines(content.labels, one)))
    data = {"path": "yolo", "train": "images", "names": list(content.labels)}
    (tmp_path / "data.yaml").write_text(yaml.safe_dump(data))
    assert yolo_to_cvat.main(["--data", str(tmp_path / "data.yaml"), "--output", str(tmp_path / "back")]) == 0
    assert not any(path.is_symlink() for path in (tmp_path / "back").iterdir())
    for result_of, kind in (("detection", "box"), ("segmentation", "polygon"), ("back", "box")):
        found = read(tmp_path / result_of / "annotations" / "annotations.xml")
        assert found.complaints == ()
        after = {one.name: [(shape.label, shape.points) for shape in one.of(kind)] for one in found.pictures}
        before = {name: [(shape.label, shape.points) for shape in one.of(kind)] for name, one in known.items()}
        assert {name: value for name, value in after.items() if value} == {
            name: value for name, value in before.items() if value
        }
