"""Commands as processes of their own, to be killed at a chosen moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]


def start(module: str, words: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", module, *words], cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True
        )


def send_when(process: subprocess.Popen[bytes], due: Callable[[], bool], number: signal.Signals, log: Path) -> int:
    """Send the signal to the process, and to no other, as soon as `due`; return its status."""
    while not due():
        assert process.poll() is None, f"it ended before it could be stopped:\n{log.read_text()}"
        time.sleep(0.01)
    process.send_signal(number)
    return process.wait()


def gone(process: subprocess.Popen[bytes], seconds: float = 30) -> bool:
    """Whether all that the command had begun ends, too, now that it has been killed."""
    until = time.monotonic() + seconds
    while members(process) and time.monotonic() < until:
        time.sleep(0.05)
    return not members(process)


def members(process: subprocess.Popen[bytes]) -> list[int]:
    """The processes that are left of the session that the command began."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == process.pid and " Z " not in (entry / "stat").read_text():
                    found.append(int(entry.name))
            except (ProcessLookupError, FileNotFoundError):
                continue
    return found
