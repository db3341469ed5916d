"""With a real engine: what was saved loads as the very image that passed."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.save import images
from tests.save.conftest import CONTRACT
from workflow.scripts.save import main
from workflow.scripts.slipway.engine import Engine, find

pytestmark = pytest.mark.engine

# The third layer equals the first: engines up to Docker 24 stream it as a link.
DOCKERFILE = """FROM {base}
COPY one /one
COPY two /two
COPY one /one
ENV SLIPWAY=1
"""


@pytest.fixture
def engine() -> Engine:
    return find()


@pytest.fixture
def tag(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """A small image, made of nothing that must be fetched."""
    name = f"slipway-test-save-{uuid.uuid4().hex[:8]}"
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "one").write_text("one")
    (folder / "two").write_bytes(bytes(3_000_000))
    (folder / "Dockerfile").write_text(DOCKERFILE.format(base=f"{name}:base"))
    base = tmp_path / "base.tar"
    base.write_bytes(images.layer("base"))
    engine.ask("import", str(base), f"{name}:base")
    try:
        engine.ask("build", "--network", "none", "--tag", name, str(folder))
        yield name
    finally:
        subprocess.run(engine.command("image", "rm", "--force", name, f"{name}:base"), capture_output=True, check=False)


def test_what_was_saved_loads_as_the_same_image(engine: Engine, tag: str, tmp_path: Path) -> None:
    image_id = engine.image_id(tag)
    assert image_id is not None
    diff_ids = json.loads(engine.ask("image", "inspect", "--format", "{{json .RootFS.Layers}}", tag))
    contract = tmp_path / "contract.yaml"
    contract.write_text(CONTRACT.read_text().replace("tag: stoictrain", f"tag: {tag}"))
    record = {"challenge": "stoic", "image": "train", "tag": tag, "image_id": image_id, "size": 3_000_000}
    (tmp_path / "image.json").write_text(json.dumps(record | {"revision": "abc"}))
    verdict = {"status": "PASS", "reason": "It ran.", "warnings": 0, "image_id": image_id}
    (tmp_path / "verdict.json").write_text(json.dumps(verdict))
    saved = []
    for turn in ("first", "second"):
        folder = tmp_path / turn
        words = ["--record", "image.json", "--verdict", "verdict.json", "--contract", "contract.yaml"]
        words = [str(tmp_path / word) if "." in word else word for word in words]
        words += ["--image", "train", "--archive", str(folder / "STOICTrain.tar.gz")]
        words += ["--manifest", str(folder / "manifest.json"), "--sha256", str(folder / "STOICTrain.tar.gz.sha256")]
        assert main(words) == 0
        saved.append((folder / "STOICTrain.tar.gz").read_bytes())
    assert saved[0] == saved[1]

    manifest = json.loads((tmp_path / "first" / "manifest.json").read_text())
    assert [layer["digest"] for layer in manifest["layers"]] == diff_ids
    assert diff_ids[1] == diff_ids[3]
    assert manifest["tags"] == [f"{tag}:latest"]

    engine.ask("image", "rm", tag, f"{tag}:base")
    assert engine.image_id(tag) is None
    assert f"Loaded image: {tag}:latest" in engine.ask("load", "--input", str(tmp_path / "first" / "STOICTrain.tar.gz"))
    assert engine.image_id(tag) == image_id
    assert json.loads(engine.ask("image", "inspect", "--format", "{{json .RootFS.Layers}}", tag)) == diff_ids
