"""A web server on loopback that does what a test asks for, right or wrong, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import random
import re
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.remote_http.certificate import certificate

BLOCK, PIECE = 1 << 20, 1 << 18
RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Content:
    """As many bytes as one likes, of which no two places are alike; another version has others everywhere."""

    def __init__(self, size: int, version: int = 1) -> None:
        self.size = size
        self.tail = random.Random(version).randbytes(BLOCK - 8)

    def pieces(self, start: int, end: int) -> Iterator[memoryview]:
        while start < end:
            number, skip = divmod(start, BLOCK)
            block = memoryview(number.to_bytes(8, "big") + self.tail)[skip : skip + end - start]
            yield from (block[at : at + PIECE] for at in range(0, len(block), PIECE))
            start += len(block)

    def read(self) -> bytes:
        return b"".join(self.pieces(0, self.size))

    @cache  # noqa: B019
    def digest(self, kind: str = "sha256") -> str:
        found = hashlib.new(kind)
        for piece in self.pieces(0, self.size):
            found.update(piece)
        return found.hexdigest()


@dataclass(frozen=True)
class Fault:
    """What one request gets instead of, or with, what it asked for."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: int | None = None  # break off after so many bytes
    stall: int | None = None  # say nothing any more after so many bytes
    drop: bool = False  # end the connection instead of an answer
    plain: bool = False  # as if no range had been asked for
    version: int = 0  # become that version first
    most: int = 0  # send no more than so many bytes, and say so


@dataclass
class Asked:
    path: str
    headers: dict[str, str]
    status: int = 0
    sent: int = 0

    @property
    def range(self) -> tuple[int, int] | None:
        found = RANGE.fullmatch(self.headers.get("range", ""))
        return (int(found[1]), int(found[2]) + 1) if found and found[2] else None


class Server:
    def __init__(self, size: int) -> None:
        self.size = size
        self.become(1)
        self.ranges, self.length = True, True  # whether it gives parts, and tells sizes
        self.careless = False  # whether it gives parts of any version
        self.modified = ""
        self.headers: dict[str, str] = {}  # on every good answer
        self.faults: deque[Fault | None] = deque()  # of the next requests
        self.always: dict[str, Fault] = {}  # of a path
        self.asked: list[Asked] = []
        self.connections = 0
        self.limit: float = float("inf")  # bytes in all that may be sent
        self.sent = 0
        self.turn = threading.Condition()
        self.ending = False
        self.url = ""

    def become(self, version: int) -> None:
        self.content, self.etag = Content(self.size, version), f'"version-{version}"'

    def allow(self, limit: float) -> None:
        with self.turn:
            self.limit = limit
            self.turn.notify_all()

    def wait_for(self, due: Callable[[], bool]) -> None:
        """Until something holds that the server can see; what changes it does not have to say so."""
        until = time.monotonic() + 120
        while not due():
            assert time.monotonic() < until, "it did not come to that"
            time.sleep(0.01)

    def may_send(self, count: int) -> bool:
        with self.turn:
            self.turn.wait_for(lambda: self.ending or self.sent + count <= self.limit)
            self.sent += count
        return not self.ending

    def hold(self) -> None:
        """Until the server is ended."""
        with self.turn:
            self.turn.wait_for(lambda: self.ending)

    def ranges_asked(self) -> list[tuple[int, int] | None]:
        return [one.range for one in self.asked]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def setup(self) -> None:
        self.mine: Server = self.server.mine
        self.mine.connections += 1
        super().setup()

    def do_GET(self) -> None:
        mine, asked = self.mine, Asked(self.path, {name.lower(): value for name, value in self.headers.items()})
        with mine.turn:
            path = self.path.partition("?")[0]
            fault = mine.always.get(path) or (mine.faults.popleft() if mine.faults else None) or Fault()
            mine.asked.append(asked)
            if fault.version:
                mine.become(fault.version)
        if fault.drop:
            self.close_connection = True
            return
        asked.status = fault.status or 200
        if fault.status:
            self.answer(fault.status, {"Content-Length": str(len(fault.body)), **fault.headers})
            self.wfile.write(fault.body)
        else:
            self.give(asked, fault)

    def give(self, asked: Asked, fault: Fault) -> None:
        mine, content = self.mine, self.mine.content
        start, end = 0, content.size
        headers: dict[str, str] = {}
        headers |= {"ETag": mine.etag} if mine.etag else {}
        headers |= {"Last-Modified": mine.modified} if mine.modified else {}
        found = RANGE.fullmatch(self.headers.get("Range", ""))
        known = self.headers.get("If-Range")
        if found and mine.ranges and not fault.plain and (mine.careless or known in (None, mine.etag, mine.modified)):
            start, end = int(found[1]), min(content.size, int(found[2] or content.size) + 1)
            if start >= content.size:
                self.answer(416, {"Content-Range": f"bytes */{content.size}", "Content-Length": "0"})
                asked.status = 416
                return
            end = min(end, start + fault.most) if fault.most else end
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size}"
            asked.status = 206
        headers |= {"Content-Length": str(end - start)} if mine.length else {"Connection": "close"}
        headers |= mine.headers | fault.headers
        self.answer(asked.status, headers)
        ends = [one for one in (fault.cut, fault.stall) if one is not None]
        for piece in content.pieces(start, min(end, start + ends[0]) if ends else end):
            if not mine.may_send(len(piece)):
                return
            self.wfile.write(piece)
            asked.sent += len(piece)
        if fault.stall is not None:
            mine.hold()
        if ends or not mine.length:
            self.close_connection = True

    def answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are what is tested."""


@contextmanager
def serving(size: int, *, safely: bool = False) -> Iterator[Server]:
    mine = Server(size)
    server = _Threads(("127.0.0.1", 0), Handler)
    if safely:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate())
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.mine = mine  # type: ignore[attr-defined]
    server.block_on_close = False
    mine.url = f"http{'s' if safely else ''}://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield mine
    finally:
        with mine.turn:
            mine.ending = True
            mine.turn.notify_all()
        server.shutdown()
        server.server_close()
