"""Keep the temporary credentials that an S3 server answers with in a profile of ~/.aws/credentials.

    printf %s "$answer" | python s3_credentials.py keep --host http://minio:9000 --file ~/.aws/credentials
    python s3_credentials.py kept --host http://minio:9000 --file ~/.aws/credentials

`keep` reads the answer to AssumeRoleWithWebIdentity (XML) and replaces the profile; all else in the file stays. `kept`
tells whether the profile is there for this server and good for some minutes. Both print until when it is good.
Exit: 0 it is kept, 4 the answer has no credentials (what it says instead is printed), 5 it has only a part of them.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

PROFILE = "dataset"
NO_CREDENTIALS, INCOMPLETE = 4, 5
FIELDS = {
    "AccessKeyId": "aws_access_key_id",
    "SecretAccessKey": "aws_secret_access_key",
    "SessionToken": "aws_session_token",
}
EXPIRES, HOST = "x_security_token_expires", "x_s3_host"  # s3fs and boto3 pass over these
LEAST = timedelta(minutes=5)
HEADER = re.compile(r"\s*\[\s*(.*?)\s*\]")
WORDS = 300  # characters of what the server says


def parsed(answer: bytes) -> dict[str, str]:
    """The text of each element, by its name without a namespace; nothing where this is no XML, or XML with a DTD."""
    try:
        tree = ElementTree.fromstring(answer, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError):
        return {}
    return {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in tree.iter()}


def keep(answer: bytes, host: str, file: Path) -> int:
    found = parsed(answer)
    bad = [name for name in FIELDS if not found.get(name) or len(found[name].split()) > 1 or not found[name].isascii()]
    if not any(found.get(name) for name in FIELDS):
        said = ": ".join(found[name] for name in ("Code", "Message") if found.get(name))
        print(_line(said) or "no answer of a token service")
        return NO_CREDENTIALS
    if bad:
        print(", ".join(bad))
        return INCOMPLETE
    values = {key: found[name] for name, key in FIELDS.items()}
    values |= {HOST: host, EXPIRES: _line(found.get("Expiration", ""))}
    _, others = _split(file)
    text = "\n".join([*others, f"[{PROFILE}]", *(f"{key} = {value}" for key, value in values.items()), ""])
    _write(text, file)
    print(values[EXPIRES] or "a time that the server did not tell")
    return 0


def kept(host: str, file: Path) -> int:
    profile, _ = _split(file)
    values = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in profile)}
    expires = values.get(EXPIRES, "")
    try:
        left = datetime.fromisoformat(expires.replace("Z", "+00:00")) - datetime.now(timezone.utc)  # noqa: UP017 (3.10)
    except (ValueError, TypeError):  # no time, or one without a zone
        return NO_CREDENTIALS
    if values.get(HOST) != host or left < LEAST:
        return NO_CREDENTIALS
    print(expires)
    return 0


def _line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text)[:WORDS]


def _split(file: Path) -> tuple[list[str], list[str]]:
    """The lines of the profile, and all others."""
    ours: list[str] = []
    others: list[str] = []
    inside = False
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        header = HEADER.match(line)
        inside = header[1] == PROFILE if header else inside
        (ours if inside else others).append(line)
    return ours, others


def _write(text: str, file: Path) -> None:
    """Whole or not at all, and for its owner alone from the first byte on."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".credentials.", dir=file.parent)  # mode 0600
    partial = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("keep", "kept"))
    parser.add_argument("--host", required=True, help="the S3 server that the credentials are for")
    parser.add_argument("--file", required=True, type=Path, help="the credentials file")
    options = parser.parse_args(argv)
    try:
        if options.what == "kept":
            return kept(options.host, options.file)
        return keep(sys.stdin.buffer.read(), options.host, options.file)
    except (OSError, ValueError) as error:
        raise SystemExit(f"Error: {options.file} is not usable for credentials ({error}); check whose it is") from None


if __name__ == "__main__":
    sys.exit(main())
