"""What mount-s3.sh asks, and odd answers that no real server of the tests gives: these come from one of our own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.agrigaia_s3.conftest import COMMON, Place

TOKEN = "eyJ0.a+b/c=&d e.f"
CREDENTIALS = "<AccessKeyId>AK</AccessKeyId><SecretAccessKey>S%;#=+/K</SecretAccessKey><SessionToken>ST</SessionToken>"
NAMESPACE = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"'


def answer(inside: str) -> str:
    return f"<?xml version='1.0'?><A {NAMESPACE}><R><Credentials>{inside}</Credentials></R></A>"


class Fake:
    """Answers with `text`, or with what a function of the form makes; keeps the forms and all processes' words."""

    def __init__(self) -> None:
        self.text: Any = ""
        self.forms: list[dict[str, list[str]]] = []
        self.commands = ""
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                fake.forms.append(form)
                fake.commands += running_commands()
                body = (fake.text(form) if callable(fake.text) else fake.text).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()


def running_commands() -> str:
    texts = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                texts.append((entry / "cmdline").read_text(errors="replace"))
            except OSError:
                continue
    return "\n".join(texts)


@pytest.fixture
def fake() -> Iterator[Fake]:
    one = Fake()
    yield one
    one.server.shutdown()
    one.server.server_close()


@pytest.mark.parametrize("given", ["-", TOKEN])
def test_the_token_is_on_no_command_line_that_others_see(place: Place, fake: Fake, given: str) -> None:
    fake.text = answer("")
    words = ["bash", str(COMMON / "mount-s3.sh"), "-t", given, "-s", fake.url, "-b", "agri", "-m", str(place.mount)]
    done = place.run(words, TOKEN if given == "-" else "")
    assert done.returncode == 4
    assert fake.forms[0]["WebIdentityToken"] == [TOKEN]
    assert fake.url in fake.commands  # the script and its curl were seen
    assert TOKEN not in fake.commands
    assert TOKEN not in done.stdout + done.stderr


def test_what_is_asked(place: Place, fake: Fake) -> None:
    fake.text = answer("")
    place.bring(fake.url, TOKEN, S3_ROLE_ARN="arn:a&b")
    assert fake.forms == [
        {
            "Action": ["AssumeRoleWithWebIdentity"],
            "Version": ["2011-06-15"],
            "DurationSeconds": ["604800"],
            "WebIdentityToken": [TOKEN],
            "RoleSessionName": ["dataset"],
            "RoleArn": ["arn:a&b"],
        }
    ]


def test_a_server_that_wants_no_length_told(place: Place, fake: Fake) -> None:
    refused = "<E><Code>ValidationError</Code><Message>The requested DurationSeconds exceeds it</Message></E>"
    fake.text = lambda form: refused if "DurationSeconds" in form else answer(CREDENTIALS)
    done = place.bring(fake.url, TOKEN)
    assert [form.get("DurationSeconds") for form in fake.forms] == [["604800"], ["43200"], None]
    assert "are good until a time that the server did not tell\n" in done.stderr
    lines = place.credentials.read_text().splitlines()
    assert lines[:4] == [
        "[dataset]",
        "aws_access_key_id = AK",
        "aws_secret_access_key = S%;#=+/K",
        "aws_session_token = ST",
    ]


@pytest.mark.parametrize(
    ("inside", "missing"),
    [
        ("<AccessKeyId>AK</AccessKeyId>", "SecretAccessKey, SessionToken"),
        (CREDENTIALS.replace("ST", ""), "SessionToken"),
        (CREDENTIALS.replace("AK", "AK&#10;[default]"), "AccessKeyId"),
    ],
)
def test_incomplete_credentials(place: Place, fake: Fake, inside: str, missing: str) -> None:
    fake.text = answer(inside)
    done = place.bring(fake.url, TOKEN)
    assert done.returncode == 5
    assert done.stderr == f"Error: incomplete S3 credentials from '{fake.url}', which lack: {missing}.\n"
    assert not place.credentials.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no answer of a token service"),
        ("<html>502 <b>bad gateway", "no answer of a token service"),
        (answer(CREDENTIALS).replace("<A ", '<!DOCTYPE A [<!ENTITY e "x">]><A '), "no answer of a token service"),
        (
            f"<E><Code>Bad</Code><Message>{TOKEN.replace('&', '&amp;')}\x7f is bad</Message></E>",
            "Bad: (the token)  is bad",
        ),
    ],
)
def test_no_credentials(place: Place, fake: Fake, text: str, said: str) -> None:
    fake.text = text
    done = place.bring(fake.url, TOKEN)
    assert done.returncode == 4
    assert done.stderr == (
        f"Error: S3 server '{fake.url}' did not return S3 credentials for given OIDC access token. It said: {said}\n"
    )
    assert not place.credentials.exists()
