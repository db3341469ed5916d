"""The image that the template's stands on: made once, without a network where that can be, and found again."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workflow.scripts.agrigaia import ground

# An engine that keeps an empty file for every image, and what the folder of a build held.
DOCKER = """#!/bin/sh
echo "$*" >> "$FAKE/calls"
for last; do :; done
case "$1 $2" in
    "version "*) echo 20.10 ;;
    "image inspect")
        image="$FAKE/images/$(echo "$last" | tr / _)"
        [ -f "$image" ] || exit 1
        case "$4" in *Labels*) cat "$image" ;; *) echo sha256:1234567890abcdef ;; esac ;;
    "import "*) echo "$*" | sed 's/.*slipway.rootfs=\\([0-9a-f]*\\).*/\\1/' > "$FAKE/images/$(echo "$last" | tr / _)" ;;
    "build "*)
        [ ! -f "$FAKE/broken" ] || exit 1
        (cd "$last" && find . -type f | sort) > "$FAKE/context"
        touch "$FAKE/images/$(echo "$*" | sed 's/.*--tag \\([^ ]*\\).*/\\1/' | tr / _)" ;;
    *) exit 1 ;;
esac
"""
MMDEBSTRAP = """#!/bin/sh
echo "mmdebstrap $*" >> "$FAKE/calls"
while [ $# -gt 1 ]; do shift; done
echo rootfs > "$1"
"""


@dataclass(frozen=True)
class Host:
    folder: Path

    def base(self, **said: Any) -> None:
        (self.folder / "base.json").write_text(json.dumps(said))

    def wheel(self, content: bytes) -> None:
        part = self.folder / "house" / "extra"
        (part / "tqdm-4.0-py3-none-any.whl").write_bytes(content)
        files = {"tqdm-4.0-py3-none-any.whl": {"sha256": content.hex(), "size": len(content)}}
        said = {"folder": str(self.folder / "house"), "torch": {"files": {}}, "extra": {"files": files}}
        (self.folder / "house.json").write_text(json.dumps(said))

    def make(self) -> int:
        files = {"base": "base.json", "wheelhouse": "house.json", "cache": "cache", "output": "ground.json"}
        return ground.main([f"--{flag}={self.folder / name}" for flag, name in files.items()])

    @property
    def record(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "ground.json").read_text()))

    def calls(self, word: str) -> list[str]:
        return [line for line in (self.folder / "calls").read_text().splitlines() if line.startswith(word)]


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    for name in ("bin", "images", "house/torch", "house/extra"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("FAKE", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    for name, text in (("docker", DOCKER), ("mmdebstrap", MMDEBSTRAP)):
        path = tmp_path / "bin" / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    host = Host(tmp_path)
    host.base(kind="debian", reference="slipway/base:1", image_id="sha256:ab", suite="bookworm")
    host.wheel(b"tqdm")
    return host


def test_on_a_debian_base_the_tools_come_from_packages_and_nothing_asks_a_network(host: Host) -> None:
    assert host.make() == 0
    included = f"--include=usr-is-merged,python3,python3-venv,ca-certificates,{','.join(ground.TOOLS)} "
    assert included in (host.folder / "calls").read_text()
    (build,) = host.calls("build")
    assert build.startswith("build --network none --force-rm ")
    below = host.record["below"]["reference"]
    assert below.startswith("slipway/base:bookworm-")
    assert f"--build-arg BASE={below} " in build
    assert (host.folder / "context").read_text() == "./wheels/extra/tqdm-4.0-py3-none-any.whl\n"
    assert {path.name for path in host.folder.iterdir() if path.name.startswith(".")} == set()


def test_its_record_takes_the_place_of_base_json(host: Host) -> None:
    assert host.make() == 0
    record = host.record
    assert record["reference"].startswith("slipway/agrigaia-ground:")
    assert (record["schema"], record["kind"], record["suite"]) == (1, "ground", "bookworm")
    assert record["image_id"] == "sha256:1234567890abcdef"


def test_a_second_run_finds_it_and_does_nothing(host: Host) -> None:
    assert host.make() == 0
    first = host.record
    assert host.make() == 0
    assert host.record == first
    assert [len(host.calls(word)) for word in ("mmdebstrap", "import", "build")] == [1, 1, 1]


def test_other_packages_make_another_image(host: Host) -> None:
    assert host.make() == 0
    first = host.record["reference"]
    host.wheel(b"tqdm, newer")
    assert host.make() == 0
    assert host.record["reference"] != first
    assert [len(host.calls(word)) for word in ("mmdebstrap", "build")] == [1, 2]


def test_on_a_public_base_the_build_has_the_network_and_says_so(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.base(kind="public", reference="python:3.11@sha256:ab", image_id="sha256:cd", suite=None)
    assert host.make() == 0
    (build,) = host.calls("build")
    assert "--network" not in build
    assert "--build-arg BASE=python:3.11@sha256:ab " in build
    assert "the tools come from Debian's mirror, so this one image is built with the network" in capsys.readouterr().err
    assert host.calls("mmdebstrap") == []
    assert host.record["below"] == {"kind": "public", "reference": "python:3.11@sha256:ab"}


def test_a_build_that_fails_leaves_no_record_and_no_folder(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    (host.folder / "broken").touch()
    assert host.make() == 1
    assert "its own words stand above" in capsys.readouterr().err
    assert not (host.folder / "ground.json").exists()
    assert {path.name for path in host.folder.iterdir() if path.name.startswith(".")} == set()


def test_a_base_that_is_none(host: Host, capsys: pytest.CaptureFixture[str]) -> None:
    host.base(kind="debian", reference="slipway/base:1")
    assert host.make() == 1
    assert "base.json has no `image_id`; make it with workflow.scripts.base" in capsys.readouterr().err
