"""The container's program: what it writes of what it finds, and what it says when it cannot."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.salt import infer, predict, stream
from containers.salt.settings import VARIANTS
from tests.salt_container import parts
from tests.salt_container.parts import Chain, rows

ROOT = Path(__file__).resolve().parents[2]
# In this environment, not in the image.
ABSENT = (
    *("timm", "torchvision", "nnunetv2", "nibabel", "isal", "pandas", "sklearn", "SimpleITK", "matplotlib", "yaml"),
    *("snakemake", "tensorboard", "workflow"),
)
HOOK = f"""
import sys
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {set(ABSENT)}:
            raise ModuleNotFoundError(f"the image has no {{name}}", name=name)
sys.meta_path.insert(0, Refused())
"""


@dataclass(frozen=True)
class Place:
    folder: Path
    artifact: Path

    @property
    def environment(self) -> dict[str, str]:
        names = {"INPUT": "input", "OUTPUT": "output", "SETTINGS": "settings.json"}
        return {f"SLIPWAY_{name}": str(self.folder / path) for name, path in names.items()} | {
            "SLIPWAY_ARTIFACT": str(self.artifact)
        }

    @property
    def input(self) -> Path:
        return self.folder / "input"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def bake(self, **predict: object) -> None:
        parts.write(self.folder / "settings.json", {"predict": {"device": "cpu", **predict}})

    def masks(self) -> Mapping[str, str]:
        return rows(self.output / "submission.csv")


@pytest.fixture
def place(chain: Chain, artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path, artifact)
    shutil.copytree(chain.images, place.input)
    place.output.mkdir()
    place.bake(variant="segmentation")
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    return place


def error(capsys: pytest.CaptureFixture[str]) -> str:
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    return said[0].removeprefix("error: ")


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_line_for_every_image_as_on_the_host(variant: str, place: Place, chain: Chain) -> None:
    place.bake(variant=variant)
    assert predict.main([]) == 0
    assert [path.name for path in place.output.iterdir()] == ["submission.csv"]
    if "post" not in variant:
        found = {name: "1 1" if text else "" for name, text in chain.truth.items()}
        assert place.masks() == (found if variant == "classifier" else chain.truth)
    assert sorted(place.masks()) == sorted(chain.truth)


def test_the_rest_of_the_folder_is_left_alone(place: Place, chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    (place.input / "depths.csv").write_text("not looked at")
    (place.input / ".hidden.png").write_text("nor this")
    (place.input / "notes.txt").write_text("nor this")
    (place.input / "more.png").mkdir()
    assert predict.main([]) == 0
    assert place.masks() == chain.truth
    assert f"note: {place.input} also holds more.png, notes.txt, which is left alone" in capsys.readouterr().err


def test_pieces_batches_and_mirroring_change_nothing_here(
    place: Place, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHUNK", 3)
    place.bake(variant="both", batch=2, tta="none")
    assert predict.main([]) == 0
    assert place.masks() == chain.truth


def test_images_that_the_classifier_rejects_are_not_segmented(
    place: Place, chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    real = infer.predict

    def counted(networks: object, images: parts.Array, *rest: object) -> parts.Array:
        asked.append(len(images))
        return real(networks, images, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(infer, "predict", counted)
    place.bake(variant="both")
    assert predict.main([]) == 0
    assert asked == [len(chain.truth), sum(map(bool, chain.truth.values()))]


def test_an_image_that_cannot_be_read_is_named_and_has_no_salt(
    place: Place, chain: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    names = [name for name, text in chain.truth.items() if text][:2]
    (place.input / f"{names[0]}.png").write_text("salt")
    (place.input / f"{names[1]}.png").write_bytes(b"")
    assert predict.main([]) == 3
    assert place.masks() == {**chain.truth, **dict.fromkeys(names, "")}
    said = capsys.readouterr().err
    assert f"warning: {place.input / names[0]}.png counts as unreadable: it is no picture that Pillow knows" in said
    assert f"2 of {len(chain.truth)} images could not be read, and have no salt: {names[0]}.png, {names[1]}.png" in said


def test_no_image_can_be_read(place: Place, chain: Chain) -> None:
    for name in chain.truth:
        (place.input / f"{name}.png").write_text("salt")
    assert predict.main([]) == 3
    assert place.masks() == dict.fromkeys(chain.truth, "")


def test_an_empty_folder_is_one_sentence(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    for path in place.input.iterdir():
        path.unlink()
    assert predict.main([]) == 1
    assert error(capsys) == f"{place.input} has no .png file; name the folder with the images"
    place.input.rmdir()
    assert predict.main([]) == 1
    assert error(capsys) == (
        f"{place.input} cannot be read (No such file or directory); name the folder with the images"
    )


def test_a_name_that_no_csv_can_hold_is_one_sentence(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    (place.input / "a\nb.png").touch()
    assert predict.main([]) == 1
    assert "holds 'a\\nb.png', which no line of a CSV can name; rename it" in error(capsys)


def test_an_output_that_cannot_be_written_is_told_before_the_work(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_OUTPUT", "/proc/output")
    assert predict.main([]) == 1
    assert error(capsys).startswith("/proc/output cannot be written (")
    assert not list(place.output.iterdir())


def test_a_missing_artifact_leaves_no_output(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLIPWAY_ARTIFACT", str(place.folder / "none"))
    assert predict.main([]) == 1
    assert error(capsys) == f"{place.folder}/none/model.json is not there; run the rule that makes it"
    assert not list(place.output.iterdir())


def test_a_setting_that_is_none_is_one_sentence(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.bake(variant="all")
    assert predict.main([]) == 1
    assert error(capsys).startswith("settings.predict.variant 'all' is not known; it is one of classifier, ")


def test_what_stops_it_half_way_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(10)

    monkeypatch.setattr(stream, "encode_all", stopped)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        predict.main([])
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
    assert not list(place.output.iterdir())
    capsys.readouterr()


def test_it_runs_with_the_packages_of_the_image_and_on_a_gpu_or_none(place: Place, chain: Chain) -> None:
    (place.folder / "settings.json").unlink()  # the defaults
    code = f"{HOOK}\nfrom containers.salt.predict import main\nraise SystemExit(main([]))"
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**clean, **place.environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "10 images by 4 classifiers and 4 segmentation networks on c" in done.stdout
    assert sorted(place.masks()) == sorted(chain.truth)


@pytest.mark.parametrize("name", ["nothing", "empty"])
def test_a_wrong_folder_is_told_before_torch_is_imported(place: Place, name: str) -> None:
    (place.folder / "empty").mkdir()
    code = (
        "import atexit, sys\n"
        "heavy = ('torch', 'numpy', 'scipy', 'PIL')\n"
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules]))\n"
        "from containers.salt.predict import main\n"
        "raise SystemExit(main([]))\n"
    )
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "SLIPWAY_INPUT": str(place.folder / name)}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "[]\n")
    assert done.stderr.count("\n") == 1


def test_a_user_whom_nobody_knows_may_run_it() -> None:
    """MONAI asks for the user's name, which a platform's own user id has none of."""
    text = (ROOT / "containers" / "salt" / "predict.Dockerfile").read_text()
    given = dict(re.findall(r"^    ([A-Z_]+)=(\S+)", text, re.MULTILINE))
    code = (
        "import pwd\n"
        "def unknown(uid): raise KeyError(uid)\n"
        "pwd.getpwuid = unknown\n"
        "from containers.salt.classifier import Classifier\n"
        "print(type(Classifier(network='resnet10', width=0.05)).__name__)\n"
    )
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LOGNAME": given["LOGNAME"]}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "Classifier\n"), done.stderr
