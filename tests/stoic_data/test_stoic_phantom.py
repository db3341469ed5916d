"""The demo: the same from the same seed, there whole or not at all, the organisers' balance, and plausible chests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, label

from containers.kit.errors import UserError
from containers.stoic.data import read_reference
from workflow.scripts.stoic import phantom
from workflow.scripts.stoic.anatomy import Disease, Finding, chest
from workflow.scripts.stoic.phantom import Demo, generate, patients

TINY = Demo(cases=8, size=(24, 28, 28))


def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    first = generate(TINY, tmp_path / "a", workers=1)
    again = generate(TINY, tmp_path / "b", workers=2)
    other = generate(Demo(cases=8, size=(24, 28, 28), seed=5), tmp_path / "a", workers=1)
    assert first.name == again.name != other.name
    files = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    assert len(files) == 8 + 2
    for file in files:
        assert (first / file).read_bytes() == (again / file).read_bytes()


def test_a_whole_demo_is_used_again_and_a_torn_one_is_made_again(tmp_path: Path) -> None:
    folder = generate(TINY, tmp_path, workers=1)
    image = folder / f"data/mha/{patients(TINY)[0].id}.mha"
    whole, before = image.read_bytes(), image.stat()
    (tmp_path / f".{folder.name}.killed").mkdir()  # what a killed run leaves
    assert generate(TINY, tmp_path, workers=1) == folder
    assert (image.stat().st_ino, image.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    image.write_bytes(whole[:100])
    assert generate(TINY, tmp_path, workers=1) == folder
    assert image.read_bytes() == whole
    image.unlink()
    generate(TINY, tmp_path, workers=1)
    assert image.read_bytes() == whole


def test_a_demo_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(phantom, "write_text", full)
    with pytest.raises(UserError, match=r"cannot take the demo data \(No space left on device"):
        generate(TINY, tmp_path, workers=1)
    assert list(tmp_path.iterdir()) == []


def test_the_balance_is_the_organisers() -> None:
    people = patients(Demo(cases=2000))
    assert len({person.id for person in people}) == 2000
    assert [person.id for person in people] == sorted(person.id for person in people)
    assert min(person.id for person in people) >= 6
    assert max(person.id for person in people) < 10730
    assert sum(person.covid for person in people) == 1205
    assert sum(person.severe for person in people) == 301
    assert all(person.covid for person in people if person.severe)
    assert {person.age for person in people} == {35, 45, 55, 65, 75, 85}
    severe = np.mean([person.age for person in people if person.severe])
    others = np.mean([person.age for person in people if not person.severe])
    assert 1 < severe - others < 12
    assert 0.5 < np.mean([person.sex == "M" for person in people]) < 0.65


def test_the_default_demo_has_sixty_cases_with_gaps_between_their_ids() -> None:
    people = patients(Demo())
    assert (len(people), sum(p.covid for p in people), sum(p.severe for p in people)) == (60, 36, 9)
    assert max(np.diff([p.id for p in people])) > 1


def test_extent_is_what_tells_the_courses_apart() -> None:
    people = patients(Demo(cases=500))
    assert {p.extent for p in people if not p.covid} == {0.0}
    assert all(0.03 <= p.extent <= 0.10 for p in people if p.covid and not p.severe)
    assert all(0.25 <= p.extent <= 0.60 for p in people if p.severe)


@pytest.mark.parametrize("extent", [0.05, 0.3, 0.6])
def test_ground_glass_takes_its_share_of_the_lungs(extent: float) -> None:
    shape, spacing = (60, 70, 70), (1.8, 1.8, 1.8)
    healthy, sick = (chest(np.random.default_rng(3), shape, spacing, Disease(e, "none")) for e in (0.0, extent))
    lungs = lungs_of(healthy)
    denser = sick.astype(float) - healthy
    assert np.mean(denser[lungs] > 150) == pytest.approx(extent, rel=0.15, abs=0.02)
    assert -650 < np.median(sick[lungs & (denser > 150)]) < -350
    assert np.mean(np.abs(denser[~binary_dilation(lungs, iterations=2)]) > 50) < 0.001


@pytest.mark.parametrize("finding", ["nodule", "dependent", "emphysema"])
def test_what_is_not_covid_changes_little_of_the_lungs(finding: Finding) -> None:
    shape, spacing = (60, 70, 70), (1.8, 1.8, 1.8)
    healthy, other = (chest(np.random.default_rng(3), shape, spacing, Disease(0.0, f)) for f in ("none", finding))
    changed = np.mean(np.abs(other.astype(float) - healthy)[lungs_of(healthy)] > 50)
    assert 0.0005 < changed < 0.15


def test_a_chest_has_air_lungs_soft_tissue_and_bone() -> None:
    voxels = chest(np.random.default_rng(0), (60, 70, 70), (1.8, 1.8, 1.8), Disease(0.0, "none"))
    assert voxels.dtype == np.int16
    assert -1024 <= voxels.min() < -950
    assert np.median(voxels[:, :4]) < -980
    lungs = lungs_of(voxels)
    assert 0.05 < np.mean(lungs) < 0.25
    assert -900 < np.median(voxels[lungs]) < -700
    assert 0.1 < np.mean((voxels > 0) & (voxels < 100)) < 0.5
    assert 0.002 < np.mean(voxels > 200) < 0.1


def lungs_of(voxels: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Air that does not touch the side of the image."""
    parts, _ = label(voxels < -410)
    outside = np.unique(np.concatenate([parts[:, 0].ravel(), parts[:, -1].ravel(), parts[:, :, 0].ravel()]))
    found: NDArray[np.bool_] = ~np.isin(parts, [0, *outside])
    return found


def test_the_reference_of_the_demo_is_readable(tmp_path: Path) -> None:
    rows = read_reference(generate(TINY, tmp_path, workers=1) / "metadata/reference.csv")
    assert [(row.id, row.covid, row.severe) for row in rows] == [(p.id, p.covid, p.severe) for p in patients(TINY)]


def test_an_image_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("ITK ERROR: File cannot be written")

    monkeypatch.setattr(sitk, "WriteImage", full)
    with pytest.raises(UserError, match=r"data/mha/\d+\.mha cannot be written; make room there"):
        generate(TINY, tmp_path, workers=1)
    assert list(tmp_path.iterdir()) == []
