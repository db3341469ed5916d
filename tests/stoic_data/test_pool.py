"""The process pool: order, errors that stop nobody else, one thread each, and a sentence for a killed process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from containers.kit.cpus import available
from containers.kit.errors import UserError
from containers.kit.pool import each
from tests.processes import gone, send_when


def slow_double(number: int) -> int:
    time.sleep(0.05 * (3 - number % 3))
    return 2 * number


def odd_only(number: int) -> int:
    if number % 2 == 0:
        raise UserError(f"{number} is even")
    return number


def threads(_: int) -> str | None:
    return os.environ.get("OMP_NUM_THREADS")


def process(_: int) -> int:
    time.sleep(0.05)
    return os.getpid()


def killed(_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    assert each(slow_double, range(6), workers=workers) == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize("workers", [1, 2])
def test_one_failure_stops_nobody_else(workers: int) -> None:
    results = each(odd_only, [1, 2, 3, 4], workers=workers)
    assert [str(result) for result in results] == ["1", "2 is even", "3", "4 is even"]
    assert [isinstance(result, UserError) for result in results] == [False, True, False, True]


def test_no_more_processes_than_cpus() -> None:
    assert len(set(each(process, range(24), workers=64))) <= available()


def test_nothing_to_do_is_no_error() -> None:
    assert each(slow_double, []) == []


def test_each_process_has_one_thread_and_this_one_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    assert each(threads, [1, 2], workers=2) == ["1", "1"]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    monkeypatch.delenv("OMP_NUM_THREADS")
    each(threads, [1, 2], workers=2)
    assert "OMP_NUM_THREADS" not in os.environ


def test_a_killed_process_is_told_in_one_sentence() -> None:
    with pytest.raises(UserError, match="a process of 'work' was killed, most likely for want of memory; use fewer"):
        each(killed, [1, 2], workers=2, title="work")


WORK = """
import sys, time
from containers.kit.pool import each
from tests.processes import gone, send_when

def note(place):
    open(place, "w").close()
    time.sleep(600)

if __name__ == "__main__":
    each(note, sys.argv[1:], workers=2)
"""


def test_processes_end_with_a_run_that_was_killed(tmp_path: Path) -> None:
    """Else they would go on, and write over what the next run makes."""
    (tmp_path / "work.py").write_text(WORK)
    places = [tmp_path / name for name in ("one", "two")]
    environ = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    words = [sys.executable, str(tmp_path / "work.py"), *map(str, places)]
    process = subprocess.Popen(words, env=environ, stderr=subprocess.DEVNULL, start_new_session=True)
    assert send_when(process, lambda: all(map(Path.exists, places)), signal.SIGKILL, tmp_path / "log") < 0
    assert gone(process)
