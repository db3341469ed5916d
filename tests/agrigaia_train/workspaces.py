"""Working folders as the image has them, data sets that are easy to learn, and the platform's rule for the score."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.agrigaia_train.flat import ARCHITECTURES, SHARED

COLOURS = {"beet": (190, 40, 60), "maize": (230, 200, 40), "thistle": (60, 60, 200)}
WIDTH, HEIGHT = 160, 120
TAGS = ("dry", "wet")


def assembled(folder: Path, architecture: str, **config: Any) -> Path:
    """All files side by side; `config` changes train_config.json, by keys with _ for -."""
    folder.mkdir(parents=True)
    for source in (*SHARED, ARCHITECTURES[architecture]):
        for path in source.iterdir():
            if path.is_file():
                shutil.copy(path, folder)
    change(folder, **config)
    return folder


def change(folder: Path, **config: Any) -> None:
    path = folder / "train_config.json"
    chosen = {key.replace("_", "-"): value for key, value in config.items()}
    path.write_text(json.dumps({**json.loads(path.read_text()), **chosen}))


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A program in a working folder, with data, links and outputs below it; what it says in the order that it does."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    places = {"MINIO": "minio/datasets", "DATASETS": "datasets", "TRAIN": "out"}
    known = {f"AGRIGAIA_{name}": str(folder / place) for name, place in places.items()}
    known |= {"PATH": path, "HOME": str(folder), "DATASET_ID": "1", "OMP_NUM_THREADS": "1", "LANG": "C.UTF-8"}
    known |= {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **environment}
    return subprocess.run(
        list(words), cwd=folder, env=known, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def start(folder: Path) -> subprocess.CompletedProcess[str]:
    """The container's own command."""
    return run(folder, "/bin/bash", "docker-entrypoint.sh", "$@")


def score(log: str, expression: str) -> float | None:
    """What the platform takes: the last number that the expression finds in the last 50 lines, to 3 decimals."""
    found = re.findall(expression, "".join(log.splitlines(keepends=True)[-50:]))
    numbers = []
    for word in [part for one in found for part in (one if isinstance(one, tuple) else (one,))]:
        try:
            numbers.append(float(word.strip()))
        except ValueError:
            continue
    return round(numbers[-1], 3) if numbers else None


def plots(workspace: Path, pictures: int, seed: int = 7) -> Path:
    """A data set of coloured plots on brown soil, with boxes, and tags for how dark the soil is."""
    root = workspace / "minio" / "datasets" / "1"
    (root / "annotations").mkdir(parents=True)
    random, names, images = np.random.default_rng(seed), sorted(COLOURS), []
    for number in range(pictures):
        tag = number % 2
        pixels = np.array([120, 90, 60]) - 50 * tag + random.normal(0, 8, (HEIGHT, WIDTH, 3))
        shapes = [f'<tag label="{TAGS[tag]}"/>']
        for cell in random.permutation(12)[:4]:
            label = names[int(random.integers(len(names)))]
            wide, tall = random.integers(20, 34, 2)
            left, top = (
                40 * (cell % 4) + random.integers(0, 40 - wide),
                40 * (cell // 4) + random.integers(0, 40 - tall),
            )
            pixels[top : top + tall, left : left + wide] = COLOURS[label] + random.normal(0, 8, (tall, wide, 3))
            right, bottom = left + wide, top + tall
            shapes.append(f'<box label="{label}" xtl="{left}" ytl="{top}" xbr="{right}" ybr="{bottom}"/>')
        name = f"plot {number:03}.jpg"
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(root / name, quality=90)
        images.append(
            f'<image id="{number}" name="farm/{name}" width="{WIDTH}" height="{HEIGHT}">{"".join(shapes)}</image>'
        )
    labels = "".join(f"<label><name>{name}</name></label>" for name in (*names, *TAGS))
    meta = f"<meta><task><labels>{labels}</labels></task></meta>"
    (root / "annotations" / "annotations.xml").write_text(f"<annotations>{meta}{''.join(images)}</annotations>")
    return root
