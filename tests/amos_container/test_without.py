"""Packages that are needed by name only: left out of an image's wheels, with what only they need."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.images.conftest import Index
from tests.images.conftest import index as index  # the fixture
from tests.images.test_wheels import House
from workflow.scripts import wheels


class Nets(House):
    """An image whose `nets` names `timm`, which brings `torchvision` and `hub`; `pillow` is needed otherwise too."""

    def __init__(self, folder: Path, index: Index) -> None:
        super().__init__(folder)
        index.add("torch", "2.0")
        index.add("nets", "0.4", "torch", "timm<2", "einops")
        index.add("timm", "1.0", "torchvision", "hub", "pillow")
        for name in ("torchvision", "hub", "pillow", "einops"):
            index.add(name, "1.0")
        self.lock(torch="2.0", nets="0.4", **dict.fromkeys(("timm", "torchvision", "hub", "pillow", "einops"), "1.0"))
        self.write("extra.txt", "nets\npillow\n")

    def fetch_without(self, *names: str) -> int:
        files = {"lock": "lock.txt", "common": "common.txt", "extra": "extra.txt", "cache": "store"}
        words = [f"--{flag}={self.folder / name}" for flag, name in files.items()]
        return wheels.main([*words, "--without", *names, f"--output={self.record}"])

    @property
    def extra(self) -> list[str]:
        return list(self.said["extra"]["packages"])


@pytest.fixture
def nets(tmp_path: Path, index: Index) -> Nets:
    return Nets(tmp_path, index)


def test_what_only_the_left_out_needs_is_left_out_too(nets: Nets) -> None:
    assert nets.fetch_without("Timm") == 0
    assert nets.extra == ["einops==1.0", "nets==0.4", "pillow==1.0"]
    assert nets.said["torch"]["packages"] == ["torch==2.0"]
    assert sorted(path.name for path in (nets.folder / "house" / "extra").glob("*.whl")) == [
        "einops-1.0-py3-none-any.whl",
        "nets-0.4-py3-none-any.whl",
        "pillow-1.0-py3-none-any.whl",
    ]
    assert nets.file("extra", "extra.txt").read_text() == "einops==1.0\nnets==0.4\npillow==1.0\n"


def test_no_names_leave_nothing_out(nets: Nets) -> None:
    assert nets.fetch_without() == 0
    assert len(nets.extra) == 6


def test_another_list_is_another_wheelhouse(nets: Nets, capsys: pytest.CaptureFixture[str]) -> None:
    assert nets.fetch_without() == 0
    assert nets.fetch_without("timm") == 0
    assert len(nets.extra) == 3
    capsys.readouterr()
    assert nets.fetch_without("timm") == 0
    assert "is complete; nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tim", "`without` names tim, which nothing needs; did you mean 'timm'?"),
        ("sklearn", "`without` names sklearn, which nothing needs; remove it"),
        ("nets", "nets is asked for by the requirements and left out by `without`; take it out of one of them"),
    ],
)
def test_a_mistake_in_the_list_is_one_sentence(
    nets: Nets, name: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert nets.fetch_without(name) == 1
    assert sentence in capsys.readouterr().err
    assert not nets.record.exists()
