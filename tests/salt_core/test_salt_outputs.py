"""What the bench says about the salt container's output."""

from __future__ import annotations

from pathlib import Path

import pytest

from containers.kit.outputs import Finding
from containers.salt import outputs
from tests.salt_core import slow

IDS = ("0a", "0b", "0c")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    output, source = tmp_path / "output", tmp_path / "input"
    output.mkdir()
    source.mkdir()
    for name in (*(f"{name}.png" for name in IDS), "notes.txt", ".0d.png"):
        (source / name).touch()
    slow.table(output / "submission.csv", dict.fromkeys(IDS, ""))
    return output, source


def test_a_line_for_every_png_passes(folders: tuple[Path, Path]) -> None:
    assert outputs.check(*folders) == [
        Finding("output files", "PASS", "1 files", "1 files"),
        Finding("masks", "PASS", "3 images", "3 lines"),
    ]


def test_one_finding_a_kind_of_problem(folders: tuple[Path, Path]) -> None:
    output, source = folders
    slow.table(output / "submission.csv", {"0b": "1", "0a": "0 1", "0z": "", "0y": ""})
    (output / "log.txt").touch()
    found = {finding.name: finding for finding in outputs.check(output, source)}
    assert {name: (finding.status, finding.got) for name, finding in found.items()} == {
        "extra output": ("FAIL", "log.txt"),
        "mask": ("FAIL", "2 times"),
        "unknown id": ("FAIL", "2 times"),
        "missing id": ("FAIL", "1 times"),
        "row count": ("FAIL", "1 times"),
        "not sorted": ("WARN", "2 times"),
    }
    assert found["unknown id"].expected == "images of the input folder"
    assert found["missing id"].note == "submission.csv lacks 1 of 3 images (0c); write a line for each"


def test_no_file_is_one_finding(folders: tuple[Path, Path]) -> None:
    output, source = folders
    (output / "submission.csv").unlink()
    [finding] = outputs.check(output, source)
    assert (finding.name, finding.status, finding.expected) == ("missing output", "FAIL", "submission.csv")


def test_every_kind_has_what_is_expected(folders: tuple[Path, Path]) -> None:
    output, source = folders
    file = output / "submission.csv"
    for text in ("", "id,rle_mask\n\n0a\n,\n0a,\n0a,\n", "id,rle_mask\n0a,\xff\n"):
        file.write_text(text, encoding="latin-1")
        assert {finding.status for finding in outputs.check(output, source)[1:]} <= {"FAIL", "WARN"}
    source_text = Path(outputs.__file__).with_name("submission.py").read_text()
    assert all(f'"{kind}"' in source_text for kind in outputs.EXPECTED)


def test_an_input_without_images_fails(folders: tuple[Path, Path], tmp_path: Path) -> None:
    output, _ = folders
    (tmp_path / "empty").mkdir()
    [finding] = outputs.check(output, tmp_path / "empty")
    assert (finding.status, finding.got) == ("FAIL", "no image")
    [finding] = outputs.check(output, tmp_path / "absent")
    assert finding.note == (
        f"{tmp_path / 'absent'} cannot be read (No such file or directory); name the folder with the images"
    )
