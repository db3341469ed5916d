"""The program as a process of its own: from the organisers' folder, with no more packages than the image has."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.amos_container.scans import noise, save

ROOT = Path(__file__).resolve().parents[2]
# In this environment, not in the image.
ABSENT = (
    *("timm", "torchvision", "huggingface_hub", "nnunetv2", "skimage", "batchgenerators", "batchgeneratorsv2"),
    *("acvl_utils", "cc3d", "monai", "pandas", "sklearn", "SimpleITK", "matplotlib", "yaml", "snakemake", "workflow"),
)
HOOK = """
import sys
class Refused:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(f"the image has no {{name}}", name=name)
sys.meta_path.insert(0, Refused())
"""


def thin_file() -> str:
    """What the Dockerfile puts beside input and output."""
    text = (ROOT / "containers" / "amos" / "predict.Dockerfile").read_text()
    found = re.search(r"printf '%s\\n' (.*) \\\n", text)
    assert found
    return "".join(f"{line}\n" for line in shlex.split(found[1]))


def run(folder: Path, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
    (folder / "run_inference.py").write_text(code)
    clean = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **environ}
    words = [sys.executable, "run_inference.py"]
    return subprocess.run(words, cwd=folder, env=clean, capture_output=True, text=True, check=False)


def test_it_runs_from_its_folder_with_the_images_packages_and_no_home(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    save(tmp_path / "input" / "amos_0001.nii.gz", noise((20, 18, 16)))
    done = run(tmp_path, HOOK.format(absent=set(ABSENT)) + thin_file(), SLIPWAY_ARTIFACT=str(artifact))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("amos_0001.nii.gz: 16 x 18 x 20 voxels")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["input", "output", "run_inference.py"]
    assert [path.name for path in (tmp_path / "output").iterdir()] == ["amos_0001.nii.gz"]


def test_the_unet_needs_no_timm() -> None:
    code = HOOK.format(absent={"timm", "torchvision"}) + (
        "from dynamic_network_architectures.architectures import unet\n"
        "print(unet.PlainConvUNet.__name__, unet.ResidualEncoderUNet.__name__, 'timm' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "PlainConvUNet ResidualEncoderUNet False\n"


@pytest.mark.parametrize("name", ["nothing", "input"])
def test_a_wrong_folder_is_told_before_torch_is_imported(tmp_path: Path, name: str) -> None:
    (tmp_path / "input").mkdir()
    code = (
        "import atexit, sys\n"
        "heavy = ('torch', 'numpy', 'scipy', 'nibabel')\n"
        "atexit.register(lambda: print([name for name in heavy if name in sys.modules]))\n"
    )
    done = run(tmp_path, code + thin_file(), SLIPWAY_INPUT=str(tmp_path / name))
    assert done.returncode == 1
    assert done.stdout == "[]\n"
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_the_pools_are_limited_before_they_are_made(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "a.nii.gz").touch()
    code = (
        "import os, sys\n"
        "from containers.kit import cpus\n"
        "real = cpus.limit_threads\n"
        "cpus.limit_threads = lambda: print(real(), 'torch' in sys.modules, 'numpy' in sys.modules)\n"
    )
    done = run(tmp_path, code + thin_file(), SLIPWAY_ARTIFACT=str(artifact))
    assert done.returncode == 1
    assert re.fullmatch(r"\d+ False False\n", done.stdout), done.stderr
    assert "0 of 1 cases written; failed: a.nii.gz (is empty; copy it again)" in done.stderr
