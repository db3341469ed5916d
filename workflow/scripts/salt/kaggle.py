"""Kaggle's own program: whether it can be run, what of its words nobody may see, and what its complaints mean."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from containers.kit.errors import WORDS, UserError

PROGRAM = "kaggle"
SECONDS = 900.0  # for a file of a few megabytes
HIDDEN = "***"
SUCCESS = re.compile(r"successfully submitted", re.IGNORECASE)  # the exit status is 0 after some failures, too
PROGRESS = re.compile(r"\d%\|.*|.*\d[kMG]?B?/s\]?")
AGAIN = "run the same command again, which leaves out what was sent"
MEANINGS = (
    (
        r"\b429\b|too many requests|daily submission|submission allowance|submission limit",
        "Kaggle takes no more files today (it says: {said}); tomorrow (UTC) " + AGAIN,
    ),
    (
        r"accept\b.*\brules|\b403\s*(-|client error|forbidden)|\bforbidden\b",
        "Kaggle takes no file of this user for {competition}; accept the rules on the competition's rules page on "
        "Kaggle, if it still takes entries, and " + AGAIN,
    ),
    (
        r"\b401\s*(-|client error|unauthorized)|\bunauthorized\b|unauthenticated",
        "Kaggle does not know these credentials; make a new key in the settings of the account on Kaggle, and " + AGAIN,
    ),
    (
        r"could not find competition|\b404\s*(-|client error|not found)",
        "Kaggle knows no competition {competition} that takes files; see that --competition is right",
    ),
    (
        r"name resolution|name or service not known|max retries|connection ?(error|refused|reset|aborted)|"
        r"failed to establish|timed? ?out|network is unreachable|could not submit to competition",
        "Kaggle cannot be reached (the program says: {said}); see that this machine has a network, and " + AGAIN,
    ),
)


class UnclearError(UserError):
    """Kaggle may have the file, or not."""


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
        return text


def find(environ: Mapping[str, str] = os.environ) -> str:
    """The program's path. Without credentials it would only explain how to get some, so that is an error here."""
    path = shutil.which(PROGRAM, path=environ.get("PATH"))
    if path is None:
        raise UserError(f"{PROGRAM} is not on PATH; install Kaggle's command line program, and run this again")
    if environ.get("KAGGLE_API_TOKEN"):
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
    contents = [_content(file) or {} for file in _files(environ)]
    names = {environ.get("KAGGLE_USERNAME"), *(content.get("username") for content in contents)}
    keys = {environ.get("KAGGLE_KEY"), environ.get("KAGGLE_API_TOKEN"), *(content.get("key") for content in contents)}
    whole = {word.strip() for word in names if isinstance(word, str) and word.strip()}
    found = {word.strip() for word in keys if isinstance(word, str) and word.strip()}
    pairs = {base64.b64encode(f"{name}:{key}".encode()).decode() for name in whole for key in found}
    quoted = {form for key in found for form in (quote(key, safe=""), quote(key), json.dumps(key)[1:-1])}
    return Secrets(frozenset(found | pairs | quoted), frozenset(whole))


def command(competition: str, path: Path, message: str) -> list[str]:
    return [PROGRAM, "competitions", "submit", "-c", competition, "-f", str(path), "-m", message]


def submit(program: str, competition: str, path: Path, message: str, hidden: Secrets) -> str:
    """Send a file and give Kaggle's words; a UserError says why it was refused."""
    words = [program, *command(competition, path, message)[1:]]
    look = f"look at the list of submissions on Kaggle before {path.name} is sent again"
    try:
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnclearError(f"{PROGRAM} did not end in {SECONDS / 60:.0f} minutes; {look}") from None
    except OSError as error:
        raise UserError(f"{program} cannot be run ({error.strerror}); install it again") from None
    lines = [line.strip() for line in re.split(r"[\r\n]+", done.stdout)]
    text = " ".join(line for line in lines if line and not PROGRESS.fullmatch(line))
    said = hidden.hide(text)[-WORDS:]  # cut behind the hiding: a half of a key is no word to look for
    if done.returncode == 0 and SUCCESS.search(text):
        return said
    for pattern, meaning in MEANINGS:
        if re.search(pattern, text, re.IGNORECASE):
            raise UserError(meaning.format(competition=competition, said=said))
    if done.returncode == 0:
        raise UnclearError(f"{PROGRAM} did not say that the file was submitted, but: {said or 'nothing'}; {look}")
    raise UserError(f"{PROGRAM} ended with {done.returncode} and said: {said or 'nothing'}; put that right and {AGAIN}")


def _files(environ: Mapping[str, str]) -> list[Path]:
    """The files that there are, in the order in which Kaggle's program looks for them."""
    told = environ.get("KAGGLE_CONFIG_DIR")
    home = Path(environ.get("HOME") or "~").expanduser()
    folders = [Path(told)] if told else [home / ".kaggle", home / ".config" / "kaggle"]
    return [folder / "kaggle.json" for folder in folders if (folder / "kaggle.json").is_file()]


def _content(file: Path) -> dict[str, Any] | None:
    """Nothing of a broken file is told: it may be the key alone."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None
