"""Bytes a second of one large file from a web server on loopback: curl, and ours with and without a checksum.

    python -m tests.benchmarks.download --size 2048 --rounds 3

The server is this program's own, which sends with sendfile; where nginx is installed, or --nginx names it, it serves
the same file after that. The file lies in memory, so that the disk has only what is fetched. Ours leaves its file
flushed to the disk; curl does not, so that it is also timed with a `sync` of its file behind it. What is timed are
whole commands, with the start of Python in ours.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import sha256

MIB = 1 << 20
UNCHECKED = """
from workflow.scripts.remote import http, http_digest
http_digest.Digest.run = lambda self: None
raise SystemExit(http.main())
"""
RANGE = re.compile(r"bytes=(\d+)-(\d+)")
FILE, OUT = "large.bin", "out.bin"
NGINX = """
daemon off; pid {folder}/pid; error_log {folder}/error; worker_processes 1; events {{}}
http {{
  access_log off; sendfile on; tcp_nopush on; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2;
  fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@contextmanager
def own(folder: Path) -> Iterator[str]:
    """Our server: one thread a connection, and no byte in Python."""
    path = folder / FILE
    size = path.stat().st_size

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = RANGE.fullmatch(self.headers.get("Range", ""))
            start, end = (int(asked[1]), min(size, int(asked[2]) + 1)) if asked else (0, size)
            self.send_response(206 if asked else 200)
            self.send_header("ETag", '"one"')
            self.send_header("Content-Length", str(end - start))
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
            self.end_headers()
            with path.open("rb") as stream:
                while start < end:
                    start += os.sendfile(self.connection.fileno(), stream.fileno(), start, end - start)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/{FILE}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def nginx(program: str, folder: Path) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name, socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        found.close()
        Path(name).chmod(0o755)
        settings = Path(name, "nginx.conf")
        settings.write_text(NGINX.format(folder=name, port=port, root=folder), encoding="utf-8")
        with subprocess.Popen([program, "-c", str(settings), "-e", f"{name}/error"]) as process:
            try:
                while process.poll() is None and not listens(port):
                    time.sleep(0.05)
                if process.poll() is not None:
                    raise UserError(f"{program} ended at once; its words stand above")
                yield f"http://127.0.0.1:{port}/{FILE}"
            finally:
                process.terminate()


def listens(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def curl(url: str, out: Path) -> None:
    subprocess.run(["curl", "--silent", "--fail", "--output", str(out / OUT), url], check=True)


def curl_synced(url: str, out: Path) -> None:
    words = shlex.join(["curl", "--silent", "--fail", "--output", str(out / OUT), url])
    subprocess.run(["sh", "-c", f"{words} && sync {shlex.quote(str(out / OUT))}"], check=True)


def ours(url: str, out: Path, connections: int, digest: str) -> None:
    http = {"file": OUT, "urls": [url], "connections": connections, "sha256": digest}
    program = ["-m", "workflow.scripts.remote.http"] if digest else ["-c", UNCHECKED]
    row = json.dumps({"title": "benchmark", "http": http})
    subprocess.run([sys.executable, *program, f"--folder={out}", f"--row={row}"], check=True, capture_output=True)


def timed(work: Callable[[Path], None], root: Path) -> float:
    """Each begins with a disk that has nothing to do."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        os.sync()
        begun = time.perf_counter()
        work(Path(name))
        return time.perf_counter() - begun


def compare(url: str, size: int, digest: str, root: Path, args: argparse.Namespace) -> None:
    ways: dict[str, Callable[[Path], None]] = {
        "curl": lambda out: curl(url, out),
        "curl, then sync": lambda out: curl_synced(url, out),
        f"ours, {args.connections} connections": lambda out: ours(url, out, args.connections, digest),
        "ours, 1 connection": lambda out: ours(url, out, 1, digest),
        "ours, no checksum": lambda out: ours(url, out, args.connections, ""),
    }
    took: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(args.rounds):  # in turns, so that a busy minute does not fall on one way alone
        for way, work in ways.items():
            took[way].append(timed(work, root))
    middle = {way: statistics.median(found) for way, found in took.items()}
    for way, seconds in middle.items():
        ratios = " ".join(f"{middle[other] / seconds:6.2f} of {other}" for other in ("curl", "curl, then sync"))
        print(f"  {way:<22}{seconds:7.2f} s {size / 1e6 / seconds:8.0f} MB/s  {ratios}", flush=True)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=2048, help="MiB")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--nginx", default=shutil.which("nginx"), help="its program, where it is not on PATH")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where it is fetched to")
    parser.add_argument("--memory", type=Path, default=Path("/dev/shm"), help="where the file is served from")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.memory) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with (folder / FILE).open("wb") as stream:
            for _ in range(args.size):
                stream.write(os.urandom(MIB))
        (folder / FILE).chmod(0o644)
        begun = time.perf_counter()
        digest = sha256(folder / FILE)
        alone = args.size * MIB / 1e6 / (time.perf_counter() - begun)
        print(f"{args.size} MiB, median of {args.rounds} rounds; SHA-256 alone: {alone:.0f} MB/s", flush=True)
        servers = {"own server": own(folder), **({"nginx": nginx(args.nginx, folder)} if args.nginx else {})}
        for title, server in servers.items():
            with server as url:
                print(title)
                compare(url, args.size * MIB, digest, args.folder, args)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
