"""The notebook itself: it runs to its end, on demo images and on a user's, and shows what its words say."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from containers.kit.errors import UserError
from containers.salt.rle import decode_all
from tests.processes import ROOT
from workflow.scripts.salt import fetch, jupyter, lesson_data

NOTEBOOK = ROOT / "workflow" / "notebooks" / "salt_transforms.ipynb"
VALUES = """
import json
print(json.dumps({
    "images": list(data.images.shape), "source": data.source, "text": text, "padded": list(padded.shape),
    "changed": [list(after.shape) for after, _ in changed], "mirrored": bool((changed[0][0] == image.flip(-1)).all()),
    "given": list(given.shape), "mean_is_truth": bool(((mean > 0) == (mask > 0)).all()),
    "alone_is_truth": bool(((alone > 0) == (mask > 0)).all()),
    "hinge": float(max(abs(curve[:, 0] - curve[:, 1]).max() for curve in curves.values())),
    "rises": {place == little: float(np.ptp(curve[:, 2])) for place, curve in curves.items()},
    "overlaps": {name: float(overlap(data.masks[one], said)) for name, said in cleaned.items()},
    "kept": [int(said.sum()) for said in kept], "folds": under.tolist(), "best": tuned.score,
    "near": [float(overlaps[place]) for place in nearest], "scores": [float(scores[place]) for place in nearest],
}))
"""


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    demo = ["--source", "demo", "--demo", '{"train": 60, "test": 2, "seed": 5}', "--workers", "1"]
    assert fetch.main([*demo, "--scratch", str(folder), "--manifest", str(folder / "manifest.json")]) == 0
    return folder / "manifest.json"


def run(monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], list[Any]]:
    """The values inside, and the outputs of all cells."""
    content = nbformat.read(NOTEBOOK, as_version=4)
    content.cells.append(nbformat.v4.new_code_cell(VALUES))
    with jupyter.prepared(None) as settled, monkeypatch.context() as patch:
        for name, value in settled.environment.items():
            patch.setenv(name, value)
        patch.setenv("OMP_NUM_THREADS", "1")
        ran = asyncio.run(NotebookClient(content, timeout=120).async_execute())
    outputs = [output for cell in ran.cells if cell.cell_type == "code" for output in cell.outputs]
    values: dict[str, Any] = json.loads(outputs.pop().text)
    return values, outputs


def test_it_runs_to_its_end_on_images_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(jupyter.MANIFEST, raising=False)
    monkeypatch.setenv("MPLBACKEND", "agg")  # as on many a cluster; pictures are shown all the same
    values, outputs = run(monkeypatch)
    kinds = [output.output_type for output in outputs]
    assert kinds.count("display_data") == 12
    assert kinds.count("stream") == len(kinds) - 12 == 2
    assert {output.name for output in outputs if output.output_type == "stream"} == {"stdout"}
    assert values["images"] == [120, 101, 101]
    assert values["text"] == "3 2 103 4 306 2"
    assert values["padded"] == [1, 1, 128, 128]
    assert values["changed"] == [[1, 1, 101, 101]] * 7
    assert values["mirrored"]
    assert values["given"] == [2, 2, 128, 128]
    assert values["mean_is_truth"]
    assert not values["alone_is_truth"]
    assert values["hinge"] < 1e-6
    assert values["overlaps"]["0.5 and CRF"] > values["overlaps"]["threshold 0.5"] > values["overlaps"]["threshold 0.3"]
    assert values["kept"][0] == values["kept"][1] > 160
    assert values["kept"][2] == 0
    assert values["folds"] == [24.0] * 5
    assert values["near"] == pytest.approx([0.95, 0.75, 0.5], abs=0.03)
    assert values["scores"] == [np.mean([one > step / 20 for step in range(10, 20)]) for one in values["near"]]
    assert values["best"] > 0.8


def test_it_is_kept_without_outputs() -> None:
    content = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(copy.deepcopy(content))
    cells = [cell for cell in content.cells if cell.cell_type == "code"]
    assert [cell for cell in cells if cell.outputs or cell.execution_count is not None] == []
    assert content.metadata.kernelspec.name == jupyter.KERNEL


def test_the_data_are_those_of_the_manifest(manifest: Path) -> None:
    data = lesson_data.load({jupyter.MANIFEST: str(manifest)})
    content = json.loads(manifest.read_text())
    of_id = {case["id"]: case for case in content["train"]}
    assert list(data.ids) == sorted(of_id)
    assert (data.masks == decode_all([of_id[one]["rle"] or "" for one in data.ids], list(data.ids))).all()
    assert data.coverage.tolist() == pytest.approx([of_id[one]["coverage"] for one in data.ids])
    assert data.feet.tolist() == [of_id[one]["z"] for one in data.ids]
    places = data.like(0, 0, 1, 0.5)
    assert len(set(places)) == 4
    assert [data.coverage[place] for place in places[:3]] == [0, 0, 1]


def test_a_missing_depth_is_none(manifest: Path, tmp_path: Path) -> None:
    content = json.loads(manifest.read_text())
    content["train"][0]["z"] = None
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(content))
    assert np.isnan(lesson_data.load({jupyter.MANIFEST: str(file)}).feet).sum() == 1


def test_what_is_no_manifest_is_told(manifest: Path, tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    file.write_text('{"train": [{"id": "a"}]}')
    with pytest.raises(
        UserError, match=r"manifest.json is no manifest of salt's images; run the rule salt_fetch again"
    ):
        lesson_data.load({jupyter.MANIFEST: str(file)})
    content = json.loads(manifest.read_text())
    content["root"] = str(tmp_path)
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"png cannot be read \(No such file or directory\); run the rule salt_fetch"):
        lesson_data.load({jupyter.MANIFEST: str(file)})


def test_kernels_are_this_python_whatever_the_user_has_set_elsewhere(tmp_path: Path) -> None:
    given = {"PYTHONPATH": "before", "JUPYTER_PATH": "elsewhere", "PATH": "x", jupyter.MANIFEST: "old"}
    with jupyter.prepared(tmp_path / "m.json", given) as settled:
        kernel = json.loads((settled.folder / "data" / "kernels" / "python3" / "kernel.json").read_text())
        assert settled.environment["JUPYTER_PATH"] == str(settled.folder / "data")
        assert jupyter.MANIFEST not in settled.environment
        assert settled.environment["PATH"] == "x"
    assert kernel["argv"][0] == sys.executable
    told = {"PYTHONPATH": f"{ROOT}{os.pathsep}before", jupyter.MANIFEST: str(tmp_path / "m.json")}
    assert kernel["env"] == {**told, **jupyter.PICTURES}
    assert not settled.folder.exists()
