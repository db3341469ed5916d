"""A synthetic abdomen with the 15 organs of AMOS22: not a real one, but each organ in its place, in CT or in MR.

Lengths are in mm of a trunk that is shorter than a real one, so that an image of few voxels holds it from the dome of
the liver to the prostate, with the small organs still several voxels thick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, label

from workflow.scripts.amos.shapes import Floats, Frame, Point, ball, clouds, mix, soft, tube
from workflow.scripts.amos.trunk import trunk

Modality = Literal["CT", "MR"]


@dataclass(frozen=True)
class Ball:
    centre: Point
    axes: Point
    turned: Point = (0, 0, 0)


@dataclass(frozen=True)
class Tube:
    points: tuple[Point, ...]
    radius: float


# In the order in which they are put in: a later one displaces what is there. x grows to the patient's right, y to the
# front, z to the head. The numbers are those of containers.amos.organs.
SHAPES: dict[int, tuple[Ball | Tube, ...]] = {
    6: (Ball((64, 0, 50), (52, 60, 52), (0, 12, 0)), Ball((6, 40, 66), (52, 26, 28), (0, -12, 0))),
    7: (Ball((-52, 30, 56), (34, 31, 36), (0, -20, 0)), Tube(((-50, 38, 40), (-26, 46, 24), (2, 44, 22)), 15)),
    1: (Ball((-94, -34, 48), (21, 34, 40), (8, -8, 14)),),
    2: (Ball((60, -44, -10), (23, 21, 40), (10, 8, 0)),),
    3: (Ball((-60, -44, 0), (23, 21, 40), (10, -8, 0)),),
    10: (Ball((26, 14, -4), (16, 14, 17)), Tube(((24, 14, 2), (-4, 16, 12), (-34, 2, 16), (-64, -10, 26)), 11.5)),
    13: (Tube(((16, 44, 20), (44, 32, 14), (54, 12, -6), (44, 2, -28), (16, 2, -34), (-14, 6, -30)), 10.5),),
    8: (Tube(((-13, -27, 130), (-13, -27, 40), (-10, -27, -46)), 10.5),),
    9: (Tube(((12, -22, 100), (15, -24, 40), (14, -25, -46)), 11.5),),
    5: (Tube(((0, -4, 130), (-6, 0, 92), (-22, 12, 74)), 9.5),),
    11: (Ball((36, -42, 48), (12, 9, 15), (0, 15, 0)),),
    12: (Ball((-36, -40, 55), (12, 9, 15), (0, -15, 0)),),
    4: (Ball((54, 52, 8), (13.5, 13.5, 19), (-15, 0, 0)),),
    15: (Ball((0, 2, -92), (21, 17, 14)),),
    14: (Ball((0, 28, -78), (32, 22, 20)),),
}
FAT_AROUND = {1: 2, 2: 4, 3: 4, 5: 2.5, 7: 2, 8: 2, 10: 2.5, 11: 3.5, 12: 3.5, 13: 2.5, 14: 1.5, 15: 1.5}  # mm
# Farther apart than in most patients, so that a small network learns them in minutes: a late arterial phase, oral
# contrast in the duodenum, water in the stomach.
TISSUES = ("air", "lung", "fat", "muscle", "bone", "canal", "gut")
BRIGHT: dict[Modality, tuple[tuple[int, ...], tuple[int, ...]]] = {  # of these tissues, and of organ 1, 2, 3 ...
    "CT": (
        (-1000, -820, -98, 52, 480, 25, -35),
        (155, 230, 230, 6, 32, 125, 14, 295, 190, 100, 75, 75, 360, 4, 72),
    ),
    "MR": (
        (12, 40, 900, 230, 60, 120, 180),
        (290, 400, 400, 120, 160, 520, 80, 760, 680, 600, 340, 340, 450, 100, 300),
    ),
}
NOISE = {"CT": 10.0, "MR": 12.0}
SPREAD = {"CT": 5.0, "MR": 12.0}  # of a tissue's brightness from patient to patient


def abdomen(
    random: np.random.Generator, frame: Frame, modality: Modality, absent: frozenset[int]
) -> tuple[Floats, NDArray[np.uint8]]:
    """The image of one patient, and the organs in it; `absent` organs were taken out."""
    tissues, organs = BRIGHT[modality]
    tissue = dict(zip(TISSUES, (_about(random, value, modality) for value in tissues), strict=True))
    frame = _patient(random, frame)
    image = trunk(random, frame, tissue)
    labels = np.zeros(image.shape, np.uint8)
    for organ, shapes in SHAPES.items():
        moved, larger, turned = random.uniform(-3.5, 3.5, 3), random.uniform(0.92, 1.1), random.uniform(-8, 8, 3)
        bright = _about(random, organs[organ - 1], modality)
        if organ in absent:
            continue
        depth: Floats = np.maximum.reduce([_depth(frame, shape, moved, larger, turned) for shape in shapes])
        margin = FAT_AROUND.get(organ, 0.0)
        if margin:
            image = mix(image, tissue["fat"], soft(depth + margin))
            labels[depth + margin > 0] = 0
        image = mix(image, bright, soft(depth))
        labels[depth > 0] = organ
    _in_one_piece(labels)
    return _seen(random, image, modality), labels


def _about(random: np.random.Generator, value: float, modality: Modality) -> float:
    return value + SPREAD[modality] * random.uniform(-1, 1)


def _patient(random: np.random.Generator, frame: Frame) -> Frame:
    """The same places in the coordinates of the table above: patients differ in size, place and shape."""
    scale, moved = random.uniform(0.95, 1.05), random.uniform(-4, 4, 3)
    bent = []
    for axis, shift in zip(frame, moved, strict=True):
        wave = 2.5 * clouds(random, axis.shape, (8, 8, 5))
        bent.append(((axis - shift) / scale + wave).astype(np.float32))
    return bent[0], bent[1], bent[2]


def _depth(frame: Frame, shape: Ball | Tube, moved: NDArray[Any], larger: float, turned: NDArray[Any]) -> Floats:
    if isinstance(shape, Tube):
        points = [_shifted(point, moved) for point in shape.points]
        return tube(frame, points, shape.radius * larger)
    axes = tuple(axis * larger for axis in shape.axes)
    return ball(frame, _shifted(shape.centre, moved), (axes[0], axes[1], axes[2]), _shifted(shape.turned, turned))


def _shifted(point: Point, by: NDArray[Any]) -> Point:
    x, y, z = (float(value + step) for value, step in zip(point, by, strict=True))
    return x, y, z


def _in_one_piece(labels: NDArray[np.uint8]) -> None:
    """Take the label from the crumbs that a later organ cut off, as an annotator would."""
    for organ, box in enumerate(find_objects(labels), 1):
        if box is not None:
            parts, count = label(labels[box] == organ, np.ones((3, 3, 3)))
            largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
            labels[box][(parts > 0) & (parts != largest) & (count > 1)] = 0


def _seen(random: np.random.Generator, image: Floats, modality: Modality) -> Floats:
    """What the scanner makes of it: noise, and in MR a coil that sees one side better, and units of its own."""
    noise = NOISE[modality] * random.standard_normal(image.shape, np.float32)
    if modality == "CT":
        return np.clip(image + noise, -1024, 3000).astype(np.float32)
    field = np.exp(0.15 * clouds(random, image.shape, (21, 21, 11)))
    return np.asarray(np.abs(image * field + noise) * np.float32(random.uniform(0.4, 2.0)), np.float32)
