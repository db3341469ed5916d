"""The shell scripts of a submission folder, on an engine that only writes down what it is told."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.images.conftest import Parts

DOCKER = """#!/bin/sh
[ "$1" = save ] && echo image
printf '%s\\n' "$*" >> "$CALLS"
"""


class Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.tool("docker", DOCKER)
        self.tool("nproc", "#!/bin/sh\necho 32\n")
        for name in ("input", "output", "scratch"):
            (folder / name).mkdir()

    def tool(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def run(self, script: Path, *words: str) -> subprocess.CompletedProcess[str]:
        environ = {"PATH": f"{self.bin}:{os.environ['PATH']}", "CALLS": str(self.folder / "calls")}
        given = [str(self.folder / word) for word in words]
        return subprocess.run(["bash", str(script), *given], env=environ, capture_output=True, text=True, check=False)

    @property
    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_training_runs_under_the_organisers_flags(parts: Parts, folder: Folder, tmp_path: Path) -> None:
    folder.tool("nvidia-smi", "#!/bin/sh\n")
    assert parts.lay("train", tmp_path / "training") == 0
    done = folder.run(tmp_path / "training" / "test.sh", "input", "output", "scratch")
    assert done.returncode == 0, done.stderr
    words = folder.calls[0]
    for flags in (
        "--gpus all --cpus 16",
        "--memory 128g --memory-swap 128g",
        "--cap-drop ALL --cap-add SYS_NICE --security-opt no-new-privileges",
        "--network none --shm-size 32g --pids-limit 1024",
        f"--volume {tmp_path}/input:/input/:ro --volume {tmp_path}/output:/output/",
        f"--volume {tmp_path}/scratch:/scratch/",
    ):
        assert flags in words
    assert words.endswith(" slipway-test/stoictrain")
    assert (tmp_path / "output").stat().st_mode & 0o777 == 0o777
    assert folder.calls[1].startswith("rm --force")


def test_inference_writes_to_a_volume_and_its_files_come_out(parts: Parts, folder: Folder, tmp_path: Path) -> None:
    assert parts.lay("predict", tmp_path / "inference") == 0
    folder.tool("nvidia-smi", "#!/bin/sh\n")
    done = folder.run(tmp_path / "inference" / "test.sh", "input", "output")
    assert done.returncode == 0, done.stderr
    run, copied, removed, volume = folder.calls
    name = run.split("--name ")[1].split()[0]
    assert f"--volume {name}-output:/output/ slipway-test/stoicalgorithm" in run
    assert copied == f"cp {name}:/output/. {tmp_path}/output/"
    assert removed == f"rm --force --volumes {name}"
    assert volume == f"volume rm {name}-output"


def test_what_this_host_lacks_is_left_out_and_said(parts: Parts, folder: Folder, tmp_path: Path) -> None:
    folder.tool("nproc", "#!/bin/sh\necho 2\n")
    for tool in ("bash", "realpath", "ls", "chmod", "sh"):  # and no nvidia-smi, whatever machine this is
        (folder.bin / tool).symlink_to(f"/bin/{tool}")
    assert parts.lay("train", tmp_path / "training") == 0
    script = [
        "bash",
        str(tmp_path / "training" / "test.sh"),
        *(str(tmp_path / n) for n in ("input", "output", "scratch")),
    ]
    environ = {"PATH": str(folder.bin), "CALLS": str(tmp_path / "calls")}
    done = subprocess.run(script, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "--gpus" not in folder.calls[0]
    assert "--cpus" not in folder.calls[0]
    assert "no GPU here" in done.stderr
    assert "fewer than 16 CPUs here" in done.stderr


def test_a_full_output_folder_is_not_touched(parts: Parts, folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "output" / "precious").touch()
    assert parts.lay("train", tmp_path / "training") == 0
    done = folder.run(tmp_path / "training" / "test.sh", "input", "output", "scratch")
    assert done.returncode == 2
    assert "the output folder must be empty" in done.stderr
    assert folder.calls == []


def test_too_few_words_print_the_usage(parts: Parts, folder: Folder, tmp_path: Path) -> None:
    assert parts.lay("train", tmp_path / "training") == 0
    done = folder.run(tmp_path / "training" / "test.sh", "input")
    assert done.returncode == 2
    assert "usage: ./test.sh INPUT OUTPUT SCRATCH" in done.stderr


def test_build_and_export_are_the_organisers_words(parts: Parts, folder: Folder, tmp_path: Path) -> None:
    out = tmp_path / "training"
    assert parts.lay("train", out) == 0
    assert folder.run(out / "build.sh").returncode == 0
    assert folder.run(out / "export.sh").returncode == 0
    assert folder.calls == [
        f"build --network none --tag slipway-test/stoictrain {out}",
        "save slipway-test/stoictrain",
    ]
    unpacked = subprocess.run(
        ["gzip", "-dc", str(out / "STOICTrain.tar.gz")], capture_output=True, text=True, check=True
    )
    assert unpacked.stdout == "image\n"
