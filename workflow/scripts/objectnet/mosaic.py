"""Some of the images, what they show, and what the container took them for; each keeps a red border, by clause 2."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from containers.kit.files import replacing
from containers.objectnet.grammar import Row
from containers.objectnet.labels import LABELS
from containers.objectnet.pictures import BORDER, Unreadable, decode

MOST, COLUMNS = 12, 4
PHOTO, TEXT, GAP = (320, 182), 46, 12  # pixels: a photo with its border, the words below it, what lies between
RED, RIGHT, WRONG, INK, PAPER = "#ff0000", "#1a7f37", "#c62828", "#222222", "#ffffff"
LETTERS = 15


def pick(answers: Mapping[str, int], most: int = MOST) -> list[str]:
    """A few images, as many different objects as can be: equal names give an equal choice."""
    mixed = sorted(answers, key=lambda name: hashlib.sha256(name.encode()).digest())
    turn: dict[int, int] = {}  # how many of an object came before
    order = {}
    for name in mixed:
        order[name] = turn.get(answers[name], 0)
        turn[answers[name]] = order[name] + 1
    return sorted(mixed, key=order.__getitem__)[:most]


def draw(path: Path, images: Mapping[str, Path], answers: Mapping[str, int], rows: Mapping[str, Row]) -> None:
    """A PNG with the images in their order."""
    names = list(images)
    columns = min(COLUMNS, len(names))
    across, down = PHOTO[0] + GAP, PHOTO[1] + TEXT + GAP
    sheet = Image.new("RGB", (columns * across + GAP, -(-len(names) // columns) * down + GAP), PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(LETTERS)
    for index, name in enumerate(names):
        x, y = GAP + index % columns * across, GAP + index // columns * down
        sheet.paste(_photo(images[name]), (x, y))
        row = rows.get(name)
        right = row is not None and row.guesses[:1] == (answers[name],)
        lines = ((LABELS[answers[name]], INK), (_said(row), RIGHT if right else WRONG))
        for line, (words, colour) in enumerate(lines):
            pen.text((x, y + PHOTO[1] + 4 + line * (LETTERS + 5)), _fitted(words, font), fill=colour, font=font)
    with replacing(path) as partial:
        sheet.save(partial, format="PNG", optimize=True)


def _photo(path: Path) -> Image.Image:
    """The photo, made smaller, with a border that is as wide and as red as it was."""
    inner = (PHOTO[0] - 2 * BORDER, PHOTO[1] - 2 * BORDER)
    tile = Image.new("RGB", PHOTO, RED)
    tile.paste("#dddddd", (BORDER, BORDER, PHOTO[0] - BORDER, PHOTO[1] - BORDER))
    try:
        photo = decode(path)
    except Unreadable:
        return tile
    photo.thumbnail(inner, Image.Resampling.LANCZOS)
    place = ((PHOTO[0] - photo.width) // 2, (PHOTO[1] - photo.height) // 2)
    box = (place[0] - BORDER, place[1] - BORDER, place[0] + photo.width + BORDER, place[1] + photo.height + BORDER)
    tile = Image.new("RGB", PHOTO, PAPER)
    tile.paste(RED, box)
    tile.paste(photo, place)
    return tile


def _said(row: Row | None) -> str:
    if row is None or not row.guesses or not 0 <= row.guesses[0] < len(LABELS):
        return "no answer" if row is None else "no object"
    sure = "" if row.confidence is None else f", {row.confidence:.2f}"
    return LABELS[row.guesses[0]] + sure


def _fitted(words: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    while len(words) > 1 and font.getlength(words) > PHOTO[0]:
        words = words[:-2].rstrip() + "…"
    return words


def found(root: Path, names: Sequence[str]) -> dict[str, Path]:
    """Where these images lie, flat or in folders, in the order of their names here."""
    places = {name: root / name for name in names if (root / name).is_file()}
    if len(places) < len(names):
        places |= {path.name: path for path in root.rglob("*.png") if path.name in set(names)}
    return {name: places[name] for name in names if name in places}
