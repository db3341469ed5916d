"""The image itself, built from its submission folder with a model of random weights, and run in every way it may be."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from containers.amos import volume
from containers.amos.outputs import check
from tests.amos_container.scans import ORIENTATIONS, noise, save, turned
from tests.images.conftest import CACHE, ROOT, inside
from tests.images.conftest import debian as debian  # a fixture, as is the next
from tests.images.conftest import engine as engine
from workflow.scripts import image, submission, test, wheels
from workflow.scripts.slipway.engine import Engine

pytestmark = pytest.mark.engine

AMOS = ROOT / "containers" / "amos"
CONTRACT = AMOS / "contract.yaml"
NAMES = ["--name=team=slipway-test-amos", "--name=task=1"]
SHAPE = (24, 20, 18)
SCANS = ("amos 0001.nii.gz", "ünïcode.nii.gz", "-rf.NII.GZ")


@dataclass(frozen=True)
class Built:
    folder: Path
    record: dict[str, Any]

    @property
    def tag(self) -> str:
        return str(self.record["tag"])


@pytest.fixture(scope="module")
def built(debian: Path, artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("amos")
    house, record = CACHE / "tests" / "amos.json", folder / "image.json"
    words = [f"--lock={ROOT / 'envs' / 'lock.txt'}", f"--common={ROOT / 'containers/kit/requirements.txt'}"]
    words += [f"--extra={AMOS / 'requirements-predict.txt'}", f"--cache={CACHE / 'wheels'}", f"--output={house}"]
    assert wheels.main([*words, "--without", "timm"]) == 0
    shared = ["--image=predict", f"--contract={CONTRACT}", *NAMES, f"--base={debian}", f"--wheelhouse={house}"]
    parts = [f"--dockerfile={AMOS / 'predict.Dockerfile'}", f"--artifact={artifact}", "--weights"]
    entry = ["--entry=containers.amos.run_inference", '--settings={"predict": {"mirror": false}}']
    assert submission.main([*shared, *parts, *entry, f"--output={folder / 'docker'}"]) == 0
    assert image.main([*shared, f"--context={folder / 'docker'}", f"--output={record}"]) == 0
    return Built(folder, json.loads(record.read_text()))


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    folder = tmp_path / "input"
    folder.mkdir()
    for seed, name in enumerate(SCANS):
        save(folder / name, noise(SHAPE, seed), turned(ORIENTATIONS[seed * 11], SHAPE))
    return folder


def failed(output: Path, source: Path) -> list[str]:
    return [finding.note for finding in check(output, source) if finding.status == "FAIL"]


def test_it_passes_the_organisers_run_and_the_strict_one(built: Built, scans: Path, tmp_path: Path) -> None:
    verdict, out = tmp_path / "verdict.json", tmp_path / "output"
    words = ["--image=predict", f"--contract={CONTRACT}", *NAMES, f"--record={built.folder / 'image.json'}"]
    words += ["--profile", "organisers", "strict", f"--mount=input={scans}", f"--mount=output={out}"]
    assert test.main([*words, f"--log-dir={tmp_path / 'logs'}", f"--verdict={verdict}"]) == 0
    said = json.loads(verdict.read_text())
    assert [(run["profile"], run["status"], run["exit_code"]) for run in said["runs"]] == [
        ("organisers", "PASS", 0),
        ("strict", "PASS", 0),
    ]
    assert said["runs"][0]["command"].endswith(" python run_inference.py")
    assert failed(out, scans) == []
    assert all(volume.read(out / name).voxels.any() for name in SCANS)
    assert "3 of 3 cases written" in (tmp_path / "logs" / "predict_strict.log").read_text()


@pytest.mark.parametrize("user", ["", "4242:4242"])
@pytest.mark.parametrize("root", ["", "/workspace"])
def test_it_needs_no_command_no_home_and_no_place_to_write(
    built: Built, engine: Engine, scans: Path, tmp_path: Path, user: str, root: str
) -> None:
    out = tmp_path / "output"
    out.mkdir()
    out.chmod(0o777)
    words = ["run", "--rm", "--network", "none", "--read-only", "--cap-drop", "ALL", "--pids-limit", "256"]
    words += ["--env", "HOME=/nonexistent", *(["--user", user] if user else [])]
    words += ["--volume", f"{scans}:{root}/input:ro", "--volume", f"{out}:{root}/output", built.tag]
    done = subprocess.run(engine.command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "3 of 3 cases written"
    assert failed(out, scans) == []


def test_an_output_that_is_not_its_own_is_one_sentence(
    built: Built, engine: Engine, scans: Path, tmp_path: Path
) -> None:
    out = tmp_path / "output"
    out.mkdir(mode=0o755)
    words = [
        "run",
        "--rm",
        "--volume",
        f"{scans}:/workspace/input:ro",
        "--volume",
        f"{out}:/workspace/output",
        built.tag,
    ]
    done = subprocess.run(engine.command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: /workspace/output cannot be written (Permission denied); mount a folder there that this user may write "
        "to, or run with --user root"
    ]


def test_the_limit_of_the_container_is_the_limit_of_a_case(built: Built, engine: Engine, tmp_path: Path) -> None:
    source, out = tmp_path / "input", tmp_path / "output"
    source.mkdir()
    out.mkdir()
    found = volume.head(save(source / "small.nii.gz", noise(SHAPE)))
    huge = found.header.copy()
    huge.set_data_shape((512, 512, 1024))
    (source / "huge.nii").write_bytes(huge.binaryblock)
    words = ["run", "--rm", "--user", "root", "--memory", "700m", "--memory-swap", "700m"]
    words += ["--volume", f"{source}:/workspace/input:ro", "--volume", f"{out}:/workspace/output", built.tag]
    done = subprocess.run(engine.command(*words), capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "error: huge.nii: " in done.stderr
    assert "the limit is 0.68 GiB" in done.stderr
    assert [path.name for path in out.iterdir()] == ["small.nii.gz"]


def test_nothing_is_in_it_that_is_not_imported(built: Built, engine: Engine) -> None:
    packages = {name.partition("==")[0].lower().replace("_", "-") for name in built.record["packages"]}
    assert {"torch", "nibabel", "isal", "dynamic-network-architectures", "einops"} <= packages
    assert not packages & {"timm", "torchvision", "huggingface-hub", "nnunetv2", "simpleitk", "scikit-image", "pandas"}
    code = (
        "import numpy, dynamic_network_architectures.architectures.unet as unet; "
        "print(unet.ResidualEncoderUNet.__name__)"
    )
    assert inside(engine, built.tag, "python", "-c", code) == "ResidualEncoderUNet"
    config = json.loads(engine.ask("image", "inspect", built.tag))[0]["Config"]
    assert (config.get("Entrypoint"), config["Cmd"], config["WorkingDir"], config["User"]) == (
        None,
        ["python", "run_inference.py"],
        "/workspace",
        "algorithm",
    )
    assert inside(engine, built.tag, "ls", "/workspace") == "input\noutput\nrun_inference.py"
