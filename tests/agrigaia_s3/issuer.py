"""A token issuer of the tests': it signs web identity tokens (RS256) and serves its public key on loopback."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CLIENT = "agrigaia-tests"
KEY_ID = "tests"
EXPONENT = 65537
# What PKCS#1 puts before a SHA-256 digest that is signed.
DIGEST_INFO = bytes.fromhex("3031300d060960864801650304020105000420")


def _prime(bits: int) -> int:
    """A random prime (Miller-Rabin) with both top bits set, so that the product of two has twice the bits."""
    while True:
        number = secrets.randbits(bits) | 3 << (bits - 2) | 1
        if all(number % small for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)) and _probably_prime(number):
            return number


def _probably_prime(number: int) -> bool:
    twos = ((number - 1) & -(number - 1)).bit_length() - 1
    for _ in range(8):
        power = pow(secrets.randbelow(number - 3) + 2, (number - 1) >> twos, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens with a key made for this run."""

    def __init__(self) -> None:
        first, second = _prime(1024), _prime(1024)
        self.modulus = first * second
        self.secret = pow(EXPONENT, -1, (first - 1) * (second - 1))
        self.url = ""

    def token(self, policy: str = "ReadData", seconds: int = 600, **claims: Any) -> str:
        """A token that is good for some seconds and claims a policy of the server's, as those of MinIO's users do."""
        now = int(time.time())
        body = {"iss": self.url, "aud": CLIENT, "sub": "grower", "iat": now - 600, "exp": now + seconds}
        head = {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (head, {**body, "policy": policy, **claims}))
        digest = DIGEST_INFO + hashlib.sha256(signed.encode()).digest()
        padded = b"\x00\x01" + b"\xff" * (256 - 3 - len(digest)) + b"\x00" + digest
        number = pow(int.from_bytes(padded, "big"), self.secret, self.modulus)
        return f"{signed}.{_text(number.to_bytes(256, 'big'))}"

    def documents(self) -> dict[str, Any]:
        key = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": KEY_ID,
            "n": _text(self.modulus.to_bytes(256, "big")),
            "e": _text(EXPONENT.to_bytes(3, "big")),
        }
        return {
            "/jwks": {"keys": [key]},
            "/.well-known/openid-configuration": {"issuer": self.url, "jwks_uri": f"{self.url}/jwks"},
        }


@contextmanager
def serving() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = issuer.documents().get(self.path)
            body = json.dumps(document).encode()
            self.send_response(200 if document else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
