"""Files that every kind of archive holds, and a way to see what was made of them."""

from __future__ import annotations

import random
import tarfile
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import pytest
import pyzipper

from containers.kit.errors import UserError
from tests.remote_unpack import rawzip
from workflow.scripts.remote.table import Archive
from workflow.scripts.remote.unpack import unpack

KEY = "sources.data.it"
LIMITS = Archive(files=1000, bytes=10**9, ratio=1000, password="open sesame")
FILES = {
    "one.txt": b"one",
    "empty": b"",
    "images/two.bin": random.Random(0).randbytes(70_000),
    "images/deep/three.txt": b"three " * 40_000,
}


def zipped(path: Path, files: Mapping[str, bytes] = FILES, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def aes(path: Path, files: Mapping[str, bytes] = FILES, bits: int = 256) -> Path:
    with pyzipper.AESZipFile(path, "w", pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(LIMITS.password.encode())
        archive.setencryption(pyzipper.WZ_AES, nbits=bits)
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def classic(path: Path, files: Mapping[str, bytes] = FILES, **how: Any) -> Path:
    return rawzip.write(path, [rawzip.Raw(name, data, LIMITS.password, **how) for name, data in files.items()])


def tarred(path: Path, files: Mapping[str, bytes] = FILES, mode: Literal["w:", "w:gz", "w:bz2", "w:xz"] = "w:") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o6777
            archive.addfile(entry, BytesIO(data))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if not path.is_dir()}


def refused(path: Path, target: Path, limits: Archive = LIMITS) -> str:
    """The sentence; nothing is left but the archive."""
    before = set(target.parent.rglob("*"))
    with pytest.raises(UserError) as caught:
        unpack(path, target, limits, called="it", key=KEY)
    assert set(target.parent.rglob("*")) == before
    return str(caught.value)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes unpack, however little it is."""
    from workflow.scripts.remote import unpack_write

    monkeypatch.setattr(unpack_write, "WORTH", 0)
    monkeypatch.setattr(unpack_write, "BATCH_FILES", 1)
    monkeypatch.setattr(unpack_write, "available", lambda: 2)
