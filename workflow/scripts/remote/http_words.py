"""What can go wrong with a web server, as exceptions, and the words for it.

No text of another library goes into these words: it may quote an address with its signature, or a proxy's password.
"""

from __future__ import annotations

import html
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

TITLE = re.compile(rb"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
PAGE = re.compile(rb"\s*(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)?<(!doctype\s+html|html|head)\b", re.IGNORECASE | re.DOTALL)
CHARACTERS = 80  # of a page's title


class RefusedError(Exception):
    """This address does not give the file; another one may."""


class AgainError(Exception):
    """It may go well later: after so many seconds at least where the server says so."""

    def __init__(self, reason: str, after: float = 0.0, busy: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.busy = busy  # the server as a whole, and not one connection


class ChangedError(Exception):
    """What came so far does not belong to what would come now."""


class LostError(Exception):
    """A server that gives no parts broke off, so that what came is of no use."""


def tell(words: str) -> None:
    """A line for people; on a terminal it takes the line of the progress bar, which is drawn again below."""
    clear = "\r\x1b[K" if sys.stderr.isatty() else ""
    print(f"{clear}{words}", file=sys.stderr, flush=True)


def shown(address: str) -> str:
    """An address without what may be secret in it."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def status_words(status: int) -> str:
    try:
        return f"{status} ({HTTPStatus(status).phrase})"
    except ValueError:
        return str(status)


def is_page(head: bytes) -> bool:
    return PAGE.match(head) is not None


def title_of(head: bytes) -> str:
    found = TITLE.search(head)
    words = html.unescape(found[1].decode("utf-8", "replace")) if found else ""
    clean = "".join(one for one in " ".join(words.split()) if one.isprintable())  # nothing that a terminal obeys
    return clean[:CHARACTERS] or "without a title"


def why(error: BaseException) -> str:
    """Why a connection came to nothing."""
    chain = list(_chain(error))
    for one in chain:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its certificate is not to be trusted ({one.verify_message})"
    for one in chain:
        if isinstance(one, requests.exceptions.ProxyError):
            return "the proxy of HTTP_PROXY or HTTPS_PROXY does not let through to it"
        if isinstance(one, socket.gaierror):
            return "its name is not known"
        if isinstance(one, requests.ReadTimeout | urllib3.exceptions.ReadTimeoutError):
            return "it says nothing any more"
        if isinstance(one, requests.ConnectTimeout):
            return "it does not answer"
    for one in chain:
        if isinstance(one, OSError) and one.strerror:
            return one.strerror[0].lower() + one.strerror[1:]
    return "the connection broke"


def untrusted(error: BaseException) -> bool:
    return any(isinstance(one, ssl.SSLCertVerificationError) for one in _chain(error))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those behind it: the libraries keep them as causes, as reasons and among their arguments."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        behind = [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
        waiting.extend(other for other in behind if isinstance(other, BaseException))
