"""Temporary credentials from an S3 server for the platform's web identity token (AssumeRoleWithWebIdentity)."""

from __future__ import annotations

import os
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from containers.agrigaia.common.s3_credentials import FIELDS, parsed
from containers.kit.errors import WORDS, UserError, one_line
from workflow.scripts.agrigaia.remote import KEY

VARIABLE, ROLE = "OID_ACCESS_TOKEN", "S3_ROLE_ARN"
LIVES = (43_200, None)  # seconds; not every server gives half a day, and then it is what it gives unasked
LIMIT = 1 << 20  # bytes of an answer
SECONDS = 60


def assume(host: str, token: str) -> dict[str, str]:
    """The three values that sign requests, by the names that boto3 has for them; they are kept nowhere."""
    said = ""
    for life in LIVES:
        found = parsed(_answer(host, token, life))
        if all(found.get(name) for name in FIELDS):
            return {key: found[name] for name, key in FIELDS.items()}
        said = ": ".join(found[name] for name in ("Code", "Message") if found.get(name))
        if "duration" not in said.lower():
            break
    told = said.replace(token, "(the token)")[:WORDS] or "no answer of a token service"
    raise UserError(f"{host} gave no credentials for {VARIABLE} ({told}); take a new token from the platform")


def _answer(host: str, token: str, life: int | None) -> bytes:
    words = {"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "RoleSessionName": "dataset"}
    words |= {"WebIdentityToken": token}
    if life is not None:
        words["DurationSeconds"] = str(life)
    if os.environ.get(ROLE):
        words["RoleArn"] = os.environ[ROLE]
    try:
        with urlopen(Request(f"{host}/", urlencode(words).encode()), timeout=SECONDS) as stream:
            return bytes(stream.read(LIMIT))
    except HTTPError as error:  # which has an answer, too
        with error:
            return error.read(LIMIT)
    except (OSError, HTTPException) as error:
        told = one_line(error).replace(token, "(the token)")
        raise UserError(f"{host} does not answer ({told}); check {KEY}.host and the network") from None
