"""Send submissions to Kaggle: up to five a day, in the given order, and none of them twice.

    python -m workflow.scripts.salt.submit --manifest scratch/salt/raw/manifest.json \\
        --submission results/salt/kaggle/both.csv results/salt/kaggle/segmentation.csv \\
        --message "U-Net, 4 folds" --record results/salt/submitted.json

Without --really it checks the files, says what would be run, and does nothing.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from isal import igzip

from containers.kit.errors import UserError, listed, reports_errors
from containers.kit.files import CHUNK, read_json, sha256
from containers.salt import submission
from containers.salt.settings import A_DAY
from workflow.scripts.salt import sent
from workflow.scripts.slipway import kaggle, kaggle_access
from workflow.scripts.slipway.kaggle_access import Secrets

COMPETITION = "tgs-salt-identification-challenge"
LEVEL = 3  # isal's best
DEMO = "demo"  # the source whose images are not the challenge's
MESSAGE = "--message (challenges.salt.submit.message)"
KEYS = "set challenges.salt.source to the folder with what Kaggle gives"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True, help="what fetch wrote: the images of the test")
    parser.add_argument("--submission", type=Path, nargs="+", required=True, help="CSV files, the first one first")
    parser.add_argument("--message", required=True, help="what Kaggle's list shows beside each file")
    parser.add_argument("--competition", default=COMPETITION)
    parser.add_argument("--record", type=Path, required=True, help="JSON of what was sent")
    parser.add_argument("--really", action="store_true", help="send; else only say what would be run")
    args = parser.parse_args(argv)
    hidden = kaggle_access.secrets()
    _check_message(args.message, hidden)
    source, ids = _test(args.manifest)
    if args.really:
        _check_source(args.manifest, source, ids)
    _check_files(args.submission, ids)
    record = sent.read(args.record)
    new = _new(args.submission, args.competition, record)
    left = A_DAY - record.on(args.competition, sent.now()[:10])
    if new and left <= 0:
        raise UserError(
            f"{A_DAY} files were sent to {args.competition} today (UTC) by {args.record}, which is the limit; run the "
            "same command again tomorrow"
        )
    today, later = dict(list(new.items())[:left]), list(new.values())[left:]
    if args.really and today:
        _send(today, args.competition, args.message, record, hidden)
    if not args.really:
        for digest, path in today.items():
            print(shlex.join(kaggle.command(args.competition, _packed(record, digest, path), args.message)))
        print(f"nothing was packed or sent; {_how(source)}", file=sys.stderr)
    if later:
        names = listed([str(path) for path in later])
        print(f"left for tomorrow, as {A_DAY} files a day are the limit: {names}", file=sys.stderr)
    return 0


def _check_message(message: str, hidden: Secrets) -> None:
    if not message.strip() or message.startswith("-") or not message.isprintable():
        raise UserError(f"{MESSAGE} must be one line that does not begin with '-'; say in it what was sent")
    if any(key in message for key in hidden.keys):
        raise UserError(f"{MESSAGE} holds a credential of Kaggle's, which others would see; leave that out")


def _test(manifest: Path) -> tuple[str, frozenset[str]]:
    """Where the images come from, and which are of the test."""
    content = read_json(manifest)
    try:
        return str(content["source"]), frozenset(str(entry["id"]) for entry in content["test"])
    except (KeyError, TypeError):
        raise UserError(
            f"--manifest {manifest} is no manifest of salt's images; run the rule salt_fetch again"
        ) from None


def _check_source(manifest: Path, source: str, ids: frozenset[str]) -> None:
    if source == DEMO:
        raise UserError(f"demo data are no submission, and so nothing is sent; {KEYS}")
    if len(ids) != submission.TEST_IMAGES:
        wanted = f"the {submission.TEST_IMAGES:,} that Kaggle wants"
        raise UserError(f"{manifest} has {len(ids):,} images of the test, not {wanted}; {KEYS}")


def _how(source: str) -> str:
    """What sends, as the end of a sentence."""
    if source == DEMO:
        return f"demo data are no submission: {KEYS}"
    return "set challenges.salt.submit.really (--really) to send"


def _check_files(paths: Sequence[Path], ids: frozenset[str]) -> None:
    """All of them before the first is sent, as each costs one of the day's five."""
    for path in paths:
        reading = submission.read(path, ids)
        submission.demand(path, reading)
        for warning in reading.warnings:
            print(f"warning: {warning}", file=sys.stderr)


def _new(paths: Sequence[Path], competition: str, record: sent.Record) -> dict[str, Path]:
    """What was never sent, by digest, in the given order."""
    new: dict[str, Path] = {}
    for path in paths:
        digest = sha256(path)
        entry = record.of_file(competition, digest)
        if digest in new:
            print(f"{path} is left out: it is the same as {new[digest]}", file=sys.stderr)
        elif entry is None:
            new[digest] = path
        elif entry.state == sent.UNCLEAR:
            said = f"whether it was sent on {entry.date} is unclear; see Kaggle's list, and delete its entry to send it"
            print(f"{path} is left out: {said}", file=sys.stderr)
        else:
            print(f"{path} is left out: it was sent on {entry.date}", file=sys.stderr)
    return new


def _packed(record: sent.Record, digest: str, path: Path) -> Path:
    """Where a file is packed to: always the same place, so that what is shown without --really is what is run."""
    return record.path.parent / f"submit-{digest[:12]}" / f"{path.name}.gz"


def _send(files: dict[str, Path], competition: str, message: str, record: sent.Record, hidden: Secrets) -> None:
    program = kaggle_access.find()
    for digest, path in files.items():
        packed = _packed(record, digest, path)
        try:
            _pack(path, packed)
            if sha256(path) != digest:
                raise UserError(f"{path} changed while it was packed; wait until it is written, and run this again")
            record.begin(competition, path, digest, message)
            print(shlex.join(kaggle.command(competition, packed, message)), flush=True)
            print(_submit(program, competition, packed, message, record, hidden), flush=True)
        finally:
            shutil.rmtree(packed.parent, ignore_errors=True)


def _submit(program: str, competition: str, packed: Path, message: str, record: sent.Record, hidden: Secrets) -> str:
    try:
        said = kaggle.submit(program, competition, packed, message, hidden)
    except UserError as error:
        record.end(sent.UNCLEAR if isinstance(error, kaggle.UnclearError) else sent.REFUSED, str(error))
        raise
    record.end(sent.SENT, said)
    return said


def _pack(path: Path, packed: Path) -> None:
    """Without name and time in its header, so that the same file gives the same bytes."""
    try:
        packed.parent.mkdir(parents=True, exist_ok=True)
        with (
            path.open("rb") as plain,
            packed.open("wb") as raw,
            igzip.IGzipFile(filename="", mode="wb", compresslevel=LEVEL, fileobj=raw, mtime=0) as stream,
        ):
            shutil.copyfileobj(plain, stream, CHUNK)
    except OSError as error:
        raise UserError(f"{packed} cannot be written ({error.strerror}); make room there") from None


if __name__ == "__main__":
    raise SystemExit(main())
