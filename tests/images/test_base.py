"""Which image all others begin with."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.images.conftest import CACHE, STOIC, inside
from workflow.scripts import base
from workflow.scripts.slipway.engine import Engine

# An engine without images, on a host without a network. An imported image is a file that holds its label.
DOCKER = """#!/bin/sh
echo "$*" >> "$FAKE/calls"
case "$1 $2" in
    "version "*) echo 20.10 ;;
    "image inspect")
        for reference; do :; done
        image="$FAKE/images/$(echo "$reference" | tr / _)"
        [ -f "$image" ] || exit 1
        case "$4" in *Labels*) cat "$image" ;; *) echo sha256:1234567890abcdef ;; esac ;;
    "import "*)
        for reference; do :; done
        echo "$*" | sed 's/.*slipway.rootfs=\\([0-9a-f]*\\).*/\\1/' > "$FAKE/images/$(echo "$reference" | tr / _)" ;;
    "run "*) cat "$FAKE/python" ;;
    *) echo "no route to the registry" >&2; exit 1 ;;
esac
"""
MMDEBSTRAP = """#!/bin/sh
echo "mmdebstrap $SOURCE_DATE_EPOCH" >> "$FAKE/calls"
[ -f "$FAKE/python" ] || exit 25
while [ $# -gt 1 ]; do shift; done
echo rootfs > "$1"
"""


@dataclass(frozen=True)
class Host:
    folder: Path

    def install(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def image(self, reference: str) -> None:
        (self.folder / "images" / reference.replace("/", "_")).touch()

    def choose(self, choice: str) -> int:
        words = [f"--base={choice}", "--public=python:pinned", f"--cache={self.folder / 'cache'}"]
        return base.main([*words, f"--output={self.folder / 'base.json'}"])

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "base.json").read_text()))

    def calls(self, word: str) -> list[str]:
        return [line for line in (self.folder / "calls").read_text().splitlines() if line.startswith(word)]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    for name in ("bin", "images"):
        (tmp_path / name).mkdir()
    (tmp_path / "python").write_text("3.11\n")
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    host = Host(tmp_path)
    host.install("docker", DOCKER)
    host.install("mmdebstrap", MMDEBSTRAP)
    return host


def test_auto_takes_the_public_image_that_is_here(host: Host) -> None:
    host.image("python:pinned")
    assert host.choose("auto") == 0
    assert host.record["kind"] == "public"
    assert host.record["reference"] == "python:pinned"
    assert host.record["image_id"] == "sha256:1234567890abcdef"
    assert not host.calls("pull")


def test_auto_makes_a_debian_base_where_no_registry_answers(host: Host, capfd: pytest.CaptureFixture[str]) -> None:
    assert host.choose("auto") == 0
    assert "no image registry gives python:pinned, so the base is made of Debian packages" in capfd.readouterr().err
    assert host.calls("pull") == ["pull python:pinned"]
    assert host.record["kind"] == "debian"
    assert host.record["suite"] == "bookworm"
    assert Path(host.record["rootfs"]).is_file()


def test_debian_asks_no_registry_and_a_second_run_does_nothing(host: Host) -> None:
    assert host.choose("debian") == 0
    first = host.record
    assert host.choose("debian") == 0
    assert host.record == first
    assert host.calls("mmdebstrap") == ["mmdebstrap 1700000000"]
    assert len(host.calls("import")) == 1
    assert not host.calls("pull")


def test_an_image_of_another_file_system_is_replaced(host: Host) -> None:
    assert host.choose("debian") == 0
    Path(host.record["rootfs"]).write_bytes(b"another one")
    assert host.choose("debian") == 0
    assert len(host.calls("import")) == 2


def test_without_mmdebstrap_one_sentence_says_how_to_get_it(
    host: Host, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (host.folder / "bin" / "mmdebstrap").unlink()
    for tool in ("sh", "sed", "tr", "cat"):
        (host.folder / "bin" / tool).symlink_to(f"/bin/{tool}")
    monkeypatch.setenv("PATH", str(host.folder / "bin"))
    assert host.choose("debian") == 1
    assert (
        "mmdebstrap is not installed and the debian base is made with it; run `./slipway engine`"
        in capsys.readouterr().err
    )


def test_a_failed_bootstrap_leaves_nothing_and_says_what_it_needs(
    host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    (host.folder / "python").unlink()
    assert host.choose("debian") == 1
    assert "it needs a Debian mirror that answers, and root or user namespaces" in capsys.readouterr().err
    assert list((host.folder / "cache").iterdir()) == []
    assert not (host.folder / "base.json").exists()


def test_a_reference_that_nobody_has_is_named(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    assert host.choose("mine/python:3") == 1
    assert "containers.base names mine/python:3, which is not on this host" in capsys.readouterr().err


def test_another_python_is_refused(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.image("mine/python:3")
    (host.folder / "python").write_text("3.9\n")
    assert host.choose("mine/python:3") == 1
    assert "mine/python:3 has Python 3.9 and the packages are for 3.11" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["train", "predict"])
def test_the_dockerfiles_begin_with_the_pinned_public_image(name: str) -> None:
    assert f"ARG BASE={base.PUBLIC}\n" in (STOIC / f"{name}.Dockerfile").read_text()


@pytest.mark.engine
def test_the_real_base_has_python_and_certificates_and_stays(
    debian: Path, engine: Engine, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    tag = json.loads(debian.read_text())["reference"]
    assert inside(engine, tag, "python", "-c", base.PROBE) == "3.11"
    assert "BEGIN CERTIFICATE" in inside(engine, tag, "cat", "/etc/ssl/certs/ca-certificates.crt")
    assert inside(engine, tag, "readlink", "/lib") == "usr/lib"
    assert "perl" not in inside(engine, tag, "ls", "/usr/share").split(), "all of Perl is 50 MB"
    assert inside(engine, tag, "find", "/etc/apt/preferences.d", "-type", "f") == ""
    left = ("find", "/var/lib/apt/lists", "/var/cache", "/usr/share/man", "-type", "f", "-size", "+0")
    assert inside(engine, tag, *left, user="root") == ""
    capfd.readouterr()
    assert base.main(["--base=debian", f"--cache={CACHE}", f"--output={tmp_path / 'again.json'}"]) == 0
    assert "+ " not in capfd.readouterr().err
    assert (tmp_path / "again.json").read_text() == debian.read_text()
