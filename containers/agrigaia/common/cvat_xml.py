"""Read annotations of the format 'CVAT for images 1.1': which pictures there are, and what is drawn on each.

What cannot be read at all is a `DataError`; what is wrong with one picture or one shape is a complaint, and the rest
is used. This module imports none of its neighbours, so that programs outside the image can use it too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree

Point = tuple[float, float]
KINDS = ("box", "polygon", "polyline", "points", "tag")
LEAST = {"polygon": 3, "polyline": 2, "points": 1}  # points
OTHERS = ("skeleton", "ellipse", "cuboid", "mask")  # CVAT has them, and nothing here uses them
MARGIN = 1.0  # pixels by which a shape may leave its picture unsaid: rounding, and lines drawn at the edge


class DataError(SystemExit):
    """One sentence that names the file or the id, and what to do; a program that does not catch it ends with it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(f"error: {sentence}")
        self.sentence = sentence


@dataclass(frozen=True)
class Shape:
    """What is drawn; a box has its corners at the top left and the bottom right, a tag has no points."""

    kind: str
    label: str
    points: tuple[Point, ...] = ()
    number: int = 0  # of the shape in its picture, from 1; complaints name it
    rotation: float = 0.0  # of a box about its centre, in degrees, clockwise


@dataclass(frozen=True)
class Picture:
    id: str
    name: str  # as CVAT has it, often with folders
    width: int
    height: int
    shapes: tuple[Shape, ...] = ()

    def of(self, kind: str) -> list[Shape]:
        return [shape for shape in self.shapes if shape.kind == kind]

    def where(self, source: object) -> str:
        return f"{source}: image {self.id} ({self.name})"


@dataclass(frozen=True)
class Annotations:
    labels: tuple[str, ...]  # sorted, so that their numbers are the same in every run
    pictures: tuple[Picture, ...]
    complaints: tuple[str, ...]


def read(path: Path) -> Annotations:
    """All pictures of a file, their shapes cut at the pictures' edges."""
    root = _root(path)
    declared = _labels(root)
    complaints: list[str] = []
    pictures: dict[str, Picture] = {}
    for element in root.iter("image"):
        picture = _picture(path, element, complaints)
        if picture is not None and picture.name in pictures:
            both = f"{path} has {picture.name} as image {pictures[picture.name].id} and as {picture.id}"
            complaints.append(f"{both}; the first counts, so rename one of them in CVAT")
        elif picture is not None:
            pictures[picture.name] = fitted(picture, complaints, str(path))
    if not pictures:
        raise DataError(f"{path} holds no image that can be used; export it again as 'CVAT for images 1.1'")
    if not declared:
        complaints.append(f"{path} declares no labels in its meta part; those of its shapes are taken")
        declared = {shape.label for picture in pictures.values() for shape in picture.shapes}
    known = [_with_declared(path, picture, declared, complaints) for picture in pictures.values()]
    return Annotations(tuple(sorted(declared)), tuple(known), tuple(complaints))


def _root(path: Path) -> Element:
    try:
        root: Element = ElementTree.parse(path).getroot()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); put CVAT's annotations there") from None
    except (ParseError, ValueError, LookupError) as error:  # also what defusedxml refuses
        raise DataError(f"{path} is no sound XML ({error or type(error).__name__}); export it again") from None
    if root.tag != "annotations":
        raise DataError(f"{path} begins with <{root.tag}>; export it as 'CVAT for images 1.1', which has <annotations>")
    if root.find("track") is not None and root.find("image") is None:
        raise DataError(f"{path} is of a video; export it again as 'CVAT for images 1.1'")
    return root


def _labels(root: Element) -> set[str]:
    """Of tasks, jobs and projects alike; parts of a skeleton are no labels of their own."""
    labels = [label for meta in root.iter("meta") for label in meta.iter("label") if label.find("parent") is None]
    return {name for label in labels if (name := (label.findtext("name") or "").strip())}


def _picture(path: Path, element: Element, complaints: list[str]) -> Picture | None:
    name, identity = element.get("name", ""), element.get("id", "?")
    where = f"{path}: image {identity} ({name})"
    width, height = _number(element.get("width")), _number(element.get("height"))
    if not name or not width or not height or min(width, height) < 1 or width % 1 or height % 1:
        complaints.append(f"{where} lacks a name, or a width and a height in whole pixels; it is left out")
        return None
    shapes = []
    unused: dict[str, int] = {}
    for number, child in enumerate(element, 1):
        if child.tag in KINDS:
            shape = _shape(child, number)
            if isinstance(shape, str):
                complaints.append(f"{where}: {child.tag} {number} {shape}; it is left out")
            else:
                shapes.append(shape)
        else:
            unused[child.tag] = unused.get(child.tag, 0) + 1
    for tag, count in unused.items():
        what = "is not used here" if tag in OTHERS else "is no shape of the format"
        complaints.append(f"{where} has {count} <{tag}>, which {what}; it is left out")
    return Picture(identity, name, int(width), int(height), tuple(shapes))


def _shape(element: Element, number: int) -> Shape | str:
    """The shape, or what is wrong with it."""
    label = (element.get("label") or "").strip()
    if not label:
        return "has no label"
    if element.tag == "tag":
        return Shape("tag", label, (), number)
    if element.tag == "box":
        left, top, right, bottom = (_number(element.get(key)) for key in ("xtl", "ytl", "xbr", "ybr"))
        turn = _number(element.get("rotation", "0"))
        if left is None or top is None or right is None or bottom is None or turn is None:
            return "lacks a number among xtl, ytl, xbr, ybr"
        if right <= left or bottom <= top:
            return f"is empty ({left:g}, {top:g} to {right:g}, {bottom:g})"
        return Shape("box", label, ((left, top), (right, bottom)), number, turn)
    pairs = [[_number(word) for word in pair.split(",")] for pair in element.get("points", "").split(";")]
    points = tuple(
        (x, y)
        for x, y in (pair if len(pair) == 2 else (None, None) for pair in pairs)
        if x is not None and y is not None
    )
    if len(points) < len(pairs):
        return "has points that are not written x,y;x,y"
    if len(points) < LEAST[element.tag]:
        return f"has {len(points)} points and needs {LEAST[element.tag]}"
    return Shape(element.tag, label, points, number)


def _with_declared(path: Path, picture: Picture, declared: set[str], complaints: list[str]) -> Picture:
    for shape in picture.shapes:
        if shape.label not in declared:
            what = f"{picture.where(path)}: {shape.kind} {shape.number} has the label '{shape.label}'"
            complaints.append(f"{what}, which the meta part does not declare; it is left out")
    return replace(picture, shapes=tuple(shape for shape in picture.shapes if shape.label in declared))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def fitted(picture: Picture, complaints: list[str], source: str) -> Picture:
    """The picture with its boxes upright, and its boxes and polygons cut at the edges."""
    shapes = []
    size = f"the picture of {picture.width} x {picture.height}"
    for shape in picture.shapes:
        where = f"{picture.where(source)}: {shape.kind} {shape.number}"
        cut, beyond = _cut(shape, picture.width, picture.height)
        if cut is None:
            complaints.append(f"{where} has no area in {size}; it is left out")
            continue
        if beyond > MARGIN:
            complaints.append(f"{where} reaches {beyond:g} pixels out of {size}; it is cut at the edge")
        shapes.append(cut)
    return replace(picture, shapes=tuple(shapes))


def _cut(shape: Shape, width: int, height: int) -> tuple[Shape | None, float]:
    """What of a shape lies in the picture, None for nothing, and by how many pixels it leaves it."""
    if shape.kind == "tag":
        return shape, 0.0
    points = shape.points
    if shape.kind == "box":
        points = corners(points, shape.rotation)
    left, top, right, bottom = bounds(points)
    beyond = max(-left, -top, right - width, bottom - height)
    if shape.kind == "box":
        points = ((max(left, 0.0), max(top, 0.0)), (min(right, float(width)), min(bottom, float(height))))
        inside = points[0][0] < points[1][0] and points[0][1] < points[1][1]
        return (replace(shape, points=points, rotation=0.0) if inside else None), beyond
    if shape.kind == "polygon":
        points = points if beyond <= 0 else clipped(points, width, height)
        return (replace(shape, points=points) if len(points) > 2 and area(points) > 0 else None), beyond
    points = tuple((min(max(x, 0.0), float(width)), min(max(y, 0.0), float(height))) for x, y in points)
    return replace(shape, points=points), beyond


def corners(box: Sequence[Point], rotation: float = 0.0) -> tuple[Point, ...]:
    """The four corners of a box that may be turned about its centre."""
    (left, top), (right, bottom) = box
    around = ((left, top), (right, top), (right, bottom), (left, bottom))
    if not rotation % 360:
        return around
    x0, y0 = (left + right) / 2, (top + bottom) / 2
    sine, cosine = math.sin(math.radians(rotation)), math.cos(math.radians(rotation))
    return tuple(
        (x0 + (x - x0) * cosine - (y - y0) * sine, y0 + (x - x0) * sine + (y - y0) * cosine) for x, y in around
    )


def bounds(points: Iterable[Point]) -> tuple[float, float, float, float]:
    """Left, top, right, bottom."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def area(points: Sequence[Point]) -> float:
    following = (*points[1:], points[0])
    return abs(sum(x * v - u * y for (x, y), (u, v) in zip(points, following, strict=True))) / 2


def clipped(points: Sequence[Point], width: int, height: int) -> tuple[Point, ...]:
    """A polygon cut at the picture's four edges, one after the other."""
    found = list(points)
    for axis, limit, sign in ((0, 0.0, 1), (1, 0.0, 1), (0, float(width), -1), (1, float(height), -1)):
        before, found = found, []
        for here, there in zip(before, (*before[1:], *before[:1]), strict=True):
            depth, next_depth = sign * (here[axis] - limit), sign * (there[axis] - limit)  # within the edge
            if depth >= 0:
                found.append(here)
            if depth * next_depth < 0:
                share = depth / (depth - next_depth)
                across = here[1 - axis] + share * (there[1 - axis] - here[1 - axis])
                found.append((across, limit) if axis else (limit, across))
    return tuple(found)
