"""Kaggle's own program: send a file to a competition, and download what a competition gives."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from pathlib import Path

from containers.kit.errors import UserError
from workflow.scripts.slipway import kaggle_words as words
from workflow.scripts.slipway.kaggle_access import PROGRAM, Secrets
from workflow.scripts.slipway.kaggle_run import run
from workflow.scripts.slipway.signals import raised

SECONDS = 900.0  # for a file of a few megabytes
SUCCESS = re.compile(r"successfully submitted", re.IGNORECASE)  # the exit status is 0 after some failures, too
MARKER = ".kaggle-partial"  # what its program keeps beside a file until that is whole


class UnclearError(UserError):
    """Kaggle may have the file, or not."""


def command(competition: str, path: Path, message: str) -> list[str]:
    return [PROGRAM, "competitions", "submit", "-c", competition, "-f", str(path), "-m", message]


def submit(program: str, competition: str, path: Path, message: str, hidden: Secrets) -> str:
    """Send a file and give Kaggle's words; a UserError says why it was refused."""
    call = [program, *command(competition, path, message)[1:]]
    look = f"look at the list of submissions on Kaggle before {path.name} is sent again"
    try:
        done = subprocess.run(
            call,
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
    text = words.joined(re.split(r"[\r\n]+", done.stdout))
    said = words.shown(text, hidden)
    if done.returncode == 0 and SUCCESS.search(text):
        return said
    error_ = words.known(words.SENT, text, competition=competition, said=said)
    if error_:
        raise error_
    if done.returncode == 0:
        raise UnclearError(f"{PROGRAM} did not say that the file was submitted, but: {said or 'nothing'}; {look}")
    raise UserError(
        f"{PROGRAM} ended with {done.returncode} and said: {said or 'nothing'}; put that right and {words.SENT_AGAIN}"
    )


def download(program: str, competition: str, folder: Path, page: str, hidden: Secrets) -> None:
    """All files of a competition as `folder`, which is there whole or not at all.

    Nothing is done where it is there. What an interrupted download left lies beside it, and Kaggle's program goes on
    with that. `page` is where the competition's rules are accepted.
    """
    folder = folder.absolute()
    if folder.is_dir():
        return
    work = folder.with_name(f".{folder.name}.downloading")
    try:
        work.mkdir(parents=True, exist_ok=True)
        with raised():
            status, text = run([program, "competitions", "download", "-c", competition, "-p", str(work)], hidden)
        said = words.shown(text, hidden) or "nothing"
        facts = {"competition": competition, "page": page, "folder": folder.parent, "said": said}
        if status:
            raise words.known(words.FETCHED, text, **facts) or UserError(
                f"{PROGRAM} ended with {status} and said: {said}; put that right, and {words.FETCHED_AGAIN}"
            )
        _verify(work, competition, said)
        work.rename(folder)
    except KeyboardInterrupt:
        raise UserError(f"the download from Kaggle was stopped before its end; {words.FETCHED_AGAIN}") from None
    except OSError as error:
        place = error.filename2 or error.filename or work
        raise UserError(f"{place} cannot be used ({error.strerror}); make room, or see whose it is") from None


def _verify(work: Path, competition: str, said: str) -> None:
    """Something came, and what is a zip is whole; its program ends well after a Ctrl-C, too."""
    files = sorted(path for path in work.iterdir() if path.is_file())
    if not files or any(path.name.endswith(MARKER) for path in files):
        raise UserError(
            f"Kaggle's program ended before {competition} was there (it says: {said}); {words.FETCHED_AGAIN}"
        )
    for path in files:
        if path.suffix == ".zip" and not _whole(path):
            shutil.rmtree(work)
            raise UserError(f"{path.name}, as Kaggle gave it, is no whole zip; run it again, which fetches it anew")


def _whole(path: Path) -> bool:
    """The directory is there, and what it names lies before it; all bytes are looked at when it is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            ends = [entry.header_offset + entry.compress_size for entry in entries]
            return bool(entries) and 0 <= max(ends) <= archive.start_dir
    except (zipfile.BadZipFile, NotImplementedError):
        return False
