"""A real image registry on loopback: Debian's, unpacked and not installed."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = "docker-registry"


@dataclass(frozen=True)
class Registry:
    address: str  # host and port

    def manifest(self, repository: str, reference: str) -> dict[str, Any]:
        """What the registry says of an image."""
        url = f"http://{self.address}/v2/{repository}/manifests/{reference}"
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": kind})) as answer:
            return {"digest": answer.headers["Docker-Content-Digest"], **json.loads(answer.read())}


def unpacked(folder: Path) -> Path:
    """The server's program."""
    for command in (["apt-get", "download", PACKAGE], ["apt-get", "update"], ["apt-get", "download", PACKAGE]):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if packages := list(folder.glob("*.deb")):
            subprocess.run(["dpkg", "-x", str(packages[0]), str(folder)], check=True)
            return folder / "usr" / "bin" / PACKAGE
    raise AssertionError(f"the Debian mirror gave no {PACKAGE}: {done.stderr}")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(program: Path, folder: Path, *, closed: bool = False) -> Iterator[Registry]:
    """A registry that keeps what it gets below `folder`; a `closed` one wants a password that nobody has."""
    folder.mkdir()
    address = f"127.0.0.1:{free_port()}"
    storage = {"filesystem": {"rootdirectory": str(folder / "data")}}
    config: dict[str, Any] = {"version": "0.1", "storage": storage, "http": {"addr": address}}
    if closed:
        config["auth"] = {"htpasswd": {"realm": "slipway", "path": str(folder / "passwords")}}
    (folder / "config.json").write_text(json.dumps(config))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, "serve", folder / "config.json"], stdout=log, stderr=log)
    try:
        _wait(address, folder / "log")
        yield Registry(address)
    finally:
        server.terminate()
        server.wait()


def _wait(address: str, log: Path) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"http://{address}/v2/").close()
            return
        except urllib.error.HTTPError:  # it wants a login, so it is there
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"the registry did not begin: {log.read_text()}")
