"""Copies of a bucket's files on disk: which are there and whole, and how a missing one comes.

Beside the folder of data set 1 lies .1.sync: what was fetched (state.json, and since it was written, a line a file in
journal), and the parts of what was broken off. This module imports none of its neighbours, so that programs outside the
image can use it too; hence it is one, and long.
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

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

CHUNK = MIB = 1 << 20
TRIES = 5  # without a chunk between them
MD5 = re.compile(r"[0-9a-f]{32}")
IN_PARTS = re.compile(r"[0-9a-f]{32}-([1-9][0-9]{0,4})")  # of a file that was sent in so many parts
USUAL = (5, 8, 10, 15, 16, 25, 32, 50, 64, 100, 128, 256, 512)  # MiB that programs send as one part
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


UNTOUCHED = "leave OID_ACCESS_TOKEN out to train with it"  # what else to do with a folder that somebody has filled


class Copies:
    """The folder of one data set and what was fetched into it. One program at a time has it."""

    def __init__(self, root: Path, dataset: str, otherwise: str = UNTOUCHED) -> None:
        self.otherwise = otherwise
        self.folder, self.own = root / dataset, root / f".{dataset}.sync"
        self.state, self.lines = self.own / "state.json", self.own / "journal"
        self.known: dict[str, list[Any]] = {}  # by name: ETag, size, time of the last change
        self.lock: IO[bytes] | None = None
        self.journal: IO[bytes] | None = None
        self.noting = threading.Lock()

    def __enter__(self) -> Copies:
        if self.folder.exists() and not self.own.exists() and any(self.folder.iterdir()):
            raise SyncError(
                f"{self.folder} is there and was not fetched from S3; move it away to fetch it, or {self.otherwise}"
            )
        self.own.mkdir(exist_ok=True)
        self.lock = (self.own / "lock").open("wb")
        fcntl.flock(self.lock, fcntl.LOCK_EX)  # until it is closed
        self.folder.mkdir(exist_ok=True)
        self._read()
        if self.lines.exists():  # somebody was killed, perhaps within a line, which nothing may be added to
            self._write()
        self.journal = self.lines.open("ab", buffering=0)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._write()
            if kind is None:
                for part in self.own.glob("*.object"):
                    part.unlink()
        finally:
            for stream in (self.journal, self.lock):
                if stream:
                    stream.close()

    def _read(self) -> None:
        """What is noted nowhere, or not readably, is compared by what is in it."""
        known: dict[str, Any] = {}
        for file in (self.state, self.lines):
            texts = file.read_bytes().splitlines() if file.exists() else []
            for text in texts:
                try:
                    known.update(json.loads(text) if file == self.state else [json.loads(text)])
                except (ValueError, TypeError):
                    continue
        self.known = {name: mark for name, mark in known.items() if isinstance(mark, list) and len(mark) == 3}

    def _write(self) -> None:
        partial = self.own / "state.part"
        partial.write_text(json.dumps(self.known), encoding="utf-8")
        partial.replace(self.state)
        self.lines.unlink(missing_ok=True)

    def has(self, item: Item) -> bool:
        """Whether the copy is whole and of this version; told by its time, and by its content where that is new."""
        path = self.folder / item.name
        if not path.is_file() or path.is_symlink() or path.stat().st_size != item.size:
            return False
        if self.known.get(item.name) == self._mark(item, path):
            return True
        digest = Digest(item)
        if digest.ways and digest.read(path).matches():
            self.note(item)
            return True
        return False

    def note(self, item: Item) -> None:
        """It is known from now on, even to whoever comes after a kill."""
        mark = self._mark(item, self.folder / item.name)
        with self.noting:
            self.known[item.name] = mark
            if self.journal:
                self.journal.write(json.dumps([item.name, mark]).encode() + b"\n")

    def place(self, item: Item) -> Path:
        """Where the copy goes; its folder is made, and is inside the data set's even where links lie in the way."""
        path: Path = self.folder / item.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.parent.resolve().is_relative_to(self.folder.resolve()):
            raise SyncError(f"{path.parent} is a link out of {self.folder}; remove it and fetch again")
        return path

    def part(self, item: Item) -> Path:
        return self.own / f"{hashlib.sha256(f'{item.key} {item.etag}'.encode()).hexdigest()[:32]}.object"

    def left(self, item: Item) -> int:
        """How many of its bytes are still to come."""
        part = self.part(item)
        have = part.stat().st_size if part.exists() else 0
        return item.size - have if have <= item.size else item.size

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


class Digest:
    """The ETags that a file would have by each way of sending it: whole, or in parts of a size that others are of."""

    def __init__(self, item: Item, ways: Sequence[int] | None = None) -> None:
        self.item, self.ways = item, _ways(item) if ways is None else ways  # bytes of a part, 0 for the whole
        self.begin()

    def begin(self) -> None:
        self.count = 0
        self.ended: list[list[bytes]] = [[] for _ in self.ways]
        self.running = [_md5() for _ in self.ways]

    def add(self, chunk: bytes) -> None:
        for index, size in enumerate(self.ways):
            rest, at = memoryview(chunk), self.count
            while size and len(rest) >= (due := size - at % size):
                self.running[index].update(rest[:due])
                self.ended[index].append(self.running[index].digest())
                self.running[index], rest, at = _md5(), rest[due:], at + due
            self.running[index].update(rest)
        self.count += len(chunk)

    def read(self, path: Path) -> Digest:
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                self.add(chunk)
        return self

    def matches(self) -> bool:
        return any(self._etag(index) == self.item.etag for index in range(len(self.ways)))

    def _etag(self, index: int) -> str:
        size, running = self.ways[index], self.running[index]
        if not size:
            return str(running.hexdigest())
        ended = self.ended[index] + ([running.digest()] if self.count % size else [])
        return f"{_md5(b''.join(ended)).hexdigest()}-{len(ended)}"


def _ways(item: Item) -> list[int]:
    """In which sizes of parts it was probably sent, as its ETag tells."""
    if MD5.fullmatch(item.etag):
        return [0]
    found = IN_PARTS.fullmatch(item.etag)
    if not found or not item.size:
        return []
    count = int(found[1])
    if count == 1:
        return [item.size]
    even = _parts(item.size, count * MIB) * MIB
    return sorted(size for size in {even, *(MIB * usual for usual in USUAL)} if _parts(item.size, size) == count)


def _parts(whole: int, size: int) -> int:
    return -(-whole // size)


def room(due: Sequence[Item], root: Path) -> None:
    needed, free = sum(item.size for item in due), shutil.disk_usage(root).free
    if needed > free:
        raise SyncError(f"{root} has {free / 1e9:.1f} GB free and {needed / 1e9:.1f} GB are to come; make room there")


def fetch_all(
    s3: Any, bucket: str, due: Sequence[Item], copies: Copies, workers: int, came: Callable[[int], object]
) -> list[str]:
    """Several at once; the first that fails ends them all, and its error is told. `came` is given counts of bytes.

    Returns the names of files that could be checked by their size alone.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(workers) as pool:
        futures = {pool.submit(_fetch, s3, bucket, item, copies, stop, came): item.name for item in due}
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            return sorted(futures[future] for future in done if not future.result())
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _fetch(
    s3: Any, bucket: str, item: Item, copies: Copies, stop: threading.Event, came: Callable[[int], object]
) -> bool:
    """Go on where an earlier try ended; give the file its name once it is whole. Returns whether its ETag said so."""
    path, part = copies.place(item), copies.part(item)
    digest, tries = Digest(item), 0
    if part.exists():
        digest.read(part)
    if digest.count >= item.size and digest.count and not digest.matches():
        part.unlink()
        digest.begin()
    encrypted = False
    while digest.count < item.size or not part.exists():
        before = digest.count
        try:
            encrypted = _fetch_rest(s3, bucket, part, digest, stop, came)
            break
        except BROKEN:
            tries = 1 if digest.count - before >= CHUNK else tries + 1
            if tries == TRIES:
                raise
            time.sleep(0.05 * 2**tries)
    if stop.is_set():
        return True
    whole = part.stat().st_size == item.size and _whole(s3, bucket, part, digest, encrypted)
    if whole is False:
        part.unlink()
        raise SyncError(f"{item.key} of bucket '{bucket}' arrived damaged; fetch it again")
    part.replace(path)
    copies.note(item)
    return whole is True


def _fetch_rest(
    s3: Any, bucket: str, part: Path, digest: Digest, stop: threading.Event, came: Callable[[int], object]
) -> bool:
    """Add what the part does not have yet, of that very version; return whether the server keeps it encrypted."""
    item = digest.item
    wanted: dict[str, Any] = {"Range": f"bytes={digest.count}-"} if digest.count else {}
    answer = s3.get_object(Bucket=bucket, Key=item.key, IfMatch=f'"{item.etag}"', **wanted)
    whole = "ContentRange" not in answer  # a server may do so, whatever was asked
    if whole:
        digest.begin()
    with part.open("wb" if whole else "ab") as stream:
        for chunk in answer["Body"].iter_chunks(CHUNK):
            if stop.is_set():
                break
            stream.write(chunk)
            digest.add(chunk)
            came(len(chunk))
        stream.flush()
        os.fsync(stream.fileno())
    return bool(answer.get("ServerSideEncryption") or answer.get("SSECustomerAlgorithm"))


def _whole(s3: Any, bucket: str, part: Path, digest: Digest, encrypted: bool) -> bool | None:
    """Whether it is what was sent; None where its ETag does not tell: not each is a digest of the content."""
    item = digest.item
    if digest.matches():
        return True
    if encrypted or not (MD5.fullmatch(item.etag) or IN_PARTS.fullmatch(item.etag)):
        return None
    if MD5.fullmatch(item.etag):
        return False
    size = _asked(s3, bucket, item)
    if not size:
        return None
    return size not in digest.ways and Digest(item, [size]).read(part).matches()


def _asked(s3: Any, bucket: str, item: Item) -> int:
    """The size of the parts in which it was sent, 0 if the server does not tell, or they differ."""
    count = int(item.etag.partition("-")[2])
    try:
        first, last = (
            int(s3.head_object(Bucket=bucket, Key=item.key, PartNumber=number)["ContentLength"])
            for number in (1, count)
        )
    except (ClientError, BotoCoreError):
        return 0
    return first if first and first * (count - 1) + last == item.size else 0


def _md5(data: bytes = b"") -> Any:
    return hashlib.md5(data, usedforsecurity=False)
