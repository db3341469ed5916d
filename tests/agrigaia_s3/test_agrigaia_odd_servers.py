"""sync_s3.py against a server of the tests' that does what a real one seldom does: breaks off, refuses, names oddly."""

from __future__ import annotations

import hashlib
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import pytest

from tests.agrigaia_s3.conftest import COMMON, Place

BODY = bytes(range(256)) * 20_000
PAGE = 100  # files


class Odd:
    """Files by their keys; `breaks` is how often an answer ends early, `refuses` the code that all requests get."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.breaks, self.refuses, self.ranges, self.etag = 0, "", True, ""
        self.asked: list[str | None] = []  # the ranges of the requests for files
        self.keys: list[str] = []  # of the same requests
        self.etags: dict[str, str] = {}  # by key, where it is no MD5 of the file
        self.gives: dict[str, bytes] = {}  # by key, what comes in place of the file
        self.part = 0  # bytes of the parts that files were sent in, if it tells that
        self.more: dict[str, str] = {}  # headers of answers that are files
        self.waits: threading.Event | None = None  # between the first half of a file and the second
        odd = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path, _, query = self.path.partition("?")
                if odd.refuses:
                    self.answer(403, f"<Error><Code>{odd.refuses}</Code><Message>so it is</Message></Error>".encode())
                elif "list-type=2" in query:
                    self.answer(200, odd.listing(int(dict(parse_qsl(query)).get("continuation-token", 0))))
                else:
                    self.give(unquote(path).removeprefix("/agri/"))

            def do_HEAD(self) -> None:
                """Of a part, by its number."""
                path, _, query = self.path.partition("?")
                size = len(odd.files[unquote(path).removeprefix("/agri/")])
                start = (int(dict(parse_qsl(query))["partNumber"]) - 1) * odd.part
                self.send_response(206 if odd.part else 200)
                self.send_header("Content-Length", str(min(odd.part or size, size - start)))
                self.end_headers()

            def give(self, key: str) -> None:
                wanted = self.headers.get("Range")
                odd.asked.append(wanted)
                odd.keys.append(key)
                if self.headers["If-Match"] != f'"{odd.etag_of(key)}"':
                    self.answer(412, b"")
                    return
                body = odd.gives.get(key, odd.files[key])
                start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and odd.ranges else 0
                headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
                headers |= odd.more
                early = odd.breaks > 0
                odd.breaks -= early
                self.answer(206 if start else 200, body[start:], early, **headers)

            def answer(self, status: int, body: bytes, early: bool = False, **headers: str) -> None:
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                if odd.waits and status == 200 and len(body) == len(BODY):
                    odd.waits.wait()
                if not early:
                    self.wfile.write(body[len(body) // 2 :])
                self.close_connection = early

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def etag_of(self, key: str) -> str:
        return self.etags.get(key) or hashlib.md5(self.files[key]).hexdigest()

    def listing(self, start: int) -> bytes:
        """The page that begins at a file of this number."""
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{len(body)}</Size>"
            f'<ETag>"{self.etag or self.etag_of(key)}"</ETag></Contents>'
            for key, body in list(self.files.items())[start : start + PAGE]
        )
        more = str(start + PAGE < len(self.files)).lower()
        rest = f"<IsTruncated>{more}</IsTruncated><NextContinuationToken>{start + PAGE}</NextContinuationToken>"
        return f"<ListBucketResult>{entries}{rest}</ListBucketResult>".encode()


@pytest.fixture
def odd(place: Place) -> Iterator[Odd]:
    place.credentials.parent.mkdir()
    place.credentials.write_text("[dataset]\naws_access_key_id = a\naws_secret_access_key = b\naws_session_token = c\n")
    one = Odd()
    yield one
    one.server.shutdown()
    one.server.server_close()


def command(place: Place, url: str) -> list[str]:
    words = ["--host", url, "--bucket", "agri", "--dataset", "1", "--mount", str(place.mount)]
    return ["python", str(COMMON / "sync_s3.py"), *words]


def sync(place: Place, url: str) -> subprocess.CompletedProcess[str]:
    return place.run(command(place, url))


def sizes(own: Path) -> list[int]:
    """Of the parts of files that are coming."""
    return [path.stat().st_size for path in own.glob("*.object") if path.exists()]


def test_a_file_whose_connection_breaks_goes_on_where_it_was(place: Place, odd: Odd) -> None:
    odd.files["datasets/1/a.tif"] = BODY
    odd.breaks = 2
    assert sync(place, odd.url).returncode == 0
    half = len(BODY) // 2
    assert odd.asked == [None, f"bytes={half}-", f"bytes={half + (len(BODY) - half) // 2}-"]
    assert (place.data("1") / "a.tif").read_bytes() == BODY


def test_a_server_that_gives_whole_files_alone(place: Place, odd: Odd) -> None:
    odd.files["datasets/1/a.tif"] = BODY
    odd.breaks, odd.ranges = 1, False
    assert sync(place, odd.url).returncode == 0
    assert (place.data("1") / "a.tif").read_bytes() == BODY


def test_a_connection_that_breaks_each_time_ends_it_and_the_next_start_goes_on(place: Place, odd: Odd) -> None:
    odd.files["datasets/1/a.tif"] = BODY
    odd.breaks = 100
    done = sync(place, odd.url)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: S3 server {odd.url} ")
    assert done.stderr.count("\n") == 1
    assert not (place.data("1") / "a.tif").exists()
    odd.breaks = 0
    assert sync(place, odd.url).returncode == 0
    assert int(str(odd.asked[-1]).removeprefix("bytes=").rstrip("-")) > len(BODY) * 0.9
    assert (place.data("1") / "a.tif").read_bytes() == BODY


def test_a_killed_start_leaves_whole_files_alone_and_the_next_goes_on(place: Place, odd: Odd) -> None:
    odd.files = {"datasets/1/a.tif": BODY, "datasets/1/b.jpg": b"small"}
    odd.waits = threading.Event()
    own, chunks = place.data("1").parent / ".1.sync", 2 << 20
    with subprocess.Popen(command(place, odd.url), env=place.environment()) as process:
        until = time.monotonic() + 60
        while sizes(own) != [chunks] or not (place.data("1") / "b.jpg").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        process.kill()
    odd.waits.set()
    assert [path.name for path in place.data("1").iterdir()] == ["b.jpg"]
    assert sync(place, odd.url).returncode == 0
    assert odd.asked[2:] == [f"bytes={chunks}-"]
    assert (place.data("1") / "a.tif").read_bytes() == BODY
    assert sizes(own) == []


def test_many_files_over_several_pages(place: Place, odd: Odd) -> None:
    odd.files = {f"datasets/1/{number}.jpg": b"%d" % number for number in range(250)}
    done = sync(place, odd.url)
    assert done.stdout.startswith(f"S3: 250 files of data set 1 in {place.data('1')}: 250 fetched ")
    assert {path.name: path.read_bytes() for path in place.data("1").iterdir()} == {
        f"{number}.jpg": b"%d" % number for number in range(250)
    }


def test_names_that_lead_out_of_the_folder_are_left_out(place: Place, odd: Odd) -> None:
    names = ["../evil.jpg", "a/../../evil.jpg", "/evil.jpg", "a//b.jpg", "./c.jpg", "x" * 300]
    odd.files = {f"datasets/1/{name}": b"evil" for name in names}
    odd.files |= {"datasets/1/good.jpg": b"good", "datasets/1/..jpg": b"dots", "datasets/1/folder/": b""}
    done = sync(place, odd.url)
    assert done.returncode == 0
    assert done.stderr == (
        "note: left out, since a file cannot have such a name: 'datasets/1/../evil.jpg', "
        "'datasets/1/a/../../evil.jpg', 'datasets/1//evil.jpg', 'datasets/1/a//b.jpg', 'datasets/1/./c.jpg' "
        "and 1 more\n"
    )
    found = sorted(str(path.relative_to(place.mount)) for path in place.mount.rglob("*") if path.is_file())
    own = ["datasets/.1.sync/lock", "datasets/.1.sync/state.json"]
    assert found == [*own, "datasets/1/..jpg", "datasets/1/good.jpg"]


def test_a_name_that_is_a_file_and_a_folder(place: Place, odd: Odd) -> None:
    odd.files = {"datasets/1/a": b"file", "datasets/1/a/b": b"in a folder"}
    done = sync(place, odd.url)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {place.data('1')}/a cannot be written (")
    assert done.stderr.count("\n") == 1


def test_a_file_that_changes_meanwhile(place: Place, odd: Odd) -> None:
    odd.files["datasets/1/a.tif"] = BODY
    odd.etag = "0" * 32
    done = sync(place, odd.url)
    assert done.stderr == "Error: a file of bucket 'agri' changed while it was fetched; start the container again\n"
    assert list(place.data("1").iterdir()) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ExpiredToken", "the credentials for {host} have expired; start the training anew from the platform"),
        (
            "InvalidAccessKeyId",
            "{host} does not know these credentials (InvalidAccessKeyId); start the training anew from the platform",
        ),
        ("NoSuchBucket", "bucket 'agri' is not on {host}; check S3_BUCKET_NAME"),
        (
            "AccessDenied",
            "{host} does not let these credentials read bucket 'agri'; check S3_BUCKET_NAME and the rights of the user",
        ),
        ("Odd", "{host} refused to give bucket 'agri' (Odd: so it is)"),
    ],
)
def test_a_refusal_is_one_sentence(place: Place, odd: Odd, code: str, said: str) -> None:
    odd.refuses = code
    done = sync(place, odd.url)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Error: {said.format(host=odd.url)}\n"


def test_without_the_profile(place: Place, odd: Odd) -> None:
    place.credentials.unlink()
    said = "Error: ~/.aws/credentials has no profile 'dataset'; run mount-s3.sh, which writes it\n"
    assert sync(place, odd.url).stderr == said


def test_no_server(place: Place, odd: Odd) -> None:
    del odd
    done = sync(place, "http://127.0.0.1:9")
    assert done.stderr.startswith("Error: S3 server http://127.0.0.1:9 does not answer (")
    assert done.stderr.endswith("); check S3_HOST and the network\n")
    done = sync(place, "http://no host")
    assert done.stderr.startswith("Error: S3 server http://no host cannot be asked (")
