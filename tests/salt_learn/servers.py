"""Servers as processes of their own, what they say, and what is left of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT

SECONDS = 90.0
ADDRESS = re.compile(r"open http://127\.0\.0\.1:(\d+)(/\S*)")


@dataclass
class Started:
    process: subprocess.Popen[bytes]
    said: Path
    log: Path

    def text(self) -> str:
        return self.said.read_text()

    def port(self) -> int:
        """As the terminal tells it, once the server answers."""
        wait(lambda: ADDRESS.search(self.text()) is not None or self.process.poll() is not None)
        found = ADDRESS.search(self.text())
        assert found, self.text()
        return int(found[1])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """The status; nothing that it had begun may be left."""
        begun = below(self.process.pid)
        self.process.send_signal(number)
        status = self.process.wait(SECONDS)
        wait(lambda: not any(alive(one) for one in begun))
        return status


@contextmanager
def started(
    module: str, words: list[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Started]:
    said, log = folder / "said.txt", folder / "logs" / "server.log"
    with said.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, words), "--log", str(log)],
            cwd=ROOT,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )
    server = Started(process, said, log)
    try:
        yield server
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait(due: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not due():
        assert time.monotonic() < until
        time.sleep(0.02)


def below(pid: int) -> list[int]:
    """All processes that this one began, and those that they began."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def heard_at(port: int) -> set[str]:
    """The addresses at which this machine takes connections to the port, in hexadecimal as /proc/net has them."""
    found = set()
    for table in ("tcp", "tcp6"):
        path = Path("/proc/net") / table
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            words = line.split()
            address, _, number = words[1].rpartition(":")
            if words[3] == "0A" and int(number, 16) == port:
                found.add(address)
    return found


LOOPBACK = {"0100007F"}
