"""The trunk around the organs, none of it labelled: skin, fat, muscle, bones, the bases of the lungs, and the gut."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from workflow.scripts.amos.shapes import Floats, Frame, ball, clouds, ellipse, mix, soft, tube

BODY = (138.0, 98.0)  # mm from the middle to the skin, to the side and to the front
DIAPHRAGM = 90.0  # z of its dome


def trunk(random: np.random.Generator, frame: Frame, tissue: Mapping[str, float]) -> Floats:
    """The image of a trunk that has no organs yet; `tissue` says how bright each tissue is."""
    x, y, _ = frame
    skin = ellipse(x, y, BODY, 2.4)
    fat, wall = random.uniform(7, 13), random.uniform(7, 10)
    image = mix(np.full(x.shape, tissue["air"], np.float32), tissue["fat"], soft(skin))
    image = mix(image, tissue["muscle"], soft(skin - fat))
    inside = skin - fat - wall
    image = mix(image, tissue["fat"], soft(inside))
    image = _gut(random, image, frame, inside, tissue)
    image = _lungs(image, frame, inside, tissue)
    return _bones(random, image, frame, skin - fat, tissue)


def _gut(
    random: np.random.Generator, image: Floats, frame: Frame, inside: Floats, tissue: Mapping[str, float]
) -> Floats:
    """Loops low in front, and the colon on both sides: they look like the duodenum, and are not it."""
    patches = clouds(random, image.shape, (3, 3, 2))
    depth = np.full(image.shape, -50, np.float32)
    for _ in range(7):
        centre = (random.uniform(-70, 70), random.uniform(22, 58), random.uniform(-62, -34))
        depth = np.maximum(depth, ball(frame, centre, (random.uniform(14, 20), 14, 12)))
    for side in (-1, 1):
        across = side * random.uniform(90, 98)
        depth = np.maximum(depth, tube(frame, [(across, -6, -80), (across, 6, -20)], random.uniform(13, 17)))
    depth = np.minimum(depth, inside - 2)
    image = mix(image, tissue["muscle"], soft(depth))
    image = mix(image, tissue["gut"], soft(depth - 2.5))
    return mix(image, tissue["lung"], soft(np.minimum(depth - 4, 3 * (patches - 0.9))))


def _lungs(image: Floats, frame: Frame, inside: Floats, tissue: Mapping[str, float]) -> Floats:
    x, y, z = frame
    dome = DIAPHRAGM + 8 * (1 - (np.abs(x) - 60) ** 2 / 60**2 - y**2 / 70**2)
    return mix(image, tissue["lung"], soft(np.minimum(np.minimum(z - dome, inside - 2), np.abs(x) - 26)))


def _bones(
    random: np.random.Generator, image: Floats, frame: Frame, muscle: Floats, tissue: Mapping[str, float]
) -> Floats:
    """Vertebrae and discs with the muscles beside them, ribs above, the pelvis below."""
    x, y, z = frame
    back = np.float32(-56)
    for side in (-1, 1):
        psoas = ellipse(x - side * (30 - 0.1 * z), y - back, (17, 16)) - 0.25 * np.maximum(z + 10, 0)
        image = mix(image, tissue["muscle"], soft(psoas))
        image = mix(image, tissue["muscle"], soft(ellipse(x - side * 30, y + 82, (26, 12))))
    disc = 4 * (np.cos(2 * np.pi * (z + random.uniform(0, 34)) / 34) - 0.75)
    spine = ellipse(x, y - back, (19, 16))
    image = mix(image, tissue["bone"], soft(spine))
    image = mix(image, tissue["muscle"], soft(np.minimum(spine, disc)))
    image = mix(image, tissue["bone"], soft(ellipse(x, y + 83, (4, 12))))
    image = mix(image, tissue["canal"], soft(ellipse(x, y + 76, (7, 6))))
    slope = np.cos(2 * np.pi * (z + 0.4 * y + random.uniform(0, 30)) / 30) - 0.45
    rib = np.minimum(np.minimum(3.5 - np.abs(muscle - 4), 6 * slope), np.minimum(np.abs(x) - 24, z - 20))
    image = mix(image, tissue["bone"], soft(rib))
    wing = np.minimum(np.minimum(5 - np.abs(muscle - 9), -58 - z), np.minimum(12 - y, np.abs(x) - 30))
    image = mix(image, tissue["bone"], soft(wing))
    for side in (-1, 1):
        image = mix(image, tissue["bone"], soft(ball(frame, (side * 88, 2, -112), (21, 21, 21))))
    return image
