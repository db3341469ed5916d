"""One profile of one image on the bench: fitted to this host, run, looked at, judged."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError
from containers.kit.outputs import OutputCheck, Status
from workflow.scripts.slipway import diagnose, folders, leftovers, limits, scoreline
from workflow.scripts.slipway.contract import Image
from workflow.scripts.slipway.engine import Engine
from workflow.scripts.slipway.flags import Adapted, Flags, adapt
from workflow.scripts.slipway.host import Host
from workflow.scripts.slipway.run import Job, Outcome, run
from workflow.scripts.slipway.verdict import Check, Run, judged, of_adapted, of_finding

SCRATCH = "scratch"
MOST_FINDINGS = 12  # of one run in the verdict: a thousand files too many are told by a dozen


@dataclass(frozen=True)
class Bench:
    """What all runs of one image share."""

    engine: Engine
    host: Host
    image: Image
    image_id: str
    mounts: Mapping[str, Path]
    log_dir: Path
    gpus: tuple[str, ...] = ()
    time_limit: float = 0  # seconds; 0 takes the contract's
    env: Mapping[str, str] = field(default_factory=dict)
    keep_scratch: bool = False
    by_tag: bool = False
    score: scoreline.Wanted | None = None


def judge_profile(bench: Bench, profile: str, *, first: bool) -> Run:
    """Run the image under one profile. The first one's output stays; later ones write to folders that go away."""
    promised = bench.image.profile(profile)
    flags, adapted = adapt(promised, bench.host, bench.gpus, bench.image.hardware.gpus)
    flags, refused = limits.fitted(bench.engine, bench.image_id, flags)
    flags, more = _with_env(flags, bench.env)
    changes = (*adapted, *refused, *more)
    with ExitStack() as stack:
        places, kept = _places(bench, profile, first, stack, opened=bool(flags.user))
        job = Job(
            engine=bench.engine,
            image=bench.image,
            image_id=bench.image_id,
            name=leftovers.name(bench.image.name, profile),
            flags=flags,
            folders=places,
            time_limit=bench.time_limit or bench.image.time_limit,
            log=bench.log_dir / f"{bench.image.name}_{profile}.log",
            gpus=bench.gpus if flags.wants_gpus else (),
            by_tag=bench.by_tag,
        )
        outcomes = run(job)
        checks, score = _told(bench, job, outcomes)
        checks = [*diagnose.demands(promised, _user(bench)), *checks]
        if not outcomes[0].start_error:
            checks += _taken_over(bench, places) + _outputs(bench.image, places)
        if outcomes[-1].went_well(bench.image):
            _ended(bench, places)
    checks += [of_adapted(change) for change in changes] + _kept(kept)
    status, reason = judged(checks)
    return Run(
        profile=profile,
        status=status,
        reason=reason,
        command=" && ".join(outcome.command for outcome in outcomes),
        exit_code=outcomes[-1].exit_code,
        seconds=round(sum(outcome.seconds for outcome in outcomes), 3),
        adapted=changes,
        checks=tuple(checks),
        log=str(job.log),
        starts=len(outcomes),
        score=score,
    )


def _told(bench: Bench, job: Job, outcomes: Sequence[Outcome]) -> tuple[list[Check], dict[str, Any] | None]:
    """The checks of every start, and the score that the last one left."""
    checks: list[Check] = []
    score = None
    for number, outcome in enumerate(outcomes, start=1):
        found = diagnose.checks(job, outcome)
        if bench.score and outcome.went_well(bench.image):
            check, value = scoreline.check(bench.score, scoreline.last_lines(job.log, outcome.log_end))
            found.append(check)
            score = None if value is None else {"name": bench.score.name, "value": value}
        checks += diagnose.of_start(found, number)
    return checks, score


def _places(bench: Bench, profile: str, first: bool, stack: ExitStack, *, opened: bool) -> tuple[dict[str, Path], bool]:
    """A folder for each mount, ready for the run; and whether one of them holds what an interrupted run left."""
    known = [mount.name for mount in bench.image.mounts]
    for name in bench.mounts:
        if name not in known:
            raise UserError(f"--mount {name}=...: the contract of {bench.image.name} mounts {', '.join(known)}")
    places: dict[str, Path] = {}
    kept = False
    for mount in bench.image.mounts:
        if mount.name not in bench.mounts:
            raise UserError(f"--mount {mount.name}=FOLDER is missing; the container expects it at {mount.target}")
        place = bench.mounts[mount.name]
        if mount.emptied and not first:
            place = stack.enter_context(folders.temporary(place, profile))
        if mount.mode == "rw" and folders.state(place):  # a run that was killed may have left files that are not ours
            folders.hand_over(bench.engine, bench.image_id, place)
        keep = bench.keep_scratch and first and mount.name == SCRATCH
        kept |= folders.prepare(mount, place, keep=keep, opened=opened or mount.opened)
        places[mount.name] = place
    return places, kept


def _ended(bench: Bench, places: Mapping[str, Path]) -> None:
    """Note that the run came to its end, so that the next one begins anew instead of going on."""
    for mount in bench.image.mounts:
        if mount.emptied:
            folders.set_state(places[mount.name], folders.ENDED)


def _kept(kept: bool) -> list[Check]:
    if not kept:
        return []
    note = "what an interrupted run left in the scratch folder was kept, so that it can go on; organisers empty it"
    return [Check("scratch", "WARN", "emptied", "kept", note=note)]


def _with_env(flags: Flags, env: Mapping[str, str]) -> tuple[Flags, list[Adapted]]:
    changes = [
        Adapted("--env", "not set", f"{key}={value}", "it was asked for by --env; the organisers do not set it")
        for key, value in env.items()
    ]
    return replace(flags, env={**flags.env, **env}), changes


def _user(bench: Bench) -> str:
    return bench.engine.ask("image", "inspect", "--format", "{{.Config.User}}", bench.image_id)


def _taken_over(bench: Bench, places: Mapping[str, Path]) -> list[Check]:
    """Make what the container wrote ours to read and to delete."""
    checks = []
    for mount in bench.image.mounts:
        if mount.mode == "rw" and (error := folders.hand_over(bench.engine, bench.image_id, places[mount.name])):
            checks.append(Check("ownership", "WARN", "readable here", "not readable", note=error))
    return checks


def _outputs(image: Image, places: Mapping[str, Path]) -> list[Check]:
    """What the challenge's own check says about the output; its mistakes must not end the test without a verdict."""
    try:
        findings = _check_of(image)(places["output"], places["input"])
    except Exception as error:
        note = f"the output check {image.output_check} itself failed: {type(error).__name__}: {error}"
        return [Check("output check", "FAIL", "it looks at the output", type(error).__name__, note=note)]
    ordered = sorted(findings, key=lambda finding: finding.status != "FAIL")
    checks = [of_finding(finding) for finding in ordered[:MOST_FINDINGS]]
    if len(ordered) > MOST_FINDINGS:
        rest = [finding.status for finding in ordered[MOST_FINDINGS:]]
        status: Status = "FAIL" if "FAIL" in rest else "WARN" if "WARN" in rest else "PASS"
        checks.append(Check("further output", status, "", f"{len(rest)} more", note="they are like those above"))
    return checks


def _check_of(image: Image) -> OutputCheck:
    module, _, function = image.output_check.partition(":")
    found: OutputCheck = getattr(importlib.import_module(module), function)
    return found
