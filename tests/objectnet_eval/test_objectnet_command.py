"""The command line of the template: its words, what it prints, and a sentence for each mistake."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import save_file

from containers.kit import cpus
from containers.objectnet import options
from containers.objectnet.objectnet_eval import main
from tests.objectnet_eval import parts

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "predictions.csv"


def test_all_photos_have_a_row(photos: Path, weights: Path, output: Path, capsys: Capture) -> None:
    assert main([str(photos), str(output), "Tiny", str(weights)]) == 0
    found = parts.rows(output)
    assert list(found) == [f"{number:03}.png" for number in range(7)]
    for row in found.values():
        confidences = [float(cell) for cell in row[1::2]]
        assert confidences == sorted(confidences, reverse=True)
        assert 1 >= confidences[0] > confidences[4] > 0
        assert len({int(cell) for cell in row[::2]} & set(range(313))) == 5
    assert capsys.readouterr().out.endswith("\nDone. Number of predictions:  7\n")
    assert [path.name for path in output.parent.iterdir()] == ["predictions.csv"]


def test_the_values_that_are_used_are_shown(photos: Path, weights: Path, output: Path, capsys: Capture) -> None:
    words = ["--softmax=f", "--tta=flip", "--temperature=2", "--precision=fp32", "--batch_size=3", "--workers=1"]
    assert main([str(photos), str(output), "Tiny", str(weights), *words]) == 0
    told = capsys.readouterr()
    block = told.out.partition("**** params ****\n")[2].partition("\n****")[0].splitlines()
    shown = dict(re.split(r"\s{2,}", line, maxsplit=1) for line in block)
    assert shown.pop("network").startswith("torch 2")
    assert shown == {
        "images_dir": str(photos),
        "output_file": str(output),
        "model_class_name": "Tiny",
        "model_checkpoint": str(weights),
        "workers": "1",
        "gpus": "0",
        "batch_size": "3",
        "softmax": "False",
        "convert_outputs_mode": "merge",
        "tta": "flip",
        "temperature": "2.0",
        "precision": "fp32",
        "backend": "auto",
        "photos": "7",
    }
    assert "7/7" in told.err, "a progress bar"


def test_defaults_are_the_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpus, "available", lambda: 6)
    args = options.parser("").parse_args(["in", "out.csv", "Net", "net.pth"])
    assert options.checked(args) == []
    assert (args.workers, args.gpus, args.batch_size, args.softmax) == (6, None, 96, True)
    assert (args.convert_outputs_mode, args.tta, args.temperature) == ("merge", "none", 1.0)
    assert (args.precision, args.backend) == ("auto", "auto")


@pytest.mark.parametrize("word", ["T", "t", "True", "true", "1", "yes"])
def test_true_words(word: str) -> None:
    assert options.truth(word) is True


@pytest.mark.parametrize("word", ["F", "f", "False", "false", "0", "no"])
def test_false_words(word: str) -> None:
    assert options.truth(word) is False


def test_more_workers_than_cpus_become_as_many(photos: Path, weights: Path, output: Path, capsys: Capture) -> None:
    assert main([str(photos), str(output), "Tiny", str(weights), "--workers", "999"]) == 0
    told = capsys.readouterr()
    there = cpus.available()
    assert f"note: --workers 999 is more than there are CPUs; {there} it is\n" in told.err
    assert re.search(rf"^workers +{there}$", told.out, re.MULTILINE)


def test_help_tells_the_exit_statuses(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert [int(word) for word in re.findall(r"^ +(\d+)  ", told, re.MULTILINE)] == [0, 1, 2, 3, 143]
    for flag in ("--workers N", "--gpus N", "--batch_size N", "--softmax T/F", "--convert_outputs_mode {merge,1,0}"):
        assert flag in told


def missing_images(words: list[str], folder: Path) -> None:
    words[0] = str(folder / "none")


def no_png(words: list[str], folder: Path) -> None:
    (folder / "empty" / "deep").mkdir(parents=True)
    (folder / "empty" / "deep" / "a.jpg").touch()
    (folder / "empty" / ".hidden.png").touch()
    words[0] = str(folder / "empty")


def same_name_twice(words: list[str], folder: Path) -> None:
    for name in ("one", "two"):
        shutil.copytree(words[0], folder / "double" / name)
    words[0] = str(folder / "double")


def no_folder(words: list[str], folder: Path) -> None:
    words[1] = str(folder / "away" / "predictions.csv")


def there_already(words: list[str], folder: Path) -> None:  # noqa: ARG001
    Path(words[1]).write_text("")


def a_folder(words: list[str], folder: Path) -> None:
    words[1] = str(folder)


def class_of(name: str) -> Callable[[list[str], Path], None]:
    def change(words: list[str], folder: Path) -> None:  # noqa: ARG001
        words[2] = name

    return change


def no_checkpoint(words: list[str], folder: Path) -> None:
    words[3] = str(folder / "none.pth")


def corrupt(words: list[str], folder: Path) -> None:
    words[3] = str(folder / "corrupt.pth")
    (folder / "corrupt.pth").write_bytes(b"PK\x03\x04 but no more")


def of_another(words: list[str], folder: Path) -> None:
    words[3] = str(folder / "other.safetensors")
    save_file({"3.weight": parts.weights()["2.weight"]}, folder / "other.safetensors")


def corrupt_onnx(words: list[str], folder: Path) -> None:
    words[3] = str(folder / "corrupt.onnx")
    (folder / "corrupt.onnx").write_bytes(b"nothing")


def of_313(words: list[str], folder: Path) -> None:
    words[2:4] = ["Objects", str(parts.checkpoint(folder / "objects.pth", 313))]


def of_7(words: list[str], folder: Path) -> None:
    words[2:4] = ["Seven", str(parts.checkpoint(folder / "seven.pth", 7))]


def flag(*more: str) -> Callable[[list[str], Path], None]:
    def change(words: list[str], folder: Path) -> None:  # noqa: ARG001
        words += more

    return change


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (missing_images, r"images-dir \S+/none is no folder; name the folder with the photos"),
        (no_png, r"images-dir \S+/empty has no \.png file, nor has a folder in it; name the one with the photos"),
        (same_name_twice, r"photos must differ in their names, .*; rename one of \S+one/000.png and .* and 2 more"),
        (no_folder, r"output-file \S+/away/predictions\.csv lies in no folder; make \S+/away"),
        (there_already, r"output-file \S+predictions\.csv is there already; remove it, or name another file"),
        (a_folder, r"output-file \S+ is a folder; name a file"),
        (class_of("Tinny"), r"model Tinny .*did you mean 'Tiny'\?.*"),
        (class_of("Fails"), r"model Fails cannot be made \(RuntimeError: no\); .*"),
        (no_checkpoint, r"model-checkpoint \S+/none\.pth is no file; name the file with the network's weights"),
        (corrupt, r".*corrupt\.pth.*"),
        (of_another, r"model-checkpoint \S+other\.safetensors is of another network than Tiny, 0 of whose 2 tensors.*"),
        (corrupt_onnx, r"model-checkpoint \S+/corrupt\.onnx cannot be opened by ONNX Runtime \(.*\); export it again"),
        (of_313, r"--convert_outputs_mode merge needs a network of 1000 classes, and this one has 313; use '0'"),
        (of_7, r"--convert_outputs_mode merge needs .* and this one has 7; it must be a network of ImageNet or .*"),
        (flag("--workers=0"), "--workers 0 is too few; give at least 1"),
        (flag("--gpus=-1"), "--gpus -1 is too few; give at least 0"),
        (flag("--gpus=1"), "--gpus 1, but 0 GPUs are there; give at most as many, or 0 for the CPU"),
        (flag("--batch_size=0"), "--batch_size 0 is too few; give at least 1"),
        (flag("--softmax=maybe"), "--softmax maybe is neither true nor false; write T or F"),
        (flag("--temperature=0"), "--temperature 0 is no use; give a number above 0"),
        (flag("--temperature=nan"), "--temperature nan is no use; give a number above 0"),
        (flag("--convert_outputs_mode=0"), "--convert_outputs_mode 0 needs .* 313 .* has 1000; use 'merge' or '1'"),
        (flag("--backend=onnx"), r"--backend onnx needs a \.onnx file, and beside \S+ lies no model\.onnx .*"),
    ],
)
def test_a_mistake_is_one_sentence(
    photos: Path,
    weights: Path,
    tmp_path: Path,
    output: Path,
    capsys: Capture,
    change: Callable[[list[str], Path], None],
    sentence: str,
) -> None:
    words = [str(photos), str(output), "Tiny", str(weights)]
    change(words, tmp_path)
    assert main(words) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(told) == 1
    assert re.fullmatch(f"error: {sentence}", told[0]), told[0]
    assert not output.exists() or output.stat().st_size == 0, "nothing is left in the way of the next run"
    assert not (tmp_path / ".predictions.csv.run.json").exists()


def test_a_word_that_is_not_known_is_refused(photos: Path, weights: Path, output: Path, capsys: Capture) -> None:
    with pytest.raises(SystemExit) as ended:
        main([str(photos), str(output), "Tiny", str(weights), "--convert_outputs_mode=2"])
    assert ended.value.code == 2
    assert "invalid choice: '2'" in capsys.readouterr().err


def test_it_runs_by_its_path_from_any_folder(photos: Path, weights: Path, tmp_path: Path) -> None:
    program = parts.code_of_a_participant(tmp_path / "workspace")
    shutil.copy(photos / "003.png", tmp_path / "workspace" / "003.png")
    done = parts.run(program, tmp_path / "workspace", "p.csv", "Tiny", weights, "--gpus=0", cwd=tmp_path)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Done. Number of predictions:  1"), done.stderr
    assert list(parts.rows(tmp_path / "p.csv")) == ["003.png"]
