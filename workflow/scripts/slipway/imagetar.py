"""What an image archive holds, digested as it streams by, and whether that is the image that was asked for.

Three layouts are read: the one of Docker up to 24 (`<id>/layer.tar`, equal layers as symbolic links), the OCI one of
Docker from 25 on (`blobs/sha256/...`; gzip-compressed layers where containerd stores the images), and podman's
(`<digest>.tar`). All of them carry Docker's `manifest.json`, which `docker load` goes by, and so does this module.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from containers.kit.errors import UserError
from workflow.scripts.slipway.digest import Digest, Layer
from workflow.scripts.slipway.tarstream import Member

LARGEST_TEXT = 8 << 20  # a config or manifest beyond this is none
AGAIN = "run the save again"


@dataclass(frozen=True)
class Image:
    """What the archive was found to hold."""

    config: str
    tags: tuple[str, ...]
    layers: tuple[Layer, ...]


@dataclass
class Contents:
    """Fills up while the archive streams by; `verified` judges it when the stream has ended."""

    files: dict[str, Digest] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)

    def begin(self, member: Member) -> Digest | None:
        """The digest to feed with the member's chunks, if it has any."""
        name = posixpath.normpath(member.name)
        if member.kind == "file":
            self.files[name] = Digest(keeps_text=member.size <= LARGEST_TEXT)
            return self.files[name]
        if member.kind == "symlink":
            self.links[name] = posixpath.normpath(posixpath.join(posixpath.dirname(name), member.target))
        elif member.kind == "hardlink":
            self.links[name] = posixpath.normpath(member.target)
        return None

    def verified(self, image_id: str, tag: str) -> Image:
        """What the archive holds, or a UserError if that is not the whole image `image_id` under `tag`."""
        try:
            return self._verified(image_id, tag)
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"the engine's archive of {tag} has an unknown layout ({error!r}); {AGAIN}") from None

    def _verified(self, image_id: str, tag: str) -> Image:
        entries = self._json("manifest.json")
        if len(entries) != 1:
            raise UserError(f"the engine's archive holds {len(entries)} images where {tag} names one; {AGAIN}")
        entry = entries[0]
        config = self._digest(entry["Config"]).stored
        if image_id not in {config, *self._names_of(config)}:
            raise UserError(f"the engine streamed the image {config} where {image_id} passed; test {tag} again")
        tags = tuple(entry.get("RepoTags") or ())
        if familiar(tag) not in tags:
            raise UserError(f"`docker load` would give {list(tags)} and not {tag}; tag the image so and test it again")
        promised = self._json(entry["Config"])["rootfs"]["diff_ids"]
        stored = entry["Layers"]
        if len(promised) != len(stored):
            raise UserError(f"{tag} has {len(promised)} layers and the engine's archive {len(stored)}; {AGAIN}")
        layers = tuple(self._layer(*pair, tag) for pair in zip(stored, promised, strict=True))
        self._check_blobs(tag)
        return Image(config, tags, layers)

    def _digest(self, name: str) -> Digest:
        name = posixpath.normpath(name)
        for _ in self.links:  # a link may lead to a link; links that go in a circle lead to no file
            name = self.links.get(name, name)
        if name not in self.files:
            raise UserError(f"the engine's archive ends before its {name}; {AGAIN}")
        return self.files[name]

    def _json(self, name: str) -> Any:
        try:
            return json.loads(self._digest(name).text)
        except ValueError:
            raise UserError(f"{name} in the engine's archive is not JSON; {AGAIN}") from None

    def _layer(self, name: str, promised: str, tag: str) -> Layer:
        digest = self._digest(name)
        if digest.packing == "zstd":
            raise UserError(f"{tag} keeps {promised} as zstd, which Slipway cannot verify; build it with gzip layers")
        layer = digest.layer()
        if layer.digest != promised:
            raise UserError(
                f"a layer of {tag} is {layer.digest} in the engine's archive where the image promises {promised}; "
                "the engine's storage is damaged, so rebuild and test the image again"
            )
        return layer

    def _check_blobs(self, tag: str) -> None:
        for name, digest in self.files.items():
            folder, _, expected = name.rpartition("/")
            if folder == "blobs/sha256" and digest.stored != f"sha256:{expected}":
                raise UserError(f"{name} of {tag} has the digest {digest.stored}; rebuild and test the image again")

    def _names_of(self, config: str) -> set[str]:
        """Digests of the OCI manifests and indexes that lead to `config`: containerd calls the image by one of them."""
        found: set[str] = set()

        def leads(digest: str) -> bool:
            name = f"blobs/{digest.replace(':', '/')}"
            if name not in self.files or not self.files[name].text:  # of another platform: named, but not here
                return False
            document = self._json(name)
            parts = [leads(part["digest"]) for part in document.get("manifests", ())]
            if document.get("config", {}).get("digest") == config or any(parts):
                found.add(digest)
            return digest in found

        if "index.json" in self.files:
            for part in self._json("index.json").get("manifests", ()):
                leads(part["digest"])
        return found


def familiar(tag: str) -> str:
    """A tag as Docker shows it: podman's `localhost/x` is `x:latest`, since Docker would run it under no other name."""
    tag = tag.removeprefix("localhost/")
    return tag if ":" in tag.rpartition("/")[2] else f"{tag}:latest"


def retagged() -> dict[str, Callable[[bytes], bytes]]:
    """For each member that names tags, what makes them familiar; bytes that are familiar already stay the same."""

    def manifest(text: bytes) -> bytes:
        entries = json.loads(text)
        renamed = [
            {**entry, "RepoTags": entry.get("RepoTags") and [familiar(tag) for tag in entry["RepoTags"]]}
            for entry in entries
        ]
        return text if renamed == entries else _compact(renamed)

    def repositories(text: bytes) -> bytes:
        names = json.loads(text)
        renamed = {familiar(name).removesuffix(":latest"): tags for name, tags in names.items()}
        return text if renamed == names else _compact(renamed)

    return {"manifest.json": manifest, "repositories": repositories}


def _compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
