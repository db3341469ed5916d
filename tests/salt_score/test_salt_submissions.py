"""The six submissions: what is in them, and that they are the container's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from containers.salt.rle import decode
from containers.salt.settings import VARIANTS
from tests.salt_container.parts import Chain, rows
from workflow.scripts.salt import submissions as command


def test_each_variant_has_a_line_for_every_image(submissions: Path, chain: Chain) -> None:
    assert sorted(path.name for path in submissions.iterdir()) == sorted(f"{name}.csv" for name in VARIANTS)
    for name in VARIANTS:
        assert list(rows(submissions / f"{name}.csv")) == sorted(chain.truth)


def test_networks_that_know_the_truth_find_it(submissions: Path, chain: Chain) -> None:
    assert rows(submissions / "segmentation.csv") == chain.truth
    assert rows(submissions / "both.csv") == chain.truth
    assert rows(submissions / "classifier.csv") == {name: "1 1" if text else "" for name, text in chain.truth.items()}


def test_post_processing_leaves_out_what_is_small(submissions: Path, chain: Chain) -> None:
    pixels = {name: int(np.count_nonzero(decode(text, name))) for name, text in chain.truth.items()}
    assert sum(0 < count < 200 for count in pixels.values()) >= 1
    assert sum(200 <= count < 500 for count in pixels.values()) >= 1
    assert sum(count >= 500 for count in pixels.values()) >= 1
    for variant, least in (("segmentation_post_processing", 200), ("both_post_processing", 500)):
        expected = {name: text if pixels[name] >= least else "" for name, text in chain.truth.items()}
        assert rows(submissions / f"{variant}.csv") == expected
    assert set(rows(submissions / "classifier_post_processing.csv").values()) == {""}


def test_an_image_that_cannot_be_read_is_one_sentence(
    chain: Chain, artifact: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = chain.content
    (tmp_path / "test" / "images").mkdir(parents=True)
    for entry in content["test"]:
        (tmp_path / entry["image"]).write_bytes((Path(content["root"]) / entry["image"]).read_bytes())
    broken = tmp_path / content["test"][0]["image"]
    broken.write_bytes(b"no picture")
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps({**content, "root": str(tmp_path)}))
    words = ["--manifest", str(manifest), "--artifact", str(artifact), "--output", str(tmp_path / "out")]
    assert command.main(words) == 1
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    reason = "it is no picture that Pillow knows"
    assert said == [f"error: 1 images cannot be read: {broken} ({reason}); fetch the data again"]
    assert not (tmp_path / "out").exists()
