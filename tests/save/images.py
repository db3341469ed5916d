"""Small image archives in the layouts that engines write, made by hand so that any part of them can be wrong."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

TAG = "stoictrain:latest"


@dataclass(frozen=True)
class Made:
    """An archive as an engine streams it, and the id by which that engine calls the image."""

    tar: bytes
    image_id: str
    layers: tuple[bytes, ...]


def hex_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def layer(text: str, size: int = 10) -> bytes:
    """A layer's tar with one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        info = tarfile.TarInfo(f"{text}.txt")
        info.size = size
        archive.addfile(info, io.BytesIO((text.encode() * (size // len(text) + 1))[:size]))
    return stream.getvalue()


def config(layers: Sequence[bytes]) -> bytes:
    diff_ids = [f"sha256:{hex_of(data)}" for data in layers]
    return json.dumps({"architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()


def packed(entries: Sequence[tuple[str, bytes | str]], mtime: int = 1_700_000_000) -> bytes:
    """A tar of files (bytes) and symbolic links (str), with the times and owners that differ from save to save."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.mtime, info.uid, info.uname, info.mode = mtime, mtime % 1000, "someone", 0o600
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
                archive.addfile(info)
            elif isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def manifest(config_name: str, layers: Sequence[str], tag: str = TAG) -> bytes:
    return json.dumps([{"Config": config_name, "RepoTags": [tag], "Layers": list(layers)}]).encode()


def legacy(layers: Sequence[bytes], mtime: int = 1_700_000_000, tag: str = TAG) -> Made:
    """Docker up to 24: a folder a layer, equal layers as links to the first."""
    entries: list[tuple[str, bytes | str]] = []
    names, seen = [], dict[bytes, str]()
    for number, data in enumerate(layers):
        folder = f"{number:064x}"
        name = f"{folder}/layer.tar"
        entries += [(f"{folder}/", ""), (f"{folder}/VERSION", b"1.0"), (f"{folder}/json", b"{}")]
        entries.append((name, f"../{seen[data]}" if data in seen else data))
        seen.setdefault(data, name)
        names.append(name)
    text = config(layers)
    entries += [(f"{hex_of(text)}.json", text), ("manifest.json", manifest(f"{hex_of(text)}.json", names, tag))]
    repository, _, version = tag.rpartition(":")
    entries.append(("repositories", json.dumps({repository: {version: names[-1].split("/")[0]}}).encode()))
    return Made(packed(entries, mtime), f"sha256:{hex_of(text)}", tuple(layers))


def podman(layers: Sequence[bytes], tag: str = f"localhost/{TAG}") -> Made:
    """podman's docker-archive: a file a layer by its digest, the old names as links, tags with its own prefix."""
    entries: list[tuple[str, bytes | str]] = [(f"{hex_of(data)}.tar", data) for data in dict.fromkeys(layers)]
    text = config(layers)
    entries.append((f"{hex_of(text)}.json", text))
    entries += [(f"{number:064x}/layer.tar", f"../{hex_of(data)}.tar") for number, data in enumerate(layers)]
    names = [f"{hex_of(data)}.tar" for data in layers]
    entries.append(("manifest.json", manifest(f"{hex_of(text)}.json", names, tag)))
    repository, _, version = tag.rpartition(":")
    entries.append(("repositories", json.dumps({repository: {version: f"{len(layers) - 1:064x}"}}).encode()))
    return Made(packed(entries), f"sha256:{hex_of(text)}", tuple(layers))


def oci(
    layers: Sequence[bytes], *, containerd: bool = False, members: int = 1, spoil: dict[str, bytes] | None = None
) -> Made:
    """Docker from 25 on. With containerd's store layers are gzip, and the image's id is that of its index.

    `members` cuts each gzip layer in several; `spoil` puts other bytes in the blob of a digest.
    """
    stored = [gzipped(data, members) if containerd else data for data in layers]
    text = config(layers)
    descriptors = [{"digest": f"sha256:{hex_of(data)}", "size": len(data)} for data in stored]
    image = _json({"config": {"digest": f"sha256:{hex_of(text)}"}, "layers": descriptors})
    other = {"digest": "sha256:" + "0" * 64, "platform": {"architecture": "arm64"}}  # named, but not in the archive
    index = _json({"manifests": [{"digest": f"sha256:{hex_of(image)}"}, other]})
    top = index if containerd else image
    blobs = {hex_of(data): data for data in (*stored, text, image, *([index] if containerd else []))}
    blobs |= spoil or {}
    entries: list[tuple[str, bytes | str]] = [("blobs/", ""), ("blobs/sha256/", "")]
    entries += [(f"blobs/sha256/{name}", blobs[name]) for name in sorted(blobs)]
    entries.append(("index.json", _json({"manifests": [{"digest": f"sha256:{hex_of(top)}"}]})))
    names = [f"blobs/sha256/{hex_of(data)}" for data in stored]
    entries.append(("manifest.json", manifest(f"blobs/sha256/{hex_of(text)}", names)))
    entries.append(("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'))
    return Made(packed(entries), f"sha256:{hex_of(index if containerd else text)}", tuple(layers))


def gzipped(data: bytes, members: int) -> bytes:
    step = -(-len(data) // members)
    return b"".join(gzip.compress(data[first : first + step], mtime=0) for first in range(0, len(data), step))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()
