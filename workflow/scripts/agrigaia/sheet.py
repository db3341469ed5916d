"""Some of what a model was judged by, with what it answered: pieces of pictures, or pictures with boxes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from containers.agrigaia.common.pictures import link_names
from containers.kit.errors import UserError
from containers.kit.files import replacing
from workflow.scripts.agrigaia.trained import ANSWERS, Trained

MOST, COLUMNS = 12, 4
SIDE, TEXT, GAP = 190, 40, 10  # pixels: a tile, the words below it, what lies between
AROUND = 1.2  # of a piece is shown, as a share of its longer side
TRUE, FOUND, RIGHT, WRONG = "#2fb5ac", "#f28e2b", "#1a7f37", "#c62828"
INK, PAPER, GREY = "#222222", "#ffffff", "#7f7f7f"
LETTERS = 13
PIECES = (
    "Some of the pieces that it was judged by: what they are, and below it what was answered; wrong ones come first."
)
PICTURES = (
    "Some of the pictures that it was judged by, with the true boxes in blue and those that were found in orange."
)

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Tile:
    picture: Image.Image
    lines: tuple[tuple[str, str], ...]  # words and their colours


def draw(path: Path, trained: Trained, manifest: Json) -> str | None:
    """A PNG, and the words for it; None where the training left no answers or the pictures are not there any more."""
    answers = trained.answers
    if answers is None:
        return None
    files = _files(manifest)
    try:
        pieces = "pieces" in answers
        tiles = _pieces(answers, files) if pieces else _pictures(answers, files)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        words = f"{type(error).__name__}: {error}"
        place = trained.folder / ANSWERS
        raise UserError(f"{place} is not as Slipway's train.py writes it ({words}); write none, or mend it") from None
    if not tiles:
        return None
    _save(path, tiles)
    return PIECES if pieces else PICTURES


def _files(manifest: Json) -> dict[str, Path]:
    """The pictures by the names that setup.py gives their links."""
    names = [*(entry["file"] for entry in manifest["pictures"]), *manifest["unannotated"]]
    root = Path(manifest["root"])
    return {link: root / file for file, link in link_names(names).items() if (root / file).is_file()}


def pick(rows: Sequence[Json], wrong: Callable[[Json], float]) -> list[Json]:
    """From the most wrong to the rightest, in equal steps; among equals the choice is fixed."""
    order = sorted(rows, key=lambda row: (-wrong(row), hashlib.sha256(repr(row).encode()).digest()))
    worst, rest = order[: MOST // 2], order[MOST // 2 :]
    count = min(MOST - len(worst), len(rest))
    return worst + [rest[round(place * (len(rest) - 1) / max(count - 1, 1))] for place in range(count)]


def _pieces(answers: Json, files: Mapping[str, Path]) -> list[Tile]:
    names = answers["labels"]
    rows = [row for row in answers["pieces"] if row["file"] in files]
    tiles = []
    for row in pick(rows, lambda row: row["sure"] if row["answer"] != row["label"] else -row["sure"]):
        left, top, wide, tall = row["bbox"]
        side = max(wide, tall, 1) * AROUND
        x, y = left + wide / 2 - side / 2, top + tall / 2 - side / 2
        area = (round(x), round(y), round(x + side), round(y + side))
        picture = _upright(files[row["file"]]).crop(area).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        colour = RIGHT if row["answer"] == row["label"] else WRONG
        answer = f"{names[row['answer']]}, {row['sure']:.2f}"
        tiles.append(Tile(picture, ((names[row["label"]], INK), (answer, colour))))
    return tiles


def _pictures(answers: Json, files: Mapping[str, Path]) -> list[Tile]:
    rows = [row for row in answers["pictures"] if row["file"] in files]
    tiles = []
    for row in pick(rows, lambda row: abs(len(row["found"]) - len(row["true"])) / max(len(row["true"]), 1)):
        picture = _upright(files[row["file"]])
        scale = SIDE / max(picture.size)
        shown = picture.resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
        pen = ImageDraw.Draw(shown)
        for boxes, colour, width in ((row["true"], TRUE, 3), (row["found"], FOUND, 1)):
            for left, top, right, bottom, *_ in boxes:
                low, high = (min(left, right), min(top, bottom)), (max(left, right), max(top, bottom))
                pen.rectangle(
                    [*(value * scale for value in low), *(value * scale for value in high)], None, colour, width
                )
        told = f"{len(row['true'])} true, {len(row['found'])} found"
        tiles.append(Tile(ImageOps.pad(shown, (SIDE, SIDE), color=PAPER), ((row["file"], INK), (told, INK))))
    return tiles


def _upright(path: Path) -> Image.Image:
    try:
        with Image.open(path) as picture:
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, SyntaxError, ValueError) as error:
        words = " ".join(str(error).split())
        raise UserError(f"{path} cannot be read as a picture ({words}); fetch the data again") from None


def _save(path: Path, tiles: Sequence[Tile]) -> None:
    columns = min(COLUMNS, len(tiles))
    across, down = SIDE + GAP, SIDE + TEXT + GAP
    page = Image.new("RGB", (columns * across + GAP, -(-len(tiles) // columns) * down + GAP), PAPER)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(LETTERS)
    for index, tile in enumerate(tiles):
        x, y = GAP + index % columns * across, GAP + index // columns * down
        page.paste(tile.picture, (x, y))
        for line, (words, colour) in enumerate(tile.lines):
            pen.text((x, y + SIDE + 3 + line * (LETTERS + 4)), _fitted(words, font), fill=colour, font=font)
    with replacing(path) as partial:
        page.save(partial, format="PNG", optimize=True)


def _fitted(words: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    while len(words) > 1 and font.getlength(words) > SIDE:
        words = words[:-2].rstrip() + "…"
    return words
