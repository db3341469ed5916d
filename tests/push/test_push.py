"""An image that passed is pushed to a real registry on loopback; everything else is refused in one sentence."""

from __future__ import annotations

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.push import registry as registries
from tests.push.registry import Registry
from workflow.scripts import push
from workflow.scripts.slipway.engine import Engine, find

pytestmark = pytest.mark.engine
CONTRACT = Path(__file__).resolve().parents[2] / "containers" / "objectnet" / "contract.yaml"


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return registries.unpacked(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="module")
def registry(program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registries.serving(program, tmp_path_factory.mktemp("open") / "registry") as found:
        yield found


@dataclass
class Subject:
    """A tiny image, and what the workflow would have written down about it."""

    engine: Engine
    folder: Path
    tag: str
    status: str = "PASS"

    @property
    def image_id(self) -> str:
        return self.engine.image_id(self.tag) or "sha256:none"

    def push(self) -> int:
        return push.main(self.words(self.image_id))

    def words(self, image_id: str) -> list[str]:
        record = {"challenge": "objectnet", "image": "torch", "tag": self.tag, "image_id": image_id}
        verdict = {"status": self.status, "reason": "It ran out of memory.", "image_id": image_id}
        (self.folder / "image.json").write_text(json.dumps(record))
        (self.folder / "verdict.json").write_text(json.dumps(verdict))
        files = {"record": "image.json", "verdict": "verdict.json", "output": "pushed.json"}
        words = ["--image=torch", f"--contract={CONTRACT}", "--name", f"tag={self.tag}", "--name", "name=objectnet"]
        return [*words, *(f"--{flag}={self.folder / name}" for flag, name in files.items())]

    @property
    def pushed(self) -> Path:
        return self.folder / "pushed.json"


@pytest.fixture
def make(engine: Engine, tmp_path: Path) -> Iterator[Subject]:
    """An image under no tag yet."""
    subject = Subject(engine, tmp_path, "slipway-test/push")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("file"), io.BytesIO())
    subprocess.run(engine.command("import", "-", subject.tag), input=stream.getvalue(), check=True, capture_output=True)
    yield subject
    for tag in {subject.tag, "slipway-test/push"}:
        subprocess.run(engine.command("image", "rm", tag), capture_output=True, check=False)


def tagged(subject: Subject, tag: str) -> Subject:
    subject.engine.ask("tag", subject.image_id, tag)
    subject.tag = tag
    return subject


def test_the_registry_has_the_very_image(make: Subject, registry: Registry) -> None:
    subject = tagged(make, f"{registry.address}/team/objectnet:v1")
    assert subject.push() == 0
    said = json.loads(subject.pushed.read_text())
    there = registry.manifest("team/objectnet", "v1")
    assert there["config"]["digest"] == subject.image_id == said["image_id"]
    assert there["digest"] == said["digest"]
    assert said["tag"] == f"{registry.address}/team/objectnet:v1"


def test_it_works_a_second_time(make: Subject, registry: Registry) -> None:
    subject = tagged(make, f"{registry.address}/team/again:v1")
    assert subject.push() == 0
    first = subject.pushed.read_text()
    assert subject.push() == 0
    assert subject.pushed.read_text() == first


def refused(subject: Subject, capsys: pytest.CaptureFixture[str]) -> str:
    assert subject.push() == 1
    assert not subject.pushed.exists()
    return capsys.readouterr().err.splitlines()[-1]


def test_an_image_that_failed_is_not_pushed(
    make: Subject, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    subject = tagged(make, f"{registry.address}/team/failed:v1")
    subject.status = "FAIL"
    assert "has not passed its test (It ran out of memory.); fix that and test it again" in refused(subject, capsys)
    with pytest.raises(OSError, match="404"):
        registry.manifest("team/failed", "v1")


def test_an_image_that_was_built_again_since_is_not_pushed(
    make: Subject, registry: Registry, capsys: pytest.CaptureFixture[str]
) -> None:
    subject = tagged(make, f"{registry.address}/team/other:v1")
    assert push.main(subject.words("sha256:" + "0" * 64)) == 1
    assert "was rebuilt" in capsys.readouterr().err


def test_a_tag_without_a_registry_goes_nowhere(make: Subject, capsys: pytest.CaptureFixture[str]) -> None:
    said = "the tag 'slipway-test/push' names no registry; set challenges.objectnet.tag to registry/project/name:tag"
    assert refused(make, capsys) == f"error: {said}"


def test_who_has_not_logged_in_is_told_how(
    make: Subject, program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with registries.serving(program, tmp_path / "closed", closed=True) as closed:
        subject = tagged(make, f"{closed.address}/team/objectnet:v1")
        said = refused(subject, capsys)
    assert said == (
        f"error: {closed.address} does not let this user push {subject.tag}; run `docker login {closed.address}` first"
    )


def test_a_registry_that_does_not_answer_is_named(make: Subject, capsys: pytest.CaptureFixture[str]) -> None:
    address = f"127.0.0.1:{registries.free_port()}"
    subject = tagged(make, f"{address}/team/objectnet:v1")
    assert f"error: the registry {address} does not answer; see that the tag" in refused(subject, capsys)
