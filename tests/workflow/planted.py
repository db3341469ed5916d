"""Credentials as a user has them in the environment, and the search for them in all that was written."""

from __future__ import annotations

import os
import secrets
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from isal import igzip

# New ones each time, since the clones hold this file, too.
PLANTED = {
    "AWS_ACCESS_KEY_ID": secrets.token_hex(10).upper(),
    "AWS_SECRET_ACCESS_KEY": f"{secrets.token_hex(10)}/{secrets.token_hex(8)}+x",
    "AWS_SESSION_TOKEN": secrets.token_hex(30),
    "KAGGLE_KEY": secrets.token_hex(16),
    "KAGGLE_API_TOKEN": f"KGAT_{secrets.token_hex(16)}",
    "OID_ACCESS_TOKEN": f"{secrets.token_hex(10)}.{secrets.token_hex(20)}.{secrets.token_hex(20)}",
}
CHUNK = 1 << 22
GZIP = b"\x1f\x8b"


def found(root: Path, words: list[str]) -> list[str]:
    """The files below the folder that hold one of the words, links left alone; gzipped ones are looked into.

    The layers of a saved image are plain tar files in it, and so the files of its layers are looked at, too.
    """
    wanted = [word.encode() for word in words]
    return sorted(str(path.relative_to(root)) for path in _files(root) if _holds(path, wanted))


def _files(root: Path) -> Iterator[Path]:
    for base, _, names in os.walk(root):
        yield from (path for name in names if (path := Path(base, name)).is_file() and not path.is_symlink())


def _holds(path: Path, words: list[bytes]) -> bool:
    if any(word in os.fsencode(path.name) for word in words):
        return True
    with path.open("rb") as stream:
        if stream.read(2) != GZIP:
            stream.seek(0)
            return _in_stream(stream, words)
    with igzip.open(path, "rb") as unpacked:
        return _in_stream(unpacked, words)


def _in_stream(stream: IO[bytes], words: list[bytes]) -> bool:
    """Whether it holds a word, also across two chunks."""
    rest = b""
    most = max(map(len, words)) - 1
    while chunk := stream.read(CHUNK):
        text = rest + chunk
        if any(word in text for word in words):
            return True
        rest = text[-most:]
    return False


def layered(archive: Path, folder: Path) -> None:
    """A gzipped tar of a tar that holds the first secret, as an image's archive would."""
    inner = folder / "layer.tar"
    (folder / "file").write_text(f"x={PLANTED['KAGGLE_KEY']}\n")
    with tarfile.open(inner, "w") as tar:
        tar.add(folder / "file", "file")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(inner, "layer.tar")
    inner.unlink()
    (folder / "file").unlink()
