"""Runs that end before their time: killed, stopped, broken; the same command goes on, and the rows are the same."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest
import torch

from containers.objectnet import journal
from containers.objectnet.objectnet_eval import main
from tests.objectnet_eval import parts

Capture = pytest.CaptureFixture[str]
PHOTOS, BATCH = 120, 6
NOTE = ".predictions.csv.run.json"


class Workplace:
    """The code of a participant with a slow network, and what it says when nothing comes between."""

    def __init__(self, folder: Path) -> None:
        self.program = parts.code_of_a_participant(folder / "workspace")
        self.photos = parts.folder_of(folder / "in", PHOTOS)
        (self.photos / "001.png").write_bytes(b"broken")
        self.weights = parts.checkpoint(folder / "tiny.pth")
        self.whole = folder / "whole.csv"
        done = parts.run(*self.words(self.whole))
        assert done.returncode == 3, done.stderr

    def words(self, output: Path, network: str = "Slow") -> list[object]:
        more = [f"--batch_size={BATCH}", "--workers=2", "--gpus=0", "--precision=fp32"]
        return [self.program, self.photos, output, network, self.weights, *more]

    def begun(self, output: Path) -> subprocess.Popen[str]:
        """A run that has written some more rows, and not all."""
        least = lines(output) + 3 * BATCH
        process = parts.started(*self.words(output))
        until = time.monotonic() + 60
        while lines(output) < least:
            assert process.poll() is None, "it ended before it could be stopped"
            assert time.monotonic() < until
            time.sleep(0.01)
        return process


def lines(output: Path) -> int:
    return output.read_bytes().count(b"\n") if output.exists() else 0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(tmp_path_factory.mktemp("resume"))


def test_a_killed_run_goes_on_to_the_same_bytes(place: Workplace, tmp_path: Path) -> None:
    output = tmp_path / "predictions.csv"
    for _ in range(2):
        with place.begun(output) as process:
            process.kill()
        assert process.returncode == -9
        assert (tmp_path / NOTE).is_file()
        with output.open("ab") as stream:
            stream.write(b"077.png,12,0.3")  # as if it had been killed in the middle of a line
        assert output.read_bytes() != place.whole.read_bytes()
    done = parts.run(*place.words(output))
    assert done.returncode == 3, "the photo of the part before is still unreadable"
    assert re.search(r"^\d+ rows are there from a run that was stopped; going on with the others$", done.stdout, re.M)
    assert done.stdout.endswith(f"Done. Number of predictions:  {PHOTOS}\n")
    assert "their rows are -1: 001.png" in done.stderr
    assert output.read_bytes() == place.whole.read_bytes()
    assert not (tmp_path / NOTE).exists()


def test_sigterm_keeps_whole_batches_and_says_143(place: Workplace, tmp_path: Path) -> None:
    output = tmp_path / "predictions.csv"
    with place.begun(output) as process:
        process.terminate()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    kept = output.read_bytes()
    assert kept.endswith(b"\n")
    assert place.whole.read_bytes().startswith(kept)
    assert kept.count(b"\n") % BATCH == 0
    assert kept.count(b"\n") < PHOTOS
    assert "Done." not in out
    assert "Traceback" not in err
    assert parts.run(*place.words(output)).returncode == 3
    assert output.read_bytes() == place.whole.read_bytes()


def test_sigterm_while_the_network_is_loaded_ends_at_once(place: Workplace, tmp_path: Path) -> None:
    with parts.started(*place.words(tmp_path / "predictions.csv", "Loading")) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 143
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def broken(photos: Path, weights: Path, tmp_path: Path, capsys: Capture) -> list[str]:
    """The words of a command whose network broke after four of seven photos."""
    copied = tmp_path / "copy.pth"
    copied.write_bytes(weights.read_bytes())
    (tmp_path / "in").mkdir()
    for photo in photos.iterdir():
        os.link(photo, tmp_path / "in" / photo.name)
    words = [str(tmp_path / "in"), str(tmp_path / "predictions.csv"), "Breaking", str(copied)]
    words += ["--batch_size=2", "--precision=fp32"]
    parts.Breaking.left = 4
    assert main(words) == 1
    assert "error: Breaking fails on photos of 3 x 224 x 224 (RuntimeError: worn out); " in capsys.readouterr().err
    assert len(parts.rows(tmp_path / "predictions.csv")) == 4
    assert (tmp_path / NOTE).is_file()
    parts.Breaking.left = 100
    return words


def test_a_broken_run_goes_on_when_it_is_mended(broken: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main(broken) == 0
    assert "4 rows are there from a run that was stopped; going on with the others\n" in capsys.readouterr().out
    assert parts.Breaking.left == 97, "the others only"
    kept = (tmp_path / "predictions.csv").read_bytes()
    (tmp_path / "predictions.csv").unlink()
    assert main(broken) == 0
    assert kept == (tmp_path / "predictions.csv").read_bytes()
    assert main(broken) == 1, "it is no run that was stopped any more"
    assert "is there already; remove it, or name another file" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "named"),
    [
        ("--softmax=F", "softmax"),
        ("--tta=flip", "tta"),
        ("--temperature=1.5", "temperature"),
        ("--convert_outputs_mode=1", "convert_outputs_mode"),
        ("--precision=bf16", "precision"),
    ],
)
def test_another_command_does_not_go_on(broken: list[str], flag: str, named: str, capsys: Capture) -> None:
    before = Path(broken[1]).read_bytes()
    assert main([*broken, flag]) == 1
    sentence = f"error: output-file {broken[1]} was begun with another {named}; run that command again to end it, or "
    assert sentence + "remove the file\n" in capsys.readouterr().err
    assert Path(broken[1]).read_bytes() == before


def test_nor_does_one_with_other_weights_or_another_network(broken: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main([*broken[:2], "Tiny", *broken[3:]]) == 1
    assert "was begun with another model_class_name; " in capsys.readouterr().err
    others = {name: value + 1 for name, value in parts.weights().items()}
    torch.save(others, tmp_path / "copy.pth")
    assert main(broken) == 1
    assert "was begun with another checkpoint; " in capsys.readouterr().err


def test_nor_where_the_photos_are_others(broken: list[str], tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "in" / "001.png").rename(tmp_path / "in" / "0010.png")
    assert main(broken) == 1
    assert "has rows of other photos than images-dir now; remove the file\n" in capsys.readouterr().err


def test_a_batch_that_is_not_whole_is_computed_again(broken: list[str], tmp_path: Path) -> None:
    output = tmp_path / "predictions.csv"
    whole = output.read_bytes().splitlines(keepends=True)
    output.write_bytes(b"".join(whole[:3]) + whole[3][:9])
    assert main(broken) == 0
    assert parts.Breaking.left == 95
    assert output.read_bytes().splitlines(keepends=True)[:4] == whole


def test_one_that_was_killed_after_its_last_row_has_nothing_left_to_do(broken: list[str], tmp_path: Path) -> None:
    note = (tmp_path / NOTE).read_text()
    assert main(broken) == 0
    done = (tmp_path / "predictions.csv").read_bytes()
    (tmp_path / NOTE).write_text(note)
    parts.Breaking.left = 0
    assert main(broken) == 0
    assert (tmp_path / "predictions.csv").read_bytes() == done
    assert not (tmp_path / NOTE).exists()


def test_one_that_was_killed_before_its_first_row_begins_anew(broken: list[str], tmp_path: Path) -> None:
    (tmp_path / "predictions.csv").unlink()
    (tmp_path / NOTE).write_text(json.dumps({"softmax": "of another run"}))
    assert main(broken) == 0
    assert len(parts.rows(tmp_path / "predictions.csv")) == 7


def test_a_full_disk_is_one_sentence(
    photos: Path, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "write_json", full)
    output = tmp_path / "predictions.csv"
    assert main([str(photos), str(output), "Tiny", str(weights)]) == 1
    sentence = f"error: output-file {output} cannot be written (No space left on device); make room, or open its folder"
    assert sentence in capsys.readouterr().err
