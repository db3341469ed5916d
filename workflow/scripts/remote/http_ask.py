"""One request for a part of a file, and an answer that was checked before its bytes are taken."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from workflow.scripts.remote.http_digest import promised
from workflow.scripts.remote.http_words import (
    AgainError,
    ChangedError,
    RefusedError,
    is_page,
    shown,
    status_words,
    title_of,
    untrusted,
    why,
)

PIECE = 1 << 18
HEAD = 1 << 16  # bytes of a page in which its title is looked for
AGENT = "slipway"
LATER = (408, 425, 429, 500, 502, 503, 504)
BUSY = (429, 503)
PAGES = (".html", ".htm", ".xhtml")
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
EMPTY = "bytes */0"
REFUSALS = {
    401: "asks who you are (401); put a name and a password for its host into ~/.netrc",
    403: "is not given to you (403); see whether it asks for something first, or has moved",
    404: "is not there (404)",
    410: "is not there any more (410)",
}


@dataclass
class Answer:
    """Bytes of a file from `start` on. `total` is None where the server does not tell how many the file has."""

    start: int
    total: int | None
    whole: bool  # the server gave the file from its beginning, whatever was asked
    validator: str
    promised: dict[str, str]
    raw: Any
    url: str
    head: bytes = field(default=b"", repr=False)

    def pieces(self) -> Iterator[bytes]:
        if self.head:
            yield self.head
        while piece := _read(self.raw, self.url):
            yield piece

    def stop(self) -> None:
        """Wake whoever waits for its bytes."""
        with suppress(ValueError, RuntimeError, OSError):
            self.raw.shutdown()

    def close(self) -> None:
        self.raw.close()


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target and urlsplit(resp.url).scheme == "https" and target.lower().startswith("http:"):
            raise RefusedError(f"{shown(resp.url)} leads away from https to {shown(target)}")
        return target


class Client:
    """One connection at a time to one address. Redirects are followed anew each time, since their targets expire."""

    def __init__(self, url: str, file: str, connect: float, read: float) -> None:
        self.url, self.file, self.timeout = url, file, (connect, read)
        self.session = _Session()
        self.session.headers.update({"Accept-Encoding": "identity", "Accept": "*/*", "User-Agent": AGENT})

    def ask(self, start: int, end: int | None, validator: str = "") -> Answer:
        """Bytes `start` to `end` (excluded; None: to the last), if the file is still that of the validator."""
        headers: dict[str, str] = {}
        if start or end is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
            headers |= {"If-Range": validator} if validator else {}
        try:
            response = self.session.get(self.url, headers=headers, stream=True, timeout=self.timeout)
        except requests.TooManyRedirects:
            raise RefusedError(f"{shown(self.url)} leads in a circle") from None
        except (requests.exceptions.InvalidSchema, requests.exceptions.InvalidURL):
            raise RefusedError(f"{shown(self.url)} leads to an address that is none") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            if untrusted(error):
                raise RefusedError(f"{shown(self.url)}: {why(error)}; see REQUESTS_CA_BUNDLE and the clock") from None
            raise AgainError(f"{shown(self.url)}: {why(error)}") from None
        try:
            return self._checked(response, start, end)
        except BaseException:
            response.close()
            raise

    def _checked(self, response: requests.Response, start: int, end: int | None) -> Answer:
        status, name = response.status_code, shown(self.url)
        if status == 416 and not start and response.headers.get("Content-Range") == EMPTY:
            return self._answer(response, 0, 0, False)
        if status == 416 and not start and end is not None:  # it does not take ranges at all
            response.close()
            return self.ask(0, None)
        if status in (412, 416):
            raise ChangedError(f"{name} changed while it was fetched")
        if status in LATER:
            after = seconds(response.headers.get("Retry-After", ""))
            raise AgainError(f"{name} answers {status_words(status)}", after, busy=status in BUSY)
        if status not in (200, 206):
            raise RefusedError(f"{name} {REFUSALS.get(status, f'answers {status_words(status)}')}")
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity") and PurePath(self.file).suffix not in (".gz", ".tgz"):
            raise RefusedError(f"{name} is sent in another form ({encoding}), which was not asked for")
        if status == 200:
            length = response.headers.get("Content-Length", "")
            return self._answer(response, 0, int(length) if length.isdecimal() else None, True)
        told = RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if told is None or told[3] == "*":
            raise AgainError(f"{name} does not tell which bytes it sends")
        if int(told[1]) != start:
            raise AgainError(f"{name} sends other bytes than it was asked for")
        return self._answer(response, start, int(told[3]), False)

    def _answer(self, response: requests.Response, start: int, total: int | None, whole: bool) -> Answer:
        known = promised(response.headers, whole)
        answer = Answer(start, total, whole, validator(response), known, response.raw, shown(self.url))
        typed = "html" in response.headers.get("Content-Type", "").lower()
        if PurePath(self.file).suffix.lower() not in PAGES and (typed or not start):
            while len(answer.head) < (HEAD if typed else 1) and (piece := _read(answer.raw, answer.url)):
                answer.head += piece
            if is_page(answer.head):
                raise RefusedError(
                    f"{shown(self.url)} gave a web page ('{title_of(answer.head)}') instead of {self.file}"
                )
        return answer


def _read(raw: Any, url: str) -> bytes:
    """What has come, without waiting for more."""
    try:
        return bytes(raw.read1(PIECE, decode_content=False) or b"")
    except (urllib3.exceptions.HTTPError, OSError, ValueError, AttributeError) as error:  # also one that was stopped
        raise AgainError(f"{url}: {why(error)}") from None


def validator(response: requests.Response) -> str:
    """What tells one version of the file from another: a strong ETag, else when it last changed, else nothing."""
    etag = response.headers.get("ETag", "").strip()
    return etag if etag.startswith('"') else response.headers.get("Last-Modified", "").strip()


def seconds(text: str) -> float:
    """Retry-After, which is a number of seconds or a date."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
