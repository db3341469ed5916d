"""From logits to five objects: against sums written down one by one, and what happens at the edges."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from containers.kit.errors import UserError
from containers.objectnet.guesses import top5
from containers.objectnet.journal import line
from containers.objectnet.mapping import GROUPS, OF_IMAGENET
from containers.objectnet.settings import Mode

Guesses = list[tuple[int, float]]
MODES: tuple[Mode, ...] = ("merge", "1", "0")


def slowly(logits: list[float], mode: Mode, softmax: bool, temperature: float) -> Guesses:
    """The same in words of the challenge, one class at a time."""
    scaled = [logit / temperature for logit in logits]
    highest = max(scaled)
    whole = math.fsum(math.exp(one - highest) for one in scaled)
    share = [math.exp(one - highest) / whole for one in scaled]
    if mode == "merge":
        objects = {
            number: math.fsum(share[one] for one in classes)
            if softmax
            else math.log(math.fsum(math.exp(scaled[one] - highest) for one in classes)) + highest
            for number, classes in GROUPS.items()
        }
        return sorted(objects.items(), key=lambda pair: (-pair[1], pair[0]))[:5]
    order = sorted(range(len(logits)), key=lambda number: (-scaled[number], number))[:5]
    named = [OF_IMAGENET.get(number, -1) if mode == "1" else number for number in order]
    return list(zip(named, (share[number] if softmax else scaled[number] for number in order), strict=True))


def found(logits: Any, mode: Mode, softmax: bool = True, temperature: float = 1.0) -> Guesses:
    ids, confidences = top5(np.array([logits], np.float32), mode, softmax, temperature)
    return list(zip(ids[0].tolist(), confidences[0].tolist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    scale=st.floats(0.1, 8),
    mode=st.sampled_from(MODES),
    softmax=st.booleans(),
    temperature=st.floats(0.2, 5),
)
def test_as_computed_one_by_one(seed: int, scale: float, mode: Mode, softmax: bool, temperature: float) -> None:
    drawn = np.random.default_rng(seed).normal(0, scale, 313 if mode == "0" else 1000).astype(np.float32)
    wanted = slowly([float(one) for one in drawn], mode, softmax, temperature)
    got = found(drawn, mode, softmax, temperature)
    assert [number for number, _ in got] == [number for number, _ in wanted]
    assert [value for _, value in got] == pytest.approx([value for _, value in wanted], rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-9, 1e4), mode=st.sampled_from(MODES), softmax=st.booleans())
def test_confidences_never_rise_as_written(seed: int, scale: float, mode: Mode, softmax: bool) -> None:
    drawn = np.random.default_rng(seed).normal(0, scale, 313 if mode == "0" else 1000)
    ids, confidences = top5(drawn[None].astype(np.float32), mode, softmax, 1.0)
    cells = line("a.png", ids[0].tolist(), confidences[0].tolist()).split(",")
    written = [float(cell) for cell in cells[2::2]]
    assert written == sorted(written, reverse=True)
    assert all(math.isfinite(one) for one in written)
    if softmax:
        assert all(0 <= one <= 1 for one in written)


def test_classes_of_one_object_count_together() -> None:
    """Chair is three classes of ImageNet's: each alone is less likely than banana."""
    logits = np.full(1000, -20.0)
    logits[[423, 559, 765]] = math.log(0.2)
    logits[954] = math.log(0.3)
    logits[0] = math.log(0.1)  # a fish, which is no object of ObjectNet's
    merged = found(logits, "merge")
    assert [number for number, _ in merged[:2]] == [52, 4]
    assert [value for _, value in merged[:2]] == pytest.approx([0.6, 0.3], rel=1e-4)
    plain = found(logits, "1")
    assert [number for number, _ in plain] == [4, 52, 52, 52, -1]
    assert [value for _, value in plain] == pytest.approx([0.3, 0.2, 0.2, 0.2, 0.1], rel=1e-4)


def test_temperature_can_change_what_wins() -> None:
    logits = np.full(1000, -50.0)
    logits[954], logits[[423, 559, 765]] = 2.0, 1.0
    assert found(logits, "merge", temperature=0.5)[0][0] == 4
    assert found(logits, "merge", temperature=2.0)[0][0] == 52


def test_of_equals_the_lower_goes_first() -> None:
    assert [number for number, _ in found(np.zeros(313), "0")] == [0, 1, 2, 3, 4]
    assert [number for number, _ in found(np.zeros(1000), "1")] == [-1] * 5
    three = sorted(number for number, classes in GROUPS.items() if len(classes) == 3)
    two = sorted(number for number, classes in GROUPS.items() if len(classes) == 2)
    assert [number for number, _ in found(np.zeros(1000), "merge")] == [*three, *two][:5]


def test_the_order_is_kept_among_what_is_too_unlikely_for_a_number() -> None:
    logits = np.full(1000, -3000.0)
    logits[0] = 3000
    for place, number in enumerate([950, 951, 954, 504, 531]):
        logits[number] = -2000 - place
    got = found(logits, "merge")
    assert [number for number, _ in got] == [OF_IMAGENET[number] for number in (950, 951, 954, 504, 531)]
    assert [value for _, value in got] == [0.0] * 5
    assert [value for _, value in found(logits, "merge", softmax=False)] == [-2000, -2001, -2002, -2003, -2004]


@pytest.mark.parametrize(("mode", "classes"), [("merge", 313), ("1", 313), ("0", 1000), ("1", 1001)])
def test_a_network_that_does_not_suit_the_mode(mode: Mode, classes: int) -> None:
    with pytest.raises(UserError, match=rf"--convert_outputs_mode {mode} needs .* and this one has {classes}; "):
        top5(np.zeros((1, classes)), mode, True, 1.0)


def test_a_name_with_a_comma_stays_one_column() -> None:
    assert line('a,"b.png', [1, 2], [0.5, 0.25]) == '"a,""b.png",1,0.5,2,0.25'
