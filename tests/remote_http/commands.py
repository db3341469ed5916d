"""The command as a process of its own, to be stopped at a chosen moment."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests import processes
from tests.remote_http.fetches import FILE
from tests.remote_http.server import Server


@contextmanager
def started(server: Server, folder: Path, log: Path, connections: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """It has ended when the block does."""
    http = {"file": FILE, "urls": [f"{server.url}/data.zip"], "connections": connections}
    row = {"title": "AMOS22", "http": {**http, "sha256": server.content.digest()}}
    words = [f"--folder={folder}", f"--row={json.dumps(row)}"]
    process = processes.start("workflow.scripts.remote.http", words, log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
