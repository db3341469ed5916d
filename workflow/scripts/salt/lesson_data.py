"""The images that the notebooks show: the user's own where there are any, else a few of the demo's."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError
from containers.kit.files import read_json
from containers.salt.images import read
from containers.salt.rle import decode_all
from workflow.scripts.salt import fetch
from workflow.scripts.salt.jupyter import MANIFEST

Array = np.ndarray[Any, Any]
DEMO = {"train": 120, "test": 4, "seed": 2018}


@dataclass(frozen=True)
class Data:
    """The training images, sorted by id."""

    source: str
    ids: tuple[str, ...]
    images: Array  # (n, 101, 101) bytes
    masks: Array  # (n, 101, 101), true where there is salt
    texts: tuple[str, ...]  # the masks as run lengths
    feet: Array  # (n,) depths, nan where there is none

    @property
    def coverage(self) -> Array:
        """(n,) share of salt."""
        share: Array = self.masks.mean(axis=(1, 2))
        return share

    def like(self, *shares: float) -> list[int]:
        """For each of the shares of salt the image that comes nearest to it, and none twice."""
        found: list[int] = []
        for share in shares:
            order = np.argsort(np.abs(self.coverage - share), kind="stable")
            found.append(next(int(place) for place in order if int(place) not in found))
        return found


def load(environ: Mapping[str, str] = os.environ) -> Data:
    manifest = environ.get(MANIFEST)
    if manifest:
        return _of(Path(manifest))
    with tempfile.TemporaryDirectory(prefix="slipway-lesson-") as folder:
        made = Path(folder) / "manifest.json"
        words = ["--source", "demo", "--demo", json.dumps(DEMO), "--scratch", folder, "--workers", "1"]
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):  # bars and counts would fill the page
            status = fetch.main([*words, "--manifest", str(made)])
        if status:
            raise UserError(f"the demo images cannot be made; set {MANIFEST} to the manifest of others")
        return _of(made)


def _of(manifest: Path) -> Data:
    content = read_json(manifest)
    try:
        cases = sorted(content["train"], key=lambda case: str(case["id"]))
        root, source = Path(content["root"]), str(content["source"])
        ids = tuple(case["id"] for case in cases)
        texts = tuple(case["rle"] or "" for case in cases)
        paths = [root / case["image"] for case in cases]
        feet = np.array([np.nan if case["z"] is None else case["z"] for case in cases], np.float64)
    except (KeyError, TypeError):
        raise UserError(f"{manifest} is no manifest of salt's images; run the rule salt_fetch again") from None
    images, broken = read(paths)
    if broken:
        place, why = next(iter(broken.items()))
        raise UserError(f"{paths[place]} cannot be read ({why}); run the rule salt_fetch again")
    return Data(source, ids, images, decode_all(texts, ids), texts, feet)
