"""Pictures that a card names, as part of the page: it needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from workflow.scripts.slipway.pages.html import Html, tag


def section(card: Mapping[str, Any], folder: Path) -> Html | None:
    """What stands under `pictures` in the card: a file beside it and the words below it."""
    drawn = [_figure(folder / picture["file"], picture["caption"]) for picture in card.get("pictures") or []]
    return tag("section", tag("h2", "Pictures"), *drawn, id="pictures") if drawn else None


def _figure(path: Path, caption: str) -> Html:
    try:
        data = base64.b64encode(path.read_bytes()).decode("ascii")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); run the rule that makes it again") from None
    picture = tag("img", src=f"data:image/png;base64,{data}", alt=caption)
    return tag("figure", picture, tag("figcaption", caption), class_="picture")
