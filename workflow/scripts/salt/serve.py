"""A server for one person: on the loopback interface, in the foreground, and gone with all that it began."""

from __future__ import annotations

import errno
import http.client
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from containers.kit.errors import WORDS, UserError
from workflow.scripts.slipway.children import begun, killed_after

HOST = "127.0.0.1"
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 15.0  # seconds in which a server ends its own children before it is killed
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
START = 120.0  # seconds until it must answer


class StoppedError(BaseException):
    """A person, or the program that started this one, wants it to end."""


@dataclass(frozen=True)
class Server:
    name: str
    words: Sequence[str]
    environment: Mapping[str, str]
    port: int
    path: str  # of the page to open
    log: Path
    opened: str = ""  # what to do once the page is open, as the end of a sentence


def serve(server: Server) -> None:
    """Run it until it ends, or until `StoppedError` ends it."""
    with running(server.words, server.environment, server.log) as process:
        _await_answer(server, process)
        print(f"{server.name}: open http://{HOST}:{server.port}{server.path}{server.opened}", flush=True)
        tunnel = f"ssh -N -L {server.port}:{HOST}:{server.port} {socket.gethostname()}"
        print(f"From another machine run '{tunnel}' there first. Ctrl-C here ends it; log: {server.log}", flush=True)
        status = process.wait()
    if status:
        raise UserError(f"{server.name} ended with status {status}; {last_words(server.log)}")


@contextmanager
def until_stopped() -> Iterator[None]:
    """End the block quietly on Ctrl-C, SIGTERM or a closed terminal; a second one of them hurries nothing."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
        raise StoppedError

    # One that is ignored stays so: a job in the background, or under nohup, is meant to outlive it.
    heeded = [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded}
    try:
        with suppress(StoppedError):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def running(words: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the block, and with this process, however that ends; its words go to the log."""
    with log.open("ab") as stream:
        process = begun(words, environment, stream)
    try:
        yield process
    finally:
        process.terminate()
        killed_after(process, GRACE)


def port_for(name: str, port: int, key: str) -> int:
    """The port if it can be had, and a free one for 0."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the servers do
        try:
            probe.bind((HOST, port))
        except OSError as error:
            taken = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise UserError(f"port {port} for {name} {taken}; set {key} to another one, or to 0 for any") from None
        found: int = probe.getsockname()[1]
    return found


def begin_log(log: Path) -> None:
    """An empty one."""
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
    except OSError as error:
        raise UserError(f"--log {log} cannot be written ({error.strerror}); name another file") from None


def last_words(log: Path) -> str:
    """The end of a sentence about a program that has failed."""
    text = COLOUR.sub("", log.read_text(encoding="utf-8", errors="replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f"see {log}, which ends with: {lines[-1][:WORDS]}" if lines else f"it left no word in {log}"


def _await_answer(server: Server, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START
    while not _answers(server.port):
        if process.poll() is not None:
            raise UserError(f"{server.name} ended with status {process.returncode}; {last_words(server.log)}")
        if time.monotonic() > until:
            raise UserError(f"{server.name} does not answer after {START:.0f} seconds; {last_words(server.log)}")
        time.sleep(0.1)


def _answers(port: int) -> bool:
    """Whether there is an HTTP server, whatever it says; by no proxy."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True
