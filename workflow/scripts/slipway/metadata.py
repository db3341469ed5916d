"""What wheels say of themselves, and which of them a list of requirements reaches."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from containers.kit.errors import UserError, did_you_mean

PYTHON = "3.11"
REQUIREMENTS = "the requirements"
# Where the wheels will run, whatever this host is.
TARGET = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}


@dataclass(frozen=True)
class Wheel:
    path: Path
    name: NormalizedName
    version: Version
    needs: tuple[Requirement, ...]

    @property
    def pin(self) -> str:
        """Without the local part: `+cpu` is a build of the same version, and an index may have another one."""
        return f"{self.name}=={self.version.public}"


def read(path: Path) -> Wheel:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = next(n for n in archive.namelist() if n.count("/") == 1 and n.endswith(".dist-info/METADATA"))
            said = Parser().parsestr(archive.read(inside).decode("utf-8"), headersonly=True)
    except (zipfile.BadZipFile, StopIteration):
        raise UserError(f"{path} is not a whole wheel; delete it and run again") from None
    needs = tuple(Requirement(line) for line in said.get_all("Requires-Dist", []))
    return Wheel(path, canonicalize_name(said["Name"]), Version(said["Version"]), needs)


def requirements(path: Path) -> list[Requirement]:
    """The lines of a requirements file; versions belong into the lock, so options and files are refused."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{path} is not there; it should name the packages of an image, one a line") from None
    for number, line in enumerate(lines, start=1):
        text = line.split("#")[0].strip()
        if text:
            try:
                found.append(Requirement(text))
            except InvalidRequirement:
                raise UserError(f"{path}, line {number}: '{text}' is not a package name; write one a line") from None
    return found


def reach(
    wheels: Mapping[NormalizedName, Wheel], wanted: Iterable[Requirement], without: Collection[str] = ()
) -> set[NormalizedName]:
    """The names of the wheels that `wanted` needs in turn, on the machine that will run them, but those of `without`.

    A name there that nothing asks for, or that the requirements themselves ask for, is a mistake.
    """
    left_out = {canonicalize_name(name): False for name in without}
    found: set[NormalizedName] = set()
    seen: set[tuple[NormalizedName, str]] = set()
    waiting = [(requirement, REQUIREMENTS) for requirement in wanted if _applies(requirement, "")]
    while waiting:
        requirement, who = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in left_out:
            if who == REQUIREMENTS:
                raise UserError(f"{name} is asked for by {who} and left out by `without`; take it out of one of them")
            left_out[name] = True
            continue
        wheel = wheels.get(name)
        if wheel is None or not requirement.specifier.contains(wheel.version, prereleases=True):
            got = f"has {wheel.version}" if wheel else "has none"
            raise UserError(f"{who} need {requirement} and the wheelhouse {got}; see that envs/lock.txt fits together")
        found.add(name)
        for extra in ("", *requirement.extras):
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += [(need, wheel.path.name) for need in wheel.needs if _applies(need, extra)]
    unmet = [name for name, met in left_out.items() if not met]
    if unmet:
        raise UserError(
            f"`without` names {unmet[0]}, which nothing needs; {did_you_mean(unmet[0], found, 'remove it')}"
        )
    return found


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**TARGET, "extra": extra})
