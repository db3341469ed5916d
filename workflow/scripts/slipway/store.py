"""A store of wheels that pip fills: what it holds once is not fetched again."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from containers.kit.errors import UserError
from containers.kit.files import hash_of, sha256
from workflow.scripts.slipway.engine import show
from workflow.scripts.slipway.metadata import PYTHON, Wheel, read

# All that a Debian 12 runs, newest first: pip takes these words literally and does not derive the older ones.
PLATFORMS = (
    *(f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)),
    "manylinux2014_x86_64",
    "manylinux2010_x86_64",
    "manylinux1_x86_64",
    "linux_x86_64",
)
# torch pins the CUDA libraries that it runs on by itself, so that one lock serves hosts with and without a GPU.
PINNED_BY_TORCH = re.compile(r"(nvidia|cuda)-.*|triton")
SOURCES = re.compile(r"[^=]*\b(index-url|find-links|no-index)=")


class Store:
    """Wheels for one lock and one choice of package sources.

    The sources are part of its name: with the same lock, one index gives torch for the CPU and another one for CUDA.
    """

    def __init__(self, cache: Path, lock: Path) -> None:
        if not lock.is_file():
            raise UserError(f"{lock} is not there; it should pin every package, one `name==version` a line")
        self.lock = lock
        pins = [line for line in lock.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        self.pins = {canonicalize_name(name): version for name, _, version in (pin.partition("==") for pin in pins)}
        configured = subprocess.run(_pip("config", "list"), capture_output=True, text=True, check=True).stdout
        sources = sorted(line for line in configured.splitlines() if SOURCES.match(line))
        self.folder = cache / hash_of([sources, PYTHON, PLATFORMS])
        self.key = hash_of([self.folder.name, sorted(pins)])

    def fetch(self, wanted: Iterable[Requirement]) -> dict[NormalizedName, Wheel]:
        """Every wheel that `wanted` needs in turn, each at the version of the lock."""
        self.folder.mkdir(parents=True, exist_ok=True)
        names = [str(requirement) for requirement in wanted]
        # pip writes to a folder of its own; only what it finished, and so verified, moves into the store.
        with tempfile.TemporaryDirectory(prefix=".part-", dir=self.folder) as part:
            if not self._from_store(names, Path(part)):
                command = [*self._download(Path(part)), *names]
                show(command)
                if subprocess.run(command, check=False).returncode:
                    raise UserError(
                        f"pip could not fetch the wheels (its own words stand above); every package needs a wheel for "
                        f"Python {PYTHON} at the version of {self.lock}"
                    )
            fetched = [read(path) for path in sorted(Path(part).glob("*.whl"))]
            self._check(fetched)
            return {wheel.name: self._keep(wheel) for wheel in fetched}

    def _download(self, part: Path) -> list[str]:
        return _pip(
            "download",
            "--no-input",
            "--disable-pip-version-check",
            "--only-binary=:all:",
            f"--python-version={PYTHON}",
            "--implementation=cp",
            *(f"--platform={platform}" for platform in PLATFORMS),
            f"--constraint={self.lock}",
            f"--dest={part}",
        )

    def _from_store(self, names: list[str], part: Path) -> bool:
        """Whether the store, asked without a network, holds all of it; a wheel that broke on the disk leaves it."""
        command = [*self._download(part), "--no-index", f"--find-links={self.folder}", *names]
        good = subprocess.run(command, capture_output=True, check=False).returncode == 0
        for path in part.glob("*.whl"):
            try:
                read(path)
            except UserError:
                good = False
                (self.folder / path.name).unlink(missing_ok=True)
                path.unlink()
        return good

    def _check(self, wheels: list[Wheel]) -> None:
        loose = [w.pin for w in wheels if w.version.public != self.pins.get(w.name, "").partition("+")[0]]
        loose = [pin for pin in loose if not PINNED_BY_TORCH.fullmatch(pin.partition("==")[0])]
        if loose:
            raise UserError(
                f"{', '.join(loose)} would go into an image and is not pinned by {self.lock}; "
                "add it to envs/requirements.txt and run tools/lock.sh"
            )

    def _keep(self, wheel: Wheel) -> Wheel:
        kept = self.folder / wheel.path.name
        # What is there already stays, since wheelhouses of other images are links to it.
        if not kept.is_file() or sha256(kept) != sha256(wheel.path):
            wheel.path.chmod(0o644)
            wheel.path.replace(kept)
        return Wheel(kept, wheel.name, wheel.version, wheel.needs)


def _pip(*words: str) -> list[str]:
    return [sys.executable, "-m", "pip", *words]
