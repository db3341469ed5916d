"""Kaggle's own program: whether it can be run, with which credentials, and what of its words nobody may see."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from containers.kit.errors import UserError

PROGRAM = "kaggle"
HIDDEN = "***"
SIGNED = re.compile(r"(/[^\s?]*\?)\S+")  # what follows may let anybody fetch the file
NAMES, KEYS = ("username",), ("key", "access_token", "refresh_token")  # of its files


@dataclass(frozen=True)
class Secrets:
    """`names` are hidden where they are words of their own, as a name may be a part of any word."""

    keys: frozenset[str]
    names: frozenset[str]

    def hide(self, text: str) -> str:
        for key in sorted(self.keys, key=len, reverse=True):
            text = text.replace(key, HIDDEN)
        for name in self.names:
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", HIDDEN, text)
        return SIGNED.sub(rf"\1{HIDDEN}", text)


def find(environ: Mapping[str, str] = os.environ) -> str:
    """The program's path. Without credentials it would only explain how to get some, so that is an error here."""
    path = shutil.which(PROGRAM, path=environ.get("PATH"))
    if path is None:
        raise UserError(f"{PROGRAM} is not on PATH; run ./slipway setup, which installs it, and then this again")
    if environ.get("KAGGLE_API_TOKEN") or any(_tokens(environ)):
        return path
    merged = {"username": environ.get("KAGGLE_USERNAME"), "key": environ.get("KAGGLE_KEY")}
    told = _files(environ)[:1]
    if told and not all(merged.values()):
        content = _content(told[0])
        if content is None:
            raise UserError(
                f"{told[0]} is no JSON with a username and a key; fetch it anew from the account's settings"
            )
        merged = {name: value or content.get(name) for name, value in merged.items()}
    absent = [name for name, value in merged.items() if not value]
    if absent:
        where = str(told[0]) if told else "no kaggle.json in KAGGLE_CONFIG_DIR or ~/.kaggle"
        raise UserError(
            f"Kaggle's {' and '.join(absent)} cannot be found ({where}); set KAGGLE_USERNAME and KAGGLE_KEY, or put "
            "kaggle.json from the account's settings there"
        )
    return path


def secrets(environ: Mapping[str, str] = os.environ) -> Secrets:
    """All that may be a credential, wherever it comes from, and in the forms in which a message may quote it."""
    contents = [_content(file) or {} for file in (*_files(environ), _logged_in(environ))]
    names = {environ.get("KAGGLE_USERNAME"), *(content.get(name) for content in contents for name in NAMES)}
    keys = {environ.get("KAGGLE_KEY"), environ.get("KAGGLE_API_TOKEN"), *_tokens(environ)}
    keys |= {content.get(name) for content in contents for name in KEYS}
    whole = {word.strip() for word in names if isinstance(word, str) and word.strip()}
    found = {word.strip() for word in keys if isinstance(word, str) and word.strip()}
    pairs = {base64.b64encode(f"{name}:{key}".encode()).decode() for name in whole for key in found}
    quoted = {form for key in found for form in (quote(key, safe=""), quote(key), json.dumps(key)[1:-1])}
    return Secrets(frozenset(found | pairs | quoted), frozenset(whole))


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or "~").expanduser()


def _files(environ: Mapping[str, str]) -> list[Path]:
    """The files that there are, in the order in which Kaggle's program looks for them."""
    told, home = environ.get("KAGGLE_CONFIG_DIR"), _home(environ)
    folders = [Path(told)] if told else [home / ".kaggle", home / ".config" / "kaggle"]
    return [folder / "kaggle.json" for folder in folders if (folder / "kaggle.json").is_file()]


def _tokens(environ: Mapping[str, str]) -> Iterator[str]:
    """Of the new kind: from its file, from the one that a variable names, and from `kaggle auth login`."""
    folder, told = _home(environ) / ".kaggle", environ.get("KAGGLE_API_TOKEN")
    for file in (folder / "access_token", folder / "access_token.txt", *([Path(told)] if told else [])):
        try:
            yield from file.read_text(encoding="utf-8").split()[:1]
        except (OSError, ValueError):  # it is the token itself, which may be no path at all
            continue
    token = (_content(_logged_in(environ)) or {}).get("refresh_token")
    if isinstance(token, str) and token:
        yield token


def _logged_in(environ: Mapping[str, str]) -> Path:
    return _home(environ) / ".kaggle" / "credentials.json"


def _content(file: Path) -> dict[str, Any] | None:
    """Nothing of a broken file is told: it may be the key alone."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
