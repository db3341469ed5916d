"""What the inspect programs share: which cases are read, how numbers are written, what is refused."""

from __future__ import annotations

import pickle
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.kit.errors import UserError
from workflow.scripts.slipway import fingerprint
from workflow.scripts.slipway.fingerprint import Count, Found, Labels, measure, percentiles, tidy, triples, written
from workflow.scripts.slipway.fingerprint_read import Raw, complete, read_each, sample

KINDS = ["common"] * 80 + ["rare"] * 18 + ["single"] * 2
NAMES = [f"case {number}" for number in range(100)]


def raw(read: int = 0, source: str = "folder", mark: str = "9a41", **content: Any) -> Raw:
    manifest = Path("/scratch/stoic/raw/manifest.json")
    values = {"root": "/scratch/stoic/raw/remote/copy/amos22", "source": source, "fingerprint": mark} | content
    return Raw("stoic", manifest, values, read, 1)


def drawn(read: int, mark: str = "9a41") -> list[int]:
    return sample(range(100), KINDS, NAMES, raw(read, mark=mark))


def test_a_sample_has_each_kind_and_then_its_share() -> None:
    assert sorted(KINDS[index] for index in drawn(3)) == ["common", "rare", "single"]
    assert Counter(KINDS[index] for index in drawn(50)) == {"common": 40, "rare": 9, "single": 1}


def test_a_sample_smaller_than_the_kinds_is_of_different_kinds() -> None:
    assert len({KINDS[index] for index in drawn(2)}) == 2


def test_equal_data_give_the_same_sample_and_other_data_another() -> None:
    assert drawn(20) == drawn(20) == sorted(drawn(20))
    assert drawn(20) != drawn(20, "7c20")
    assert set(drawn(20)) < set(drawn(40))


@pytest.mark.parametrize("read", [0, 100, 1000])
def test_all_are_read_where_the_sample_would_be_no_smaller(read: int) -> None:
    assert drawn(read) == list(range(100))


@pytest.mark.parametrize(
    ("value", "text"), [(1.46449999, "1.4645"), (512.0, "512"), (-1023.99999999, "-1024"), (1 / 3, "0.333333")]
)
def test_numbers_are_written_with_as_many_digits_as_count(value: float, text: str) -> None:
    assert repr(tidy(value)) == text


def test_a_measure_that_is_no_number_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="nan is no measure"):
        measure("spacing", "mm", [1.0, float("nan")])


def test_a_measure_of_no_values_is_left_out() -> None:
    assert measure("depth", "feet", []) == []
    assert triples("intensity", "HU", []) == []


def test_a_measure_has_the_least_the_middle_and_the_largest_value() -> None:
    (found,) = measure("depth", "feet", [7, 1, 3, 4])
    assert (found.low, found.median, found.high, found.count) == (1, 3.5, 7, 4)


def test_percentiles_are_those_of_all_voxels_or_of_many_evenly_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    voxels = np.random.default_rng(1).permutation(60 * 60 * 60).reshape(60, 60, 60)
    assert percentiles(voxels) == pytest.approx((2160, 108_000, 213_840), abs=1)
    monkeypatch.setattr(fingerprint, "MOST", 30_000)
    assert percentiles(voxels) == pytest.approx((2160, 108_000, 213_840), abs=2500)
    assert percentiles(voxels) == tuple(np.percentile(voxels[::2, ::2, ::2], (1, 50, 99)))


def test_labels_that_nothing_has_been_counted_of_are_left_out() -> None:
    found = Found("cases", [], 2, 1, [Labels("Age", 1, {}), Labels("Sex", 1, {"F": 1}, {"F": 852})])
    assert written("stoic", "demo", "9a41", found)["labels"] == [
        {"title": "Sex", "of": 1, "counts": [{"name": "F", "count": 1, "released": 852}]}
    ]


SHORT = [Count("cases", 1999, 2000), Count("for test", 3, 120, binding=False), Count("others", 4)]


def test_what_was_fetched_as_a_whole_must_be_the_whole() -> None:
    with pytest.raises(UserError) as caught:
        complete(raw(source="remote"), SHORT, singly=False)
    assert str(caught.value) == (
        "/scratch/stoic/raw/remote/copy/amos22 is not what was released (cases: 1,999 and not 2,000); "
        "delete /scratch/stoic/raw/remote/copy and /scratch/stoic/raw/manifest.json and run again, "
        "or set challenges.stoic.source to it to use it as it is"
    )
    with pytest.raises(UserError, match=r"\); delete /scratch/stoic/raw/manifest\.json and run again, or set"):
        complete(raw(source="remote"), SHORT, singly=True)


@pytest.mark.parametrize("content", [{"source": "remote", "subset": 40}, {"source": "folder"}, {"source": "demo"}])
def test_a_part_on_purpose_and_what_is_not_fetched_may_have_any_number(content: dict[str, Any]) -> None:
    complete(raw(**content), SHORT, singly=False)


def test_what_is_no_count_of_the_release_or_not_binding_is_not_asked_for() -> None:
    complete(raw(source="remote"), [Count("cases", 2000, 2000), *SHORT[1:]], singly=False)


def broken(item: int) -> int:
    if item % 2:
        raise UserError(f"/scratch/stoic/raw/remote/copy/amos22/{item}.mha is empty (0; 1); fetch it again")
    return item


@pytest.mark.parametrize(
    ("source", "singly", "what"),
    [
        ("demo", True, "delete /scratch/stoic/raw/remote/copy and /scratch"),
        ("folder", False, "put them right or leave them out, delete /scratch"),
        ("remote", True, "delete these files wherever they lie below /scratch/stoic/raw/remote/copy, and /scratch"),
        ("remote", False, "delete /scratch/stoic/raw/remote/copy and /scratch"),
    ],
)
def test_bad_files_are_named_with_what_to_do(source: str, singly: bool, what: str) -> None:
    with pytest.raises(UserError) as caught:
        read_each(broken, range(4), "images", raw(source=source), singly=singly)
    assert str(caught.value) == (
        "2 of 4 images in /scratch/stoic/raw/remote/copy/amos22 cannot be used: 1.mha is empty (0; 1); "
        f"3.mha is empty (0; 1); {what}/stoic/raw/manifest.json and run again"
    )


def test_what_is_read_comes_in_its_order() -> None:
    assert read_each(broken, [8, 2, 4], "images", raw(), singly=True) == [8, 2, 4]


@pytest.mark.parametrize("challenge", ["stoic", "amos", "objectnet", "salt", "agrigaia"])
def test_each_program_can_work_in_several_processes(challenge: str) -> None:
    look = import_module(f"workflow.scripts.{challenge}.inspect").look
    assert pickle.loads(pickle.dumps(look)) is look
