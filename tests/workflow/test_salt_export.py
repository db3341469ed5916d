"""The salt on demo data, the whole way with real containers: networks, submissions, container, sending, notebook."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.salt.rle import decode_all
from containers.salt.settings import VARIANTS
from tests.workflow.clone import Clone
from workflow.scripts import test as bench
from workflow.scripts.slipway.engine import find

pytestmark = pytest.mark.engine

FOLDS, SEGMENTED = 4, 2
AFTER_TUNE = {
    "salt_artifact": 1,
    "salt_submissions": 1,
    "salt_submission_predict": 1,
    "salt_image_predict": 1,
    "salt_test_predict": 1,
    "salt_save_predict": 1,
    "salt_score": 1,
    "salt_report": 1,
}


def results(clone: Clone, *parts: str) -> Path:
    return clone.root.joinpath("results", "salt", *parts)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def rows(path: Path) -> dict[str, str]:
    with path.open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    found = {line["id"]: line["rle_mask"] for line in lines}
    assert len(found) == len(lines)
    return found


def manifest(clone: Clone) -> Any:
    return read(clone.root / "scratch" / "salt" / "raw" / "manifest.json")


def truth(clone: Clone) -> dict[str, str]:
    return rows(Path(manifest(clone)["root"]).parent / "truth.csv")


def masks(texts: dict[str, str]) -> Any:
    return decode_all(list(texts.values()), list(texts))


def average_precision(truths: Any, predictions: Any) -> float:
    """Written out here once more: each image by itself, its overlap as a fraction of whole numbers."""
    scores = []
    for true, predicted in zip(truths, predictions, strict=True):
        both, either = int((true & predicted).sum()), int((true | predicted).sum())
        scores.append(1.0 if not either else sum(100 * both > percent * either for percent in range(50, 100, 5)) / 10)
    return float(np.mean(scores))


def test_the_container_passes_and_writes_what_the_host_writes(exported_salt: Clone) -> None:
    verdict = read(results(exported_salt, "predict", "verdict.json"))
    assert verdict["status"] == "PASS", verdict["reason"]
    (run,) = verdict["runs"]
    assert run["profile"] == "strict"
    for words in ("--read-only", "--network none", "--cap-drop ALL"):
        assert words in run["command"]
    written = results(exported_salt, "predict", "output", "submission.csv").read_bytes()
    assert written == results(exported_salt, "kaggle", "both_post_processing.csv").read_bytes()


def test_there_are_six_submissions_of_all_images(exported_salt: Clone) -> None:
    folder = results(exported_salt, "kaggle")
    assert {path.stem for path in folder.glob("*.csv")} == set(VARIANTS)
    ids = sorted(entry["id"] for entry in manifest(exported_salt)["test"])
    for variant in VARIANTS:
        assert list(rows(folder / f"{variant}.csv")) == ids, "sorted, and each once"
    classifier, segmentation, both = (rows(folder / f"{name}.csv") for name in ("classifier", "segmentation", "both"))
    assert set(classifier.values()) == {"", "1 1"}
    assert both == {name: segmentation[name] if classifier[name] else "" for name in ids}


def test_the_demo_reaches_its_score_on_images_that_no_training_saw(exported_salt: Clone) -> None:
    known = truth(exported_salt)
    scores = {}
    for variant in VARIANTS:
        predicted = rows(results(exported_salt, "kaggle", f"{variant}.csv"))
        scores[variant] = average_precision(masks(known), masks({name: predicted[name] for name in known}))
    told = read(results(exported_salt, "score", "results.json"))
    assert {name: told["variants"][name]["score"] for name in VARIANTS} == pytest.approx(scores)
    assert scores["both_post_processing"] >= 0.75
    empty = np.mean([not text for text in known.values()])
    assert scores["classifier"] <= empty, "one pixel is no mask"
    trained = {entry["id"] for entry in manifest(exported_salt)["train"]}
    assert not trained & known.keys()


def test_every_training_image_has_an_out_of_fold_prediction(exported_salt: Clone) -> None:
    with results(exported_salt, "oof", "classifier.csv").open(newline="") as stream:
        lines = list(csv.DictReader(stream))
    entries = {entry["id"]: entry for entry in manifest(exported_salt)["train"]}
    assert [line["id"] for line in lines] == sorted(entries)
    assert {int(line["fold"]) for line in lines} == set(range(FOLDS))
    for line in lines:
        assert int(line["salt"]) == int(entries[line["id"]]["coverage"] > 0)
        assert int(line["kept"]) == int(float(line["probability"]) > 0.5)
    right = np.mean([line["salt"] == line["kept"] for line in lines])
    assert right > 0.75, "most of the images are seen through"


def test_a_second_run_has_nothing_to_do(exported_salt: Clone) -> None:
    assert exported_salt.plan("export_salt") == {}


def test_a_change_runs_what_it_should_again(exported_salt: Clone) -> None:
    plain = exported_salt.overlay("plain", "salt", tune={"crf": "off"})
    assert exported_salt.plan(*plain, "export_salt") == {"salt_tune": 1, **AFTER_TUNE, "export_salt": 1}
    shipped = read_config(exported_salt)["segmentation"]
    longer = exported_salt.overlay("longer", "salt", segmentation={**shipped, "lr": 0.01})
    expected = {"salt_segment_fold": SEGMENTED, "salt_tune": 1, **AFTER_TUNE, "export_salt": 1}
    assert exported_salt.plan(*longer, "export_salt") == expected
    told = exported_salt.overlay("told", "salt", submit={"message": "other words"}, notebook={"port": 9999})
    assert exported_salt.plan(*told, "export_salt") == {}


def read_config(clone: Clone) -> Any:
    import yaml

    return yaml.safe_load((clone.root / "config" / "config.yaml").read_text())["challenges"]["salt"]


def test_the_page_tells_the_six_figures(exported_salt: Clone) -> None:
    page = results(exported_salt, "report.html").read_text()
    assert "Ready to submit" in page
    told = read(results(exported_salt, "score", "results.json"))
    for variant in VARIANTS:
        assert f"{told['variants'][variant]['score']:.3f}" in page
    assert "data:image/png;base64," in page


def test_an_image_that_cannot_be_read_is_a_warning_and_an_empty_mask(exported_salt: Clone, tmp_path: Path) -> None:
    cases = Path(read(exported_salt.root / "scratch" / "salt" / "raw" / "cases.json")["root"])
    good = sorted(cases.glob("*.png"))[:3]
    (tmp_path / "input").mkdir()
    for path in good:
        shutil.copy(path, tmp_path / "input")
    (tmp_path / "input" / "ffffffffff.png").write_bytes(good[0].read_bytes()[:300])
    files = {"contract": exported_salt.root / "containers/salt/contract.yaml", "log-dir": tmp_path / "logs"}
    files |= {"record": results(exported_salt, "predict", "image.json"), "verdict": tmp_path / "verdict.json"}
    mounts = [f"--mount={name}={tmp_path / name}" for name in ("input", "output")]
    words = ["--image=predict", "--profile=strict", *mounts, *(f"--{flag}={path}" for flag, path in files.items())]
    assert bench.main(words) == 0
    verdict = read(tmp_path / "verdict.json")
    warned = {check["name"] for check in verdict["runs"][0]["checks"] if check["status"] == "WARN"}
    assert "exit code" in warned
    written = rows(tmp_path / "output" / "submission.csv")
    assert written["ffffffffff"] == ""
    whole = rows(results(exported_salt, "kaggle", "both_post_processing.csv"))
    assert {path.stem: written[path.stem] for path in good} == {path.stem: whole[path.stem] for path in good}


def test_the_image_runs_by_the_command_of_the_manual(exported_salt: Clone, tmp_path: Path) -> None:
    image_id = read(results(exported_salt, "predict", "image.json"))["image_id"]
    cases = read(exported_salt.root / "scratch" / "salt" / "raw" / "cases.json")["root"]
    (tmp_path / "out").mkdir()
    (tmp_path / "out").chmod(0o777)
    mounts = ["--volume", f"{cases}:/input:ro", "--volume", f"{tmp_path / 'out'}:/output"]
    command = find().command("run", "--rm", "--network", "none", *mounts, image_id)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    written = (tmp_path / "out" / "submission.csv").read_bytes()
    assert written == results(exported_salt, "predict", "output", "submission.csv").read_bytes()


def test_submitting_shows_the_commands_and_sends_nothing(exported_salt: Clone, tmp_path: Path) -> None:
    """There are no credentials, without which sending would be an error."""
    environ = {"HOME": str(tmp_path), "KAGGLE_USERNAME": "", "KAGGLE_KEY": "", "KAGGLE_API_TOKEN": ""}
    done = exported_salt.snakemake("salt_submit", environ=environ)
    sent = [line for line in done.stdout.splitlines() if line.startswith("kaggle competitions submit")]
    ordered = ("both_post_processing", "both", "segmentation_post_processing", "segmentation")
    first: dict[bytes, str] = {}
    for name in ordered:
        first.setdefault(results(exported_salt, "kaggle", f"{name}.csv").read_bytes(), name)
    new = list(first.values())
    assert [Path(line.split()[6]).name for line in sent] == [f"{name}.csv.gz" for name in new]
    assert done.stdout.count(" is left out: it is the same as ") == len(ordered) - len(new)
    assert "nothing was packed or sent; demo data are no submission" in done.stdout
    really = exported_salt.overlay("really", "salt", submit={"really": True})
    done = exported_salt.snakemake(*really, "salt_submit", environ=environ, check=False)
    assert done.returncode == 1
    assert "demo" in done.stdout
    assert "challenges.salt.source" in done.stdout
