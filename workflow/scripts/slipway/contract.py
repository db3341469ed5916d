"""A challenge's contract: what the organisers run, read from contract.yaml."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import yaml

from containers.kit.errors import UserError, did_you_mean
from containers.kit.settings import build
from workflow.scripts.slipway.configuration import checked, load_schema, read_yaml
from workflow.scripts.slipway.flags import Flags

SCHEMA = Path(__file__).resolve().parents[2] / "schemas" / "contract.schema.yaml"
T = TypeVar("T")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
# What every engine takes as the name of an image: an optional registry, lower-case path, optional tag.
REFERENCE = re.compile(r"[a-z0-9][a-z0-9._-]*(:[0-9]+)?(/[a-z0-9][a-z0-9._-]*)*(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?")


@dataclass(frozen=True)
class Mount:
    name: str
    target: str
    mode: Literal["ro", "rw"]
    kind: Literal["bind", "volume"] = "bind"
    emptied: bool = False
    opened: bool = True


@dataclass(frozen=True)
class Hardware:
    """What the organisers promise; sizes are in the engine's words, and empty where nothing is promised."""

    gpus: int = 0
    gpu_memory: str = ""
    cpus: int = 0
    memory: str = ""
    scratch: str = ""


@dataclass(frozen=True)
class Image:
    name: str
    tag: str
    archive: str
    dockerfile: Path
    requirements: tuple[Path, ...]
    without: tuple[str, ...]
    torch: bool
    entrypoint: str
    source: str
    command: tuple[str, ...]
    mounts: tuple[Mount, ...]
    success_line: str
    finished: tuple[int, ...]
    starts: int
    hardware: Hardware
    time_limit: float
    output_check: str
    profiles: Mapping[str, Flags]

    def profile(self, name: str) -> Flags:
        return _pick(self.profiles, name, f"image '{self.name}' has no profile")

    @property
    def usual(self) -> Flags:
        """The organisers' own words; the strict ones where the organisers run no container."""
        return self.profiles["organisers" if "organisers" in self.profiles else "strict"]


@dataclass(frozen=True)
class Contract:
    path: Path
    images: Mapping[str, Image]

    def image(self, name: str) -> Image:
        return _pick(self.images, name, f"{self.path} has no image")


def load(path: Path, names: Mapping[str, str] | None = None) -> Contract:
    """Read and check a contract; `names` fills the `{team}`-like words of tags and archives."""
    values = checked(_read(path), load_schema(SCHEMA), str(path))
    return Contract(
        path,
        MappingProxyType({name: _image(path, name, entry, names or {}) for name, entry in values["images"].items()}),
    )


def names_of(pairs: Sequence[str], flag: str = "--name") -> dict[str, str]:
    """What the words NAME=VALUE after a flag say."""
    for pair in pairs:
        if "=" not in pair or pair.startswith("="):
            raise UserError(f"{flag} {pair}: write it as NAME=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def takes_names(parser: argparse.ArgumentParser) -> None:
    """Add the flag that fills the `{team}`-like words of a contract."""
    parser.add_argument("--name", action="append", default=[], metavar="WORD=VALUE", help="for {WORD} in the contract")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        values = read_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); it should hold the challenge's contract") from None
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        said = " ".join(str(error).split())
        raise UserError(f"{path} is not YAML: {said}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path} must be a mapping with the key `images`")
    return values


def _image(path: Path, name: str, entry: Mapping[str, Any], names: Mapping[str, str]) -> Image:
    where = f"images.{name}"
    hardware = Hardware(**entry["hardware"])
    profiles = {name: build(Flags, flags, f"{where}.profiles.{name}") for name, flags in entry["profiles"].items()}
    for profile, flags in profiles.items():
        if flags.wants_gpus and not hardware.gpus:
            raise UserError(
                f"{path}: {where}.profiles.{profile} asks for GPUs, but {where}.hardware.gpus promises none; "
                "say there how many"
            )
    tag = _filled(path, f"{where}.tag", entry["tag"], names)
    if not REFERENCE.fullmatch(tag):
        raise UserError(f"{path}: {where}.tag is '{tag}', which no engine takes; use lower-case letters and digits")
    return Image(
        name=name,
        tag=tag,
        archive=_filled(path, f"{where}.archive", entry["archive"], names),
        dockerfile=path.parent / entry["dockerfile"],
        requirements=tuple(path.parent / file for file in entry["requirements"]),
        without=tuple(entry["without"]),
        torch=entry["torch"],
        entrypoint=entry["entrypoint"],
        source=entry.get("source", ""),
        command=tuple(entry["command"]),
        mounts=tuple(Mount(mount, **settings) for mount, settings in entry["mounts"].items()),
        success_line=entry.get("success_line", ""),
        finished=tuple(entry["finished"]),
        starts=entry["starts"],
        hardware=hardware,
        time_limit=float(entry["time_limit"]),
        output_check=entry["output_check"],
        profiles=MappingProxyType(profiles),
    )


def _filled(path: Path, where: str, text: str, names: Mapping[str, str]) -> str:
    for word in PLACEHOLDER.findall(text):
        if word not in names:
            raise UserError(f"{path}: {where} needs a value for {{{word}}}; give it as --name {word}=...")
    return PLACEHOLDER.sub(lambda match: names[match[1]], text)


def _pick(things: Mapping[str, T], name: str, complaint: str) -> T:
    if name not in things:
        hint = did_you_mean(name, things, f"it has {', '.join(things)}")
        raise UserError(f"{complaint} '{name}'; {hint}")
    return things[name]
