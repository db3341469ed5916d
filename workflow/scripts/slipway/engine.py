"""The container engine: found once, called by its command line, and every command that changes something is shown."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from containers.kit.errors import UserError

OWN_FOLDER = "/run/slipway"  # where `./slipway engine` starts a daemon on a machine without systemd
FIX = "run `./slipway engine`"
ANSWER_SECONDS = 30


@dataclass(frozen=True)
class Engine:
    """A docker or podman command line that answers."""

    name: str  # docker or podman
    words: tuple[str, ...]  # what begins every command
    version: str  # of the server

    def command(self, *words: str) -> list[str]:
        return [*self.words, *words]

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
        """Run a command in the terminal's sight, after printing it."""
        command = self.command(*words)
        show(command)
        done = subprocess.run(command, check=False)
        if check and done.returncode:
            raise UserError(f"`{shlex.join(command)}` ended with {done.returncode}; its own words stand above")
        return done

    def ask(self, *words: str) -> str:
        """What a command that changes nothing prints."""
        command = self.command(*words)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"`{shlex.join(command)}` failed: {_last_line(done.stderr)}")
        return done.stdout.strip()

    def image_id(self, reference: str) -> str | None:
        """The `sha256:...` of a local image, or None where there is none by that name."""
        done = subprocess.run(
            self.command("image", "inspect", "--format", "{{.Id}}", reference),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            return None
        found = done.stdout.strip()
        return found if found.startswith("sha256:") else f"sha256:{found}"


def show(command: Sequence[str]) -> None:
    """Print a command so that it can be pasted."""
    print(f"+ {shlex.join(command)}", file=sys.stderr, flush=True)


def find(choice: str = "auto", environ: Mapping[str, str] = os.environ) -> Engine:
    """The first engine that answers: docker where it is there, podman where docker is absent."""
    names = ["docker", "podman"] if choice == "auto" else [choice]
    complaints = []
    for name in names:
        path = shutil.which(name, path=environ.get("PATH"))
        if path is None:
            complaints.append(f"{name} is not installed")
            continue
        for words in _ways(name, environ):
            version, complaint = _version(words, environ)
            if version:
                return Engine(name, tuple(words), version)
            complaints.append(f"`{shlex.join(words)}` does not answer ({complaint})")
    if any("permission denied" in complaint for complaint in complaints):
        raise UserError(
            "the Docker daemon refuses this user; run `sudo usermod -aG docker $USER`, log in again, and repeat"
        )
    raise UserError(f"no container engine answers: {'; '.join(complaints)}; {FIX}, which installs and starts Docker")


def _ways(name: str, environ: Mapping[str, str]) -> list[list[str]]:
    """The words to try in turn: the user's own choice of daemon first, then the one that `./slipway engine` starts."""
    ways = [[name]]
    socket = Path(environ.get("SLIPWAY_ENGINE_RUN", OWN_FOLDER), "docker.sock")
    if name == "docker" and "DOCKER_HOST" not in environ and socket.exists():
        ways.append([name, "--host", f"unix://{socket}"])
    return ways


def _version(words: list[str], environ: Mapping[str, str]) -> tuple[str, str]:
    """The server's version, or an empty string and why there is none."""
    template = "{{.Client.Version}}" if words[0] == "podman" else "{{.Server.Version}}"
    try:
        done = subprocess.run(
            [*words, "version", "--format", template],
            capture_output=True,
            text=True,
            check=False,
            timeout=ANSWER_SECONDS,
            env=dict(environ),
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer in {ANSWER_SECONDS} s"
    if done.returncode or not done.stdout.strip():
        return "", _last_line(done.stderr)
    return done.stdout.strip(), ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"
