"""What classifiers say out of fold: every image once, in a table that can be read back; and folds that do not fit."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from containers.kit.errors import UserError
from tests.salt_train.commands import Place, judged, pack_images
from tests.salt_train.conftest import Said
from workflow.scripts.salt import classified, oof
from workflow.scripts.salt import packed as packing


def test_every_image_is_there_once(trained: Place) -> None:
    images = packing.read(trained.packed)
    with trained.oof.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["id", "fold", "coverage", "logit", "probability", "salt", "kept"]
    assert [row["id"] for row in rows] == list(images.ids)
    assert [int(row["fold"]) for row in rows] == images.folds.tolist()
    assert [row["salt"] == "1" for row in rows] == images.salt.tolist()
    assert [row["kept"] == "1" for row in rows] == [float(row["probability"]) > 0.5 for row in rows]
    found, logits = oof.read(trained.oof, images), np.zeros(24, np.float32)
    for fold in range(2):
        said = judged(trained.output("classifier", fold))
        logits[said["index"]] = said["logits"]
    assert np.array_equal(found.logits, logits)
    assert [float(row["probability"]) for row in rows] == pytest.approx(found.probabilities.tolist())
    assert np.array_equal(found.kept, found.probabilities > 0.5)


def test_it_tells_what_is_lost(trained: Place, capsys: pytest.CaptureFixture[str]) -> None:
    images, found = packing.read(trained.packed), oof.read(trained.oof, packing.read(trained.packed))
    assert trained.classified() == 0
    accuracy = (found.kept == images.salt).mean()
    said = capsys.readouterr().out
    assert said.startswith(f"24 images, classified by networks that did not learn from them: accuracy {accuracy:.4f}")
    lost = (images.salt & ~found.kept).sum()
    assert f"; {found.kept.sum()} kept, {lost} of {images.salt.sum()} with salt lost" in said


def test_folds_that_do_not_fit_are_refused(trained: Place, manifest: Path, tmp_path: Path, said: Said) -> None:
    first, second = (trained.output("classifier", fold) for fold in range(2))

    def gather(packed: Path, *folders: Path) -> str:
        words = ["--packed", str(packed), "--folds", *map(str, folders), "--output", str(tmp_path / "oof.csv")]
        assert classified.main(words) == 1
        assert not (tmp_path / "oof.csv").exists()
        return said()

    assert gather(trained.packed, first) == "--folds lacks fold 1 of 2; give all"
    assert gather(trained.packed, first, first) == f"{first} is a second time fold 0; give each fold once"
    other = trained.output("segmentation", 1)
    assert gather(trained.packed, first, other).startswith(f"{other} holds no classifier of the salt challenge")
    assert pack_images(manifest, tmp_path / "three", folds=3) == 0
    assert gather(tmp_path / "three", first, second) == (
        f"{first} was trained on other images or folds than {tmp_path / 'three'} has; train it again"
    )
    torn = Path(shutil.copytree(second, tmp_path / "torn"))
    (torn / "judged.npz").write_bytes(b"PK")
    assert gather(trained.packed, first, torn).startswith(f"{torn}/judged.npz does not hold what a network said (")


@pytest.mark.parametrize(
    ("change", "said_of"),
    [
        (lambda text: text.replace("kept", "taken", 1), "has not the columns id,fold,coverage,logit,"),
        (lambda text: "\n".join(text.splitlines()[:-1]), "is of other images or folds than"),
        (lambda text: text + "\n1,2\n", "has not the columns"),
        (lambda text: text.strip()[:-1] + "2\n", "has a field that is no number"),
        (lambda text: "", "has not the columns"),  # noqa: ARG005
    ],
)
def test_a_table_that_was_changed_is_refused(trained: Place, tmp_path: Path, change: object, said_of: str) -> None:
    assert callable(change)
    (tmp_path / "oof.csv").write_text(change(trained.oof.read_text()))
    with pytest.raises(UserError) as refused:
        oof.read(tmp_path / "oof.csv", packing.read(trained.packed))
    assert str(refused.value).startswith(f"{tmp_path / 'oof.csv'} {said_of}")
    assert str(refused.value).endswith("; run the rule that classifies again")
