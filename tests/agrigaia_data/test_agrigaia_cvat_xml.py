"""CVAT for images 1.1 is read as CVAT writes it, and what is wrong in it is told by file and id."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.agrigaia.common.cvat_xml import DataError, Picture, Shape, area, bounds, clipped, fitted, read
from tests.agrigaia_data.conftest import LABELS, Write, box, image


def xml_of(root: Path) -> Path:
    return root / "annotations" / "annotations.xml"


def test_all_kinds_of_shapes_are_read(write: Write) -> None:
    shapes = (
        box("oat", 1.5, 2, 30, 40.25)
        + '<polygon label="beet" points="1,1;50,1;50,40"/><polyline label="beet" points="1,2;3,4"/>'
        + '<points label="oat" points="5,6"/><tag label="oat"/>'
    )
    found = read(xml_of(write(image("day 1/a.jpg", shapes, 17))))
    assert found.complaints == ()
    assert found.labels == ("beet", "oat")
    (picture,) = found.pictures
    assert (picture.id, picture.name, picture.width, picture.height) == ("17", "day 1/a.jpg", 100, 80)
    assert picture.shapes == (
        Shape("box", "oat", ((1.5, 2), (30, 40.25)), 1),
        Shape("polygon", "beet", ((1, 1), (50, 1), (50, 40)), 2),
        Shape("polyline", "beet", ((1, 2), (3, 4)), 3),
        Shape("points", "oat", ((5, 6),), 4),
        Shape("tag", "oat", (), 5),
    )


@pytest.mark.parametrize(
    "meta",
    [
        f"<meta><task>{LABELS}</task></meta>",
        f"<meta><job>{LABELS}</job></meta>",
        f"<meta><project>{LABELS}<tasks><task><name>a</name></task></tasks></project></meta>",
        "<meta><task><labels><label><name>oat</name></label></labels></task>"
        "<task><labels><label><name> beet </name></label><label><name>oat</name></label></labels></task></meta>",
        "<meta><task><labels><label><name>oat</name></label><label><name>beet</name></label>"
        "<label><name>leaf tip</name><type>points</type><parent>beet</parent></label></labels></task></meta>",
    ],
    ids=["task", "job", "project", "tasks", "skeleton"],
)
def test_labels_are_found_wherever_an_export_has_them_and_sorted(meta: str, write: Write) -> None:
    shapes = box("oat", 1, 1, 9, 9) + box("beet", 1, 1, 9, 9)
    found = read(xml_of(write(image("a.jpg", shapes) + image("b.jpg", "", 1), meta=meta)))
    assert (found.labels, found.complaints) == (("beet", "oat"), ())
    assert [len(picture.shapes) for picture in found.pictures] == [2, 0]


def test_without_a_meta_part_the_labels_are_those_of_the_shapes(write: Write) -> None:
    path = xml_of(write(image("a.jpg", box("rye", 1, 1, 9, 9)), meta=""))
    found = read(path)
    assert found.labels == ("rye",)
    assert found.complaints == (f"{path} declares no labels in its meta part; those of its shapes are taken",)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (box("oat", 5, 5, 5, 9), "box 1 is empty (5, 5 to 5, 9); it is left out"),
        (box("oat", "x", 5, 6, 9), "box 1 lacks a number among xtl, ytl, xbr, ybr; it is left out"),  # type: ignore[arg-type]
        (box("oat", "nan", 5, 6, 9), "box 1 lacks a number among xtl, ytl, xbr, ybr; it is left out"),  # type: ignore[arg-type]
        ('<tag label=" "/>', "tag 1 has no label; it is left out"),
        ('<polygon label="oat" points="1,1;2,2"/>', "polygon 1 has 2 points and needs 3; it is left out"),
        (
            '<polygon label="oat" points="1,1;2;3,4"/>',
            "polygon 1 has points that are not written x,y;x,y; it is left out",
        ),
        ('<polygon label="oat"/>', "polygon 1 has points that are not written x,y;x,y; it is left out"),
        (box("oat", 101, 5, 130, 9), "box 1 has no area in the picture of 100 x 80; it is left out"),
        (
            '<polygon label="oat" points="1,1;2,2;3,3"/>',
            "polygon 1 has no area in the picture of 100 x 80; it is left out",
        ),
        (
            box("rye", 1, 5, 13, 9),
            "box 1 has the label 'rye', which the meta part does not declare; it is left out",
        ),
    ],
)
def test_a_shape_that_cannot_be_is_named_and_left_out(shape: str, said: str, write: Write) -> None:
    path = xml_of(write(image("d/a.jpg", shape + box("oat", 1, 1, 9, 9), 4)))
    found = read(path)
    assert found.complaints == (f"{path}: image 4 (d/a.jpg): {said}",)
    assert [shape.number for shape in found.pictures[0].shapes] == [2]


def test_shapes_that_nothing_uses_are_counted(write: Write) -> None:
    path = xml_of(write(image("a.jpg", '<mask label="oat"/><mask label="oat"/><circle/>' + box("oat", 1, 1, 2, 2))))
    assert read(path).complaints == (
        f"{path}: image 0 (a.jpg) has 2 <mask>, which is not used here; it is left out",
        f"{path}: image 0 (a.jpg) has 1 <circle>, which is no shape of the format; it is left out",
    )


def test_boxes_are_cut_at_the_edge_and_said_to_be_where_it_matters(write: Write) -> None:
    shapes = box("oat", -0.4, 10, 100.9, 20) + box("oat", 90, 70, 130, 95.5)
    path = xml_of(write(image("a.jpg", shapes)))
    found = read(path)
    assert [shape.points for shape in found.pictures[0].shapes] == [((0, 10), (100, 20)), ((90, 70), (100, 80))]
    assert found.complaints == (
        f"{path}: image 0 (a.jpg): box 2 reaches 30 pixels out of the picture of 100 x 80; it is cut at the edge",
    )


def test_a_turned_box_becomes_the_upright_one_around_it(write: Write) -> None:
    found = read(xml_of(write(image("a.jpg", box("oat", 40, 30, 60, 40, 'rotation="90"')))))
    (left, top), (right, bottom) = found.pictures[0].shapes[0].points
    assert (left, top, right, bottom) == pytest.approx((45, 25, 55, 45))


def test_a_polygon_is_cut_at_the_edge() -> None:
    inside = clipped(((-50, 40), (50, -40), (150, 40), (50, 120)), 100, 80)
    assert bounds(inside) == (0, 0, 100, 80)
    assert area(inside) == pytest.approx(8000)
    corner = clipped(((-10, -10), (20, -10), (20, 20), (-10, 20)), 100, 80)
    assert sorted(corner) == [(0, 0), (0, 20), (20, 0), (20, 20)]
    assert clipped(((101, 1), (120, 1), (120, 9)), 100, 80) == ()


numbers = st.floats(-300, 300, allow_nan=False)
points = st.tuples(numbers, numbers)


@given(st.lists(points, min_size=3, max_size=8), st.sampled_from(["polygon", "box", "points", "polyline"]), numbers)
def test_nothing_is_left_outside_the_picture(outline: list[tuple[float, float]], kind: str, turn: float) -> None:
    left, top, right, bottom = bounds(outline)
    corners = ((left, top), (right + 1, bottom + 1)) if kind == "box" else tuple(outline)
    complaints: list[str] = []
    shape = Shape(kind, "oat", corners, 1, turn if kind == "box" else 0.0)
    cut = fitted(Picture("0", "a.jpg", 100, 80, (shape,)), complaints, "x.xml")
    for one in cut.shapes:
        left, top, right, bottom = bounds(one.points)
        assert 0 <= left <= right <= 100
        assert 0 <= top <= bottom <= 80
        assert kind not in ("box", "polygon") or (right > left and bottom > top)
        assert one.rotation == 0
    assert len(cut.shapes) + len(complaints) >= 1


def test_two_images_of_one_name_and_images_without_a_size_are_told(write: Write) -> None:
    images = image("a.jpg", box("oat", 1, 1, 9, 9), 1) + image("a.jpg", "", 2) + image("b.jpg", "", 3, width=0)
    path = xml_of(write(images))
    found = read(path)
    assert [picture.id for picture in found.pictures] == ["1"]
    assert found.complaints == (
        f"{path} has a.jpg as image 1 and as 2; the first counts, so rename one of them in CVAT",
        f"{path}: image 3 (b.jpg) lacks a name, or a width and a height in whole pixels; it is left out",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<annotations><image", "{path} is no sound XML (unclosed token: line 1, column 13); export it again"),
        ("", "{path} is no sound XML (no element found: line 1, column 0); export it again"),
        (
            '<?xml version="1.0" encoding="none"?><a/>',
            "{path} is no sound XML (unknown encoding: none); export it again",
        ),
        (
            '<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>',
            "{path} is no sound XML (EntitiesForbidden(name='b', system_id=None, public_id=None)); export it again",
        ),
        (
            "<annotation/>",
            "{path} begins with <annotation>; export it as 'CVAT for images 1.1', which has <annotations>",
        ),
        ("<annotations><track/></annotations>", "{path} is of a video; export it again as 'CVAT for images 1.1'"),
        ("<annotations/>", "{path} holds no image that can be used; export it again as 'CVAT for images 1.1'"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "annotations.xml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.sentence == said.format(path=path)
    assert str(caught.value) == f"error: {said.format(path=path)}"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.xml cannot be read \(No such file or directory\); put CVAT's"):
        read(tmp_path / "none.xml")
