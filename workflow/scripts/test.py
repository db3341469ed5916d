"""Run a built image as the organisers will, and write the verdict on it.

    python -m workflow.scripts.test --contract containers/stoic/contract.yaml --image predict \
        --record results/stoic/predict/image.json --profile organisers strict \
        --mount input=case --mount output=answer --log-dir logs/stoic --verdict results/stoic/predict/verdict.json

The verdict is written whatever happens. Snakemake deletes the output of a rule that fails, so a copy stays beside it
under a name that no rule declares: verdict.last.json, or what --keep says. Exit status 1 means FAIL.

A contract with `starts: 2` has the same container started again, and both starts must go well.

With --archive the saved file is loaded first and the image run by its tag: the organisers' command, word for word.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json
from workflow.scripts.slipway import contract as contracts
from workflow.scripts.slipway import host as hosts
from workflow.scripts.slipway import leftovers, scoreline, signals, table
from workflow.scripts.slipway.bench import Bench, judge_profile
from workflow.scripts.slipway.engine import Engine, find
from workflow.scripts.slipway.gpus import discover
from workflow.scripts.slipway.lease import lease
from workflow.scripts.slipway.loading import load_back
from workflow.scripts.slipway.verdict import Run, Verdict, summary

RECORD_KEYS = ("challenge", "image", "tag", "image_id")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    paths = [args.verdict, args.keep or args.verdict.with_suffix(".last.json")]
    draft = Verdict(args.contract.parent.name, args.image, "FAIL", "The test did not begin.")
    try:
        with signals.raised():
            verdict = _judge(args, draft)
    except UserError as error:
        replace(draft, reason=f"The test could not be made: {error}").write(paths)
        raise
    except KeyboardInterrupt:
        replace(draft, reason="The test was stopped before its end.").write(paths)
        raise UserError("the test was stopped before its end, and its container removed; run it again") from None
    except BaseException as error:
        replace(draft, reason=f"The test itself failed: {error!r}.").write(paths)
        raise
    verdict.write(paths)
    print(table.of_verdict(verdict, colour=_colour()), flush=True)
    return 0 if verdict.status == "PASS" else 1


def _judge(args: argparse.Namespace, draft: Verdict) -> Verdict:
    contract = contracts.load(args.contract, contracts.names_of(args.name))
    image = contract.image(args.image)
    for profile in args.profile:
        image.profile(profile)
    record = _record(args.record, image.name)
    draft = replace(draft, challenge=record["challenge"], tag=record["tag"], image_id=record["image_id"])
    score = scoreline.load(args.score) if args.score else None
    mounts = {name: _folder(value) for name, value in contracts.names_of(args.mount, "--mount").items()}
    engine = find(args.engine)
    leftovers.sweep(engine)
    _there(engine, record)
    if args.archive:
        load_back(engine, args.archive, image.tag, record["image_id"])
    found = len(discover())
    host = hosts.look(engine, found if args.gpus is None else min(found, args.gpus))
    # A GPU that the engine cannot hand over is no use to the container, so it stays free for others.
    asks = any(image.profile(profile).wants_gpus for profile in args.profile) and not host.gpu_complaint
    with lease(min(image.hardware.gpus, host.gpus) if asks else 0) as leased:
        bench = Bench(
            engine=engine,
            host=host,
            image=image,
            image_id=record["image_id"],
            mounts=mounts,
            log_dir=args.log_dir,
            gpus=leased.ids,
            time_limit=args.time_limit,
            env=contracts.names_of(args.env, "--env"),
            keep_scratch=args.keep_scratch,
            by_tag=args.archive is not None,
            score=score,
        )
        runs: list[Run] = []
        for profile in dict.fromkeys(args.profile):
            runs.append(judge_profile(bench, profile, first=not runs))
            print(f"\n{table.of_run(runs[-1], colour=_colour())}", flush=True)
    status, reason = summary(runs)
    return replace(
        draft,
        status=status,
        reason=reason,
        engine={"name": engine.name, "version": engine.version},
        host=host.as_json(),
        runs=tuple(runs),
    )


def _record(path: Path, image: str) -> Mapping[str, Any]:
    record = read_json(path)
    missing = [key for key in RECORD_KEYS if not isinstance(record, dict) or key not in record]
    if missing:
        raise UserError(f"{path} has no '{missing[0]}'; build the image again")
    if record["image"] != image:
        raise UserError(f"{path} is about the image {record['image']}, not about {image}; give the right --record")
    return dict(record)


def _there(engine: Engine, record: Mapping[str, Any]) -> None:
    if engine.image_id(record["image_id"]) is None:
        raise UserError(
            f"{engine.name} has no image {record['tag']} ({record['image_id']}) any more; build it again: "
            f"snakemake {record['challenge']}_image --forcerun {record['challenge']}_image_{record['image']}"
        )


def _folder(value: str) -> Path:
    """A folder, or with `@` the one that a manifest names as its `root`."""
    if not value.startswith("@"):
        return Path(value)
    manifest = read_json(Path(value[1:]))
    if not isinstance(manifest, dict) or not isinstance(manifest.get("root"), str):
        raise UserError(f"--mount: {value[1:]} has no `root` that names a folder; fetch the data again")
    return Path(manifest["root"])


def _colour() -> bool:
    return sys.stdout.isatty()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contract", type=Path, required=True, help="the challenge's contract.yaml")
    parser.add_argument("--image", required=True, help="which image of the contract")
    contracts.takes_names(parser)
    parser.add_argument("--record", type=Path, required=True, help="image.json of the built image")
    parser.add_argument("--archive", type=Path, metavar="FILE", help="load this .tar.gz first, and run it by its tag")
    parser.add_argument("--profile", nargs="+", action="extend", required=True, help="run under these, in order")
    parser.add_argument(
        "--mount", action="append", default=[], metavar="NAME=FOLDER", help="folder, or @manifest.json with its `root`"
    )
    parser.add_argument(
        "--time-limit", type=_positive, default=0.0, metavar="S", help="seconds, instead of the contract's"
    )
    parser.add_argument(
        "--env", action="append", default=[], metavar="K=V", help="set in the container; told as a warning"
    )
    parser.add_argument(
        "--keep-scratch", action="store_true", help="go on in the scratch of a training that was interrupted"
    )
    parser.add_argument(
        "--score", type=Path, metavar="FILE", help="custom.json: look for the score in the log, as the platform does"
    )
    parser.add_argument("--gpus", type=int, metavar="N", help="take no more GPUs than these")
    parser.add_argument("--engine", default="auto", choices=["auto", "docker", "podman"])
    parser.add_argument("--log-dir", type=Path, required=True, help="for what the container prints")
    parser.add_argument("--verdict", type=Path, required=True, help="verdict.json to write")
    parser.add_argument("--keep", type=Path, help="second copy of the verdict (default: <verdict>.last.json beside it)")
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return value


if __name__ == "__main__":
    raise SystemExit(main())
