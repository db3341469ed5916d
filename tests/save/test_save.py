"""The save command: what it writes, what it refuses, and that it leaves nothing behind when it fails."""

from __future__ import annotations

import gzip
import hashlib
import json
import resource
import signal
import subprocess
import sys
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.save import images
from tests.save.conftest import LAYERS, Bench

SLIPWAY = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
THREE = ["STOICTrain.manifest.json", "STOICTrain.tar.gz", "STOICTrain.tar.gz.sha256"]
OTHER = "sha256:" + "0" * 64


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence of an error."""
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    return lines[0]


def test_the_three_files(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main() == 0
    assert bench.left == THREE
    digest = hashlib.sha256(bench.archive.read_bytes()).hexdigest()
    assert bench.sha256.read_text() == f"{digest}  STOICTrain.tar.gz\n"
    tar = gzip.decompress(bench.archive.read_bytes())
    assert json.loads(bench.manifest.read_text()) == {
        "schema": 1,
        "challenge": "stoic",
        "image": "train",
        "archive": "STOICTrain.tar.gz",
        "size": bench.archive.stat().st_size,
        "sha256": digest,
        "tar": {"size": len(tar), "sha256": hashlib.sha256(tar).hexdigest()},
        "image_id": bench.record["image_id"],
        "config": bench.record["image_id"],
        "tags": ["stoictrain:latest"],
        "layers": [{"digest": f"sha256:{images.hex_of(data)}", "size": len(data)} for data in LAYERS],
        "revision": "abc123",
        "verdict": {"status": "PASS", "reason": "It ran as promised.", "warnings": 2},
        "engine": {"name": "docker", "version": "99.0"},
        "versions": {"isal": version("isal"), "slipway": SLIPWAY},
        "level": 1,
        "load": "docker load --input STOICTrain.tar.gz",
    }
    out, err = capsys.readouterr()
    assert digest in out
    assert "+ docker save stoictrain:latest" in err


def test_sha256sum_agrees(bench: Bench) -> None:
    assert bench.main() == 0
    done = subprocess.run(["sha256sum", "--check", bench.sha256.name], cwd=bench.archive.parent, capture_output=True)
    assert done.stdout == b"STOICTrain.tar.gz: OK\n"


def test_a_second_save_gives_the_same_bytes(bench: Bench) -> None:
    assert bench.main("--threads", "1") == 0
    before = [path.read_bytes() for path in (bench.archive, bench.sha256, bench.manifest)]
    bench.streams(images.legacy(LAYERS, mtime=1_800_000_000))
    assert bench.main("--threads", "3") == 0
    assert [path.read_bytes() for path in (bench.archive, bench.sha256, bench.manifest)] == before


def test_not_passed(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.verdict |= {"status": "FAIL", "reason": "It ran out of memory."}
    assert bench.main() == 1
    assert said(capsys) == (
        "error: stoictrain has not passed its test (It ran out of memory.); fix that and test it again"
    )
    assert bench.left == []


def test_a_refusal_leaves_an_earlier_archive_alone(bench: Bench) -> None:
    assert bench.main() == 0
    before = bench.archive.read_bytes()
    bench.verdict["status"] = "FAIL"
    assert bench.main() == 1
    assert bench.archive.read_bytes() == before


def test_a_verdict_about_another_image(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.verdict["image_id"] = OTHER
    assert bench.main() == 1
    assert f"the verdict is about {OTHER}, but stoictrain was built as {bench.record['image_id']}" in said(capsys)


def test_rebuilt_since(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    (bench.folder / "id").write_text(OTHER)
    assert bench.main() == 1
    assert f"stoictrain was rebuilt: it is {OTHER} now" in said(capsys)


def test_the_image_is_gone(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    (bench.folder / "id").unlink()
    assert bench.main() == 1
    again = "snakemake stoic_image --forcerun stoic_image_train"
    assert said(capsys) == f"error: docker has no image stoictrain any more; build it again: {again}"


def test_built_under_another_tag(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.record["tag"] = "stoictrain:2"
    assert bench.main() == 1
    assert "the contract calls the image stoictrain, but it was built as stoictrain:2" in said(capsys)


def test_another_file_name(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main("--archive", str(bench.folder / "train.tar.gz")) == 1
    assert "--archive must be named STOICTrain.tar.gz" in said(capsys)


@pytest.mark.parametrize(("file", "key"), [("record", "image_id"), ("verdict", "status")])
def test_a_file_without_a_key(bench: Bench, file: str, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    getattr(bench, file).pop(key)
    assert bench.main() == 1
    assert f"{file}.json has no '{key}'; delete it" in said(capsys)


def test_no_threads(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main("--threads", "0")
    assert "at least one thread must compress" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "head -c 2000000 '{folder}/image.tar'; echo 'Error: unexpected EOF' >&2; exit 3",
            "`docker save stoictrain:latest` ended with 3 before the image was complete: Error: unexpected EOF",
        ),
        (
            "cat '{folder}/image.tar'; exit 4",
            "`docker save stoictrain:latest` ended with 4 before the image was complete: it printed nothing",
        ),
        (
            "head -c 2000000 '{folder}/image.tar'",
            "what `docker save stoictrain:latest` streams is not a whole image (it ends within "
            + f"{1:064x}/layer.tar); run the save again",
        ),
        ("true", "what `docker save stoictrain:latest` streams is not a whole image (empty file); run the save again"),
        (
            "yes | head -c 100000",
            "what `docker save stoictrain:latest` streams is not a whole image (invalid header); run the save again",
        ),
    ],
    ids=["engine fails", "engine fails at the end", "cut", "empty", "no tar"],
)
def test_a_stream_that_fails(bench: Bench, script: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    bench.streams(images.legacy(LAYERS), script)
    assert bench.main() == 1
    assert said(capsys) == f"error: {sentence}"
    assert bench.left == []


def test_another_image_in_the_stream(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    (bench.folder / "image.tar").write_bytes(images.legacy(LAYERS[:2]).tar)
    assert bench.main() == 1
    assert f"where {bench.record['image_id']} passed; test stoictrain:latest again" in said(capsys)
    assert bench.left == []


def test_a_failure_takes_an_earlier_archive_away(bench: Bench) -> None:
    """It would be of another image than the verdict beside it."""
    assert bench.main() == 0
    bench.streams(images.legacy(LAYERS), "exit 1")
    assert bench.main() == 1
    assert bench.left == []


def test_a_full_disk(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    random = subprocess.run(["head", "-c", "4000000", "/dev/urandom"], capture_output=True, check=True).stdout
    bench.streams(images.legacy([random]))
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
        assert bench.main() == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "STOICTrain.tar.gz cannot be written (File too large); make room there" in said(capsys)
    assert bench.left == []


def test_a_folder_that_cannot_be_made(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.archive.parent.write_text("a file")
    assert bench.main() == 1
    assert "STOICTrain.tar.gz cannot be written" in said(capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_nothing(bench: Bench, number: signal.Signals) -> None:
    bench.streams(images.legacy(LAYERS), "head -c 2000000 '{folder}/image.tar'; exec sleep 60")
    with subprocess.Popen(
        [sys.executable, "-m", "workflow.scripts.save", *bench.words()],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
    ) as process:
        waits_until = time.monotonic() + 30
        while "STOICTrain.tar.gz.part" not in bench.left and time.monotonic() < waits_until:
            time.sleep(0.05)
        assert bench.left == ["STOICTrain.tar.gz.part"]
        process.send_signal(number)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert err.decode().splitlines()[-1] == (
        f"error: the save was interrupted and left nothing behind; run it again for {bench.archive}"
    )
    assert bench.left == []
