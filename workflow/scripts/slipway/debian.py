"""A base image from Debian packages, for a machine that reaches a Debian mirror but no image registry."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from isal import igzip

from containers.kit.errors import UserError
from containers.kit.files import CHUNK, hash_of, replacing, sha256
from workflow.scripts.slipway.engine import FIX, Engine, show

RECIPE = Path(__file__).parents[3] / "containers" / "base" / "debian.sh"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
SUITE = "bookworm"
EPOCH = 1_700_000_000  # no file of the base is younger, so that the same packages give the same bytes
# What the public Python image sets as well.
SETTINGS = (
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "ENV LANG=C.UTF-8",
    'CMD ["python"]',
)
LABEL = "slipway.rootfs"


@dataclass(frozen=True)
class Debian:
    tag: str
    image_id: str
    rootfs: Path  # the same file system as base.tar.gz, for submission folders that build without a registry
    rootfs_sha256: str


def make(
    engine: Engine,
    cache: Path,
    recipe: Path = RECIPE,
    certificates: Path = CERTIFICATES,
    packages: Sequence[str] = (),
) -> Debian:
    """The image and its file system; whatever is there already from the same recipe is used as it is.

    `packages` of Debian come in besides what every base has; with them it is another image.
    """
    if not certificates.is_file():
        raise UserError(f"{certificates} is not there; install this host's CA certificates (package ca-certificates)")
    added = [sorted(packages)] if packages else []
    key = hash_of([recipe.read_text(encoding="utf-8"), sha256(certificates), SUITE, EPOCH, SETTINGS, *added])
    tag = f"slipway/base:{SUITE}-{key}"
    rootfs = cache / f"{SUITE}-{key}.tar.gz"
    if not rootfs.is_file():
        _bootstrap(recipe, certificates, rootfs, packages)
    digest = sha256(rootfs)
    image_id = engine.image_id(tag)
    if image_id is None or _rootfs_of(engine, tag) != digest:
        changes = [word for line in (*SETTINGS, f"LABEL {LABEL}={digest}") for word in ("--change", line)]
        engine.run("import", *changes, str(rootfs), tag)
        image_id = engine.image_id(tag)
    if image_id is None:
        raise UserError(f"{engine.name} imported {tag} and does not know it now; look into the engine's log")
    return Debian(tag, image_id, rootfs, digest)


def _bootstrap(recipe: Path, certificates: Path, rootfs: Path, packages: Sequence[str]) -> None:
    if shutil.which("mmdebstrap") is None:
        raise UserError(f"mmdebstrap is not installed and the debian base is made with it; {FIX}, which installs it")
    rootfs.parent.mkdir(parents=True, exist_ok=True)
    archive = rootfs.with_name(f".{rootfs.name}.{os.getpid()}.tar")
    command = [str(recipe), SUITE, str(archive), str(certificates), *sorted(packages)]
    show(["env", f"SOURCE_DATE_EPOCH={EPOCH}", *command])
    try:
        done = subprocess.run(command, check=False, env=os.environ | {"SOURCE_DATE_EPOCH": str(EPOCH)})
        if done.returncode:
            raise UserError(
                f"mmdebstrap could not make the debian base (its own words stand above); it needs a Debian mirror that "
                f"answers, and root or user namespaces for this user (package uidmap, a line in /etc/subuid){_who()}"
            )
        # No name and no time in the header: the same archive gives the same bytes.
        with (
            replacing(rootfs) as partial,
            partial.open("wb") as target,
            igzip.IGzipFile(filename="", mode="wb", compresslevel=2, fileobj=target, mtime=0) as packed,
            archive.open("rb") as source,
        ):
            shutil.copyfileobj(source, packed, CHUNK)
    finally:
        archive.unlink(missing_ok=True)


def _who() -> str:
    return "" if os.geteuid() == 0 else "; you are not root, so try the same command with sudo"


def _rootfs_of(engine: Engine, tag: str) -> str:
    """The digest of the file system that a local image was imported from."""
    return engine.ask("image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', tag)
