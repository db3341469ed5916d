"""Copies of a bucket's files on disk: which are there and whole, and how a missing one comes.

Beside the folder of data set 1 lies .1.sync: what was fetched (state.json), and the parts of what was broken off. This
module imports none of its neighbours, so that programs outside the image can use it too.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import IncompleteReadError, ReadTimeoutError, ResponseStreamingError

CHUNK = 1 << 20
TRIES = 5
MD5 = re.compile(r"[0-9a-f]{32}")
BROKEN = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)  # while a file comes; boto3 retries the rest


class SyncError(Exception):
    """One sentence that says what to do."""


@dataclass(frozen=True)
class Item:
    """One file of a data set in its bucket."""

    key: str
    name: str  # relative to the data set's folder
    size: int
    etag: str


def listed(s3: Any, bucket: str, prefix: str) -> tuple[list[Item], list[str]]:
    """The files under the prefix, and the keys that no file inside a folder can be named after."""
    items, unsafe = [], []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            key = str(entry["Key"])
            name = key[len(prefix) :]
            if key.endswith("/") or not name:
                continue  # a folder, as consoles make them
            if safe(name):
                items.append(Item(key, name, int(entry["Size"]), str(entry["ETag"]).strip('"')))
            else:
                unsafe.append(key)
    return items, unsafe


def safe(name: str) -> bool:
    """Whether it is a path that stays inside the folder that it is taken in."""
    parts = name.split("/")
    return "\0" not in name and all(part not in ("", ".", "..") and len(os.fsencode(part)) <= 255 for part in parts)


class Copies:
    """The folder of one data set and what was fetched into it. One program at a time has it."""

    def __init__(self, root: Path, dataset: str) -> None:
        self.folder, self.own = root / dataset, root / f".{dataset}.sync"
        self.state = self.own / "state.json"
        self.known: dict[str, list[Any]] = {}  # by name: ETag, size, time of the last change
        self.lock: IO[bytes] | None = None

    def __enter__(self) -> Copies:
        if self.folder.exists() and not self.own.exists() and any(self.folder.iterdir()):
            raise SyncError(
                f"{self.folder} is there and was not fetched from S3; move it away to fetch it, "
                "or leave OID_ACCESS_TOKEN out to train with it"
            )
        self.own.mkdir(exist_ok=True)
        self.lock = (self.own / "lock").open("wb")
        fcntl.flock(self.lock, fcntl.LOCK_EX)  # until it is closed
        self.folder.mkdir(exist_ok=True)
        try:
            self.known = dict(json.loads(self.state.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError):
            self.known = {}  # then files are compared by what is in them
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        partial = self.own / "state.part"
        partial.write_text(json.dumps(self.known), encoding="utf-8")
        partial.replace(self.state)
        if kind is None:
            for part in self.own.glob("*.object"):
                part.unlink()
        if self.lock:
            self.lock.close()

    def has(self, item: Item) -> bool:
        """Whether the copy is whole and of this version; told by its time, and by its content where that is new."""
        path = self.folder / item.name
        if not path.is_file() or path.is_symlink() or path.stat().st_size != item.size:
            return False
        if self.known.get(item.name) == self._mark(item, path):
            return True
        if MD5.fullmatch(item.etag) and _md5(path) == item.etag:
            self.note(item)
            return True
        return False

    def note(self, item: Item) -> None:
        self.known[item.name] = self._mark(item, self.folder / item.name)

    def place(self, item: Item) -> Path:
        """Where the copy goes; its folder is made, and is inside the data set's even where links lie in the way."""
        path: Path = self.folder / item.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(self.folder.resolve()):
            raise SyncError(f"{path.parent} is a link out of {self.folder}; remove it and fetch again")
        return path

    def part(self, item: Item) -> Path:
        return self.own / f"{hashlib.sha256(f'{item.key} {item.etag}'.encode()).hexdigest()[:32]}.object"

    def drop_all_but(self, items: Iterable[Item]) -> int:
        """Remove copies that the bucket has no more, unless somebody has changed them."""
        names = {item.name for item in items}
        gone = 0
        for name in [name for name in self.known if name not in names]:
            etag, size, _ = mark = self.known.pop(name)
            path = self.folder / name
            if path.is_file() and mark == self._mark(Item("", name, size, etag), path):
                path.unlink()
                gone += 1
        return gone

    @staticmethod
    def _mark(item: Item, path: Path) -> list[Any]:
        return [item.etag, item.size, path.stat().st_mtime_ns]


def room(due: Sequence[Item], root: Path) -> None:
    needed, free = sum(item.size for item in due), shutil.disk_usage(root).free
    if needed > free:
        raise SyncError(f"{root} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB are to come; make room there")


def fetch_all(
    s3: Any, bucket: str, due: Sequence[Item], copies: Copies, workers: int, came: Callable[[int], object]
) -> None:
    """Several at once; the first that fails ends them all, and its error is told. `came` is given counts of bytes."""
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(_fetch, s3, bucket, item, copies, stop, came) for item in due]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _fetch(
    s3: Any, bucket: str, item: Item, copies: Copies, stop: threading.Event, came: Callable[[int], object]
) -> None:
    """Go on where an earlier try ended; give the file its name once it is whole."""
    path, part = copies.place(item), copies.part(item)
    if part.exists() and part.stat().st_size >= item.size:
        part.unlink()
    for number in range(1, TRIES + 1):
        try:
            encrypted = _fetch_rest(s3, bucket, item, part, stop, came)
            break
        except BROKEN:
            if number == TRIES:
                raise
            time.sleep(0.05 * 2**number)
    if stop.is_set():
        return
    # The ETag of a file that was sent in parts, or is encrypted, is no digest of its content.
    damaged = MD5.fullmatch(item.etag) and not encrypted and _md5(part) != item.etag
    if damaged or part.stat().st_size != item.size:
        part.unlink()
        raise SyncError(f"{item.key} of bucket '{bucket}' arrived damaged; fetch it again")
    part.replace(path)
    copies.note(item)


def _fetch_rest(
    s3: Any, bucket: str, item: Item, part: Path, stop: threading.Event, came: Callable[[int], object]
) -> bool:
    """Add what the part does not have yet, of that very version; return whether the server keeps it encrypted."""
    have = part.stat().st_size if part.exists() else 0
    wanted: dict[str, Any] = {"Range": f"bytes={have}-"} if have else {}
    answer = s3.get_object(Bucket=bucket, Key=item.key, IfMatch=f'"{item.etag}"', **wanted)
    whole = "ContentRange" not in answer  # a server may do so, whatever was asked
    with part.open("wb" if whole else "ab") as stream:
        for chunk in answer["Body"].iter_chunks(CHUNK):
            if stop.is_set():
                break
            stream.write(chunk)
            came(len(chunk))
    return bool(answer.get("ServerSideEncryption") or answer.get("SSECustomerAlgorithm"))


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
