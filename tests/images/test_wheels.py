"""The wheelhouse of an image: what the lock says, split, complete, and fetched once."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.images.conftest import Index
from workflow.scripts import wheels

LOCK = {"torch": "2.0", "jinja2": "3.1", "tqdm": "4.0"}


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "house.json"
        self.write("common.txt", "# comment\ntorch\n")
        self.write("extra.txt", "tqdm  # comment\n")
        self.lock(**LOCK)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def lock(self, **pins: str) -> None:
        self.write("lock.txt", "# made\n" + "".join(f"{name}=={version}\n" for name, version in pins.items()))

    def fetch(self) -> int:
        files = {"lock": "lock.txt", "common": "common.txt", "extra": "extra.txt", "cache": "store"}
        return wheels.main(
            [*(f"--{flag}={self.folder / name}" for flag, name in files.items()), f"--output={self.record}"]
        )

    @property
    def said(self) -> dict[str, Any]:
        return dict(json.loads(self.record.read_text()))

    def file(self, part: str, name: str) -> Path:
        return self.folder / "house" / part / name

    def stored(self, name: str) -> Path:
        return next((self.folder / "store").glob(f"*/{name}"))

    def fetch_without_torch(self) -> int:
        files = {"lock": "lock.txt", "cache": "store"}
        more = ["--extra", str(self.folder / "extra.txt"), str(self.folder / "more.txt"), f"--output={self.record}"]
        return wheels.main([*(f"--{flag}={self.folder / name}" for flag, name in files.items()), *more])


@pytest.fixture
def house(tmp_path: Path, index: Index) -> House:
    index.add("torch", "2.0", "jinja2", 'old; python_version < "3.9"', 'triton; extra == "fast"')
    index.add("jinja2", "3.1")
    index.add("tqdm", "4.0")
    return House(tmp_path)


def test_common_and_extra_are_apart_and_frozen(house: House) -> None:
    assert house.fetch() == 0
    assert house.file("torch", "torch.txt").read_text() == "jinja2==3.1\ntorch==2.0\n"
    assert house.file("extra", "extra.txt").read_text() == "tqdm==4.0\n"
    assert house.said["torch"]["packages"] == ["jinja2==3.1", "torch==2.0"]
    wheel = house.file("extra", "tqdm-4.0-py3-none-any.whl")
    assert house.said["extra"]["files"][wheel.name] == {
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "size": wheel.stat().st_size,
    }


def test_a_local_build_is_taken_and_its_pin_fits_any_build(house: House, index: Index) -> None:
    index.add("torch", "2.0+cpu", "jinja2")
    assert house.fetch() == 0
    assert house.file("torch", "torch-2.0+cpu-py3-none-any.whl").is_file()
    assert not house.file("torch", "torch-2.0-py3-none-any.whl").exists()
    assert "torch==2.0\n" in house.file("torch", "torch.txt").read_text()


def test_the_lock_keeps_newer_versions_out(house: House, index: Index) -> None:
    index.add("torch", "3.0", "nvidia-cublas")
    assert house.fetch() == 0
    assert house.said["torch"]["packages"] == ["jinja2==3.1", "torch==2.0"]


def test_wheels_of_older_linux_fit_and_of_newer_python_do_not(house: House, index: Index) -> None:
    (index.folder / "tqdm-4.0-py3-none-any.whl").unlink()
    index.add("tqdm", "4.0", tag="cp312-cp312-manylinux_2_28_x86_64")
    index.add("tqdm", "4.0", tag="cp311-cp311-manylinux_2_24_x86_64")
    assert house.fetch() == 0
    assert house.file("extra", "tqdm-4.0-cp311-cp311-manylinux_2_24_x86_64.whl").is_file()


def test_a_second_run_does_nothing(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    assert house.fetch() == 0
    before = house.record.read_bytes()
    capsys.readouterr()
    assert house.fetch() == 0
    assert "is complete; nothing to do" in capsys.readouterr().out
    assert house.record.read_bytes() == before


def test_what_the_store_has_is_not_fetched_again(house: House, index: Index) -> None:
    assert house.fetch() == 0
    before = house.stored("torch-2.0-py3-none-any.whl").stat().st_ino
    for path in index.folder.iterdir():
        path.unlink()
    house.record.unlink()
    house.write("extra.txt", "")
    assert house.fetch() == 0
    assert house.file("torch", "torch-2.0-py3-none-any.whl").stat().st_ino == before
    assert house.said["extra"]["packages"] == []


def test_a_damaged_wheelhouse_is_not_complete(house: House) -> None:
    assert house.fetch() == 0
    wheel = house.file("torch", "torch-2.0-py3-none-any.whl")
    whole = wheel.read_bytes()
    wheel.unlink()
    assert house.fetch() == 0
    assert wheel.read_bytes() == whole


def test_a_wheel_that_broke_in_the_store_is_fetched_again(house: House) -> None:
    assert house.fetch() == 0
    wheel = house.file("torch", "torch-2.0-py3-none-any.whl")
    whole = wheel.read_bytes()
    wheel.write_bytes(whole[:100])  # a link to the store, so both break
    assert house.fetch() == 0
    assert wheel.read_bytes() == whole
    assert house.stored(wheel.name).read_bytes() == whole


def test_a_package_outside_the_lock_is_refused(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    house.lock(torch="2.0", tqdm="4.0")
    assert house.fetch() == 1
    assert "jinja2==3.1 would go into an image and is not pinned by" in capsys.readouterr().err
    assert not house.record.exists()


def test_what_torch_pins_by_itself_needs_no_line_in_the_lock(house: House, index: Index) -> None:
    index.add("torch", "2.0", "jinja2", "nvidia-cublas-cu12==12.8")
    index.add("nvidia_cublas_cu12", "12.8")
    assert house.fetch() == 0
    assert "nvidia-cublas-cu12==12.8" in house.said["torch"]["packages"]


def test_a_missing_wheel_fails_in_one_sentence(house: House, index: Index, capsys: pytest.CaptureFixture[str]) -> None:
    (index.folder / "jinja2-3.1-py3-none-any.whl").unlink()
    assert house.fetch() == 1
    assert "pip could not fetch the wheels" in capsys.readouterr().err
    assert not house.record.exists()
    assert not (house.folder / "house").exists()


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("extra.txt", "tqdm\n-r other.txt\n", "line 2: '-r other.txt' is not a package name"),
        ("extra.txt", None, "it should name the packages of an image"),
        ("lock.txt", None, "it should pin every package"),
    ],
)
def test_mistakes_in_the_lists_are_named(
    house: House, name: str, text: str | None, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (house.folder / name).unlink()
    if text is not None:
        house.write(name, text)
    assert house.fetch() == 1
    said = capsys.readouterr().err
    assert name in said
    assert sentence in said


def test_an_image_without_torch_has_its_own_packages_alone_from_several_lists(house: House, index: Index) -> None:
    house.write("more.txt", "jinja2\n")
    assert house.fetch_without_torch() == 0
    assert house.said["torch"]["packages"] == []
    assert house.file("torch", "torch.txt").read_text() == ""
    assert house.said["extra"]["packages"] == ["jinja2==3.1", "tqdm==4.0"]
    assert sorted(path.name for path in (index.folder).glob("torch*")) == ["torch-2.0-py3-none-any.whl"]
    assert not list((house.folder / "store").glob("*/torch*"))
