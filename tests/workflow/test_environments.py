"""The pins agree: what is asked for, the lock, and the conda environments."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ENVS = Path(__file__).resolve().parents[2] / "envs"


def pins(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, _, version = line.partition("==")
        assert version, f"'{line}' is not pinned"
        found[name.lower().replace("_", "-")] = version
    return found


def read(name: str) -> dict[str, str]:
    lines = (ENVS / name).read_text().splitlines()
    return pins([line for line in lines if line and not line.startswith("#")])


def test_the_lock_holds_what_is_asked_for() -> None:
    lock = read("lock.txt")
    assert read("requirements.txt").items() <= lock.items()
    assert not [name for name in lock if name.startswith("nvidia")], "torch pins its CUDA packages itself"


@pytest.mark.parametrize("path", sorted(ENVS.glob("*.yaml")), ids=lambda path: path.stem)
def test_conda_environments_agree_with_the_lock(path: Path) -> None:
    dependencies = yaml.safe_load(path.read_text())["dependencies"]
    wanted = pins(next(item["pip"] for item in dependencies if isinstance(item, dict)))
    assert wanted.items() <= read("lock.txt").items()


def test_the_images_ask_for_nothing_that_the_lock_does_not_hold() -> None:
    lock = read("lock.txt")
    for path in ENVS.parent.glob("containers/*/requirements*.txt"):
        lines = [line.split("#")[0].strip() for line in path.read_text().splitlines()]
        names = {line.split("==")[0].lower().replace("_", "-") for line in lines if line}
        assert names <= lock.keys(), f"{path.name}: {names - lock.keys()}"
