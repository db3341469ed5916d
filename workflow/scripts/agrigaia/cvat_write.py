"""Write annotations of the format 'CVAT for images 1.1', as CVAT's export of a task has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from containers.agrigaia.common.cvat_xml import KINDS, Picture, Shape
from containers.kit.errors import UserError
from containers.kit.files import replacing

VERSION = "1.1"
TYPES = {
    "box": "rectangle",
    "polygon": "polygon",
    "polyline": "polyline",
    "points": "points",
    "tag": "tag",
}  # of labels
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(path: Path, task: str, labels: Sequence[str], pictures: Sequence[Picture]) -> None:
    """Coordinates are written in hundredths of a pixel, as CVAT does."""
    root = Element("annotations")
    _text(root, {"version": VERSION})
    meta = SubElement(SubElement(root, "meta"), "task")
    _text(meta, {"id": "1", "name": task, "size": str(len(pictures)), "mode": "annotation", "overlap": "0"})
    described = SubElement(meta, "labels")
    kinds = _kinds(pictures)
    for label in labels:
        one = SubElement(described, "label")
        _text(one, {"name": _sound(label), "type": kinds.get(label, "any"), "attributes": ""})
    for picture in pictures:
        facts = {"id": picture.id, "name": _sound(picture.name)}
        facts |= {"width": str(picture.width), "height": str(picture.height)}
        element = SubElement(root, "image", facts)
        for shape in picture.shapes:
            _shape(element, shape)
    indent(root)
    with replacing(path) as partial:
        ElementTree(root).write(partial, encoding="utf-8", xml_declaration=True)


def _kinds(pictures: Sequence[Picture]) -> Mapping[str, str]:
    """What CVAT lets people draw of a label: the one kind that it is used for, or any."""
    found: dict[str, set[str]] = {}
    for picture in pictures:
        for shape in picture.shapes:
            found.setdefault(shape.label, set()).add(shape.kind)
    return {label: TYPES[min(kinds)] if len(kinds) == 1 else "any" for label, kinds in found.items()}


def _text(parent: Element, values: Mapping[str, str]) -> None:
    for key, value in values.items():
        SubElement(parent, key).text = value or None


def _shape(parent: Element, shape: Shape) -> None:
    facts = {"label": _sound(shape.label), "source": "manual"}
    if shape.kind == "box":
        (left, top), (right, bottom) = shape.points
        corners = {"xtl": left, "ytl": top, "xbr": right, "ybr": bottom}
        facts |= {"occluded": "0", **{key: f"{value:.2f}" for key, value in corners.items()}}
    elif shape.kind != "tag":
        facts |= {"occluded": "0", "points": ";".join(f"{x:.2f},{y:.2f}" for x, y in shape.points)}
    if shape.kind not in KINDS:
        raise ValueError(f"{shape.kind} is no kind of a shape")
    if shape.kind != "tag":
        facts["z_order"] = "0"
    SubElement(parent, shape.kind, facts)


def _sound(text: str) -> str:
    if NOT_XML.search(text):
        raise UserError(f"the name {text!r} holds a character that XML cannot have; rename it")
    return text
