"""One run of one container: started, watched, stopped at its time limit, perhaps started again, and always removed."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflow.scripts.slipway import signals
from workflow.scripts.slipway.contract import Image
from workflow.scripts.slipway.engine import Engine, show
from workflow.scripts.slipway.flags import Flags
from workflow.scripts.slipway.gpus import watched
from workflow.scripts.slipway.meter import Usage, metering
from workflow.scripts.slipway.tee import Tee

PAUSE = 0.02  # between two questions to the engine while the container starts
GRACE = 60.0  # for the engine to notice that a container has ended
NEVER: Mapping[str, Any] = {}  # the state of a container that is not there yet


@dataclass(frozen=True)
class Job:
    engine: Engine
    image: Image
    image_id: str
    name: str
    flags: Flags
    folders: Mapping[str, Path]  # by the mount's name
    time_limit: float
    log: Path
    gpus: tuple[str, ...] = ()  # those that the container sees
    by_tag: bool = False  # name the image as the organisers do, once it is known that the tag means this image

    def volumes(self) -> dict[str, str]:
        """The named volumes of the run, by the mount's name."""
        return {mount.name: f"{self.name}-{mount.name}" for mount in self.image.mounts if mount.kind == "volume"}

    def command(self) -> list[str]:
        """What a person can paste; the image's id, unless the tag is asked for, cannot come to mean a later build."""
        words = ["run", "--name", self.name, *self.flags.words(self.engine.name)]
        for mount in self.image.mounts:
            source = self.volumes().get(mount.name) or str(self.folders[mount.name].resolve())
            words += ["--volume", f"{source}:{mount.target}" + (":ro" if mount.mode == "ro" else "")]
        reference = self.image.tag if self.by_tag else self.image_id
        return self.engine.command(*words, reference, *self.image.command)


@dataclass(frozen=True)
class Outcome:
    """What is known after a run; `start_error` is set where the container never ran."""

    command: str
    exit_code: int | None
    seconds: float
    usage: Usage
    lines: tuple[str, ...] = ()
    oom_killed: bool = False
    timed_out: bool = False
    success_seen: bool = False
    start_error: str = ""
    engine_warnings: tuple[str, ...] = ()
    copy_errors: tuple[str, ...] = ()
    log_end: int = 0  # bytes of the log when it was over

    def went_well(self, image: Image) -> bool:
        return not self.timed_out and (self.exit_code == 0 or self.exit_code in image.finished)


def run(job: Job) -> list[Outcome]:
    """Run the container to its end or its time limit, and while that goes well as often as the contract says.

    Whatever happens, it is removed.
    """
    try:
        for volume in job.volumes().values():
            job.engine.ask("volume", "create", volume)
        outcomes = [_watched(job, job.command())]
        while len(outcomes) < job.image.starts and outcomes[-1].went_well(job.image):
            outcomes.append(_watched(job, job.engine.command("start", "--attach", job.name), _state(job)))
        return outcomes
    finally:
        _remove(job)


def _watched(job: Job, command: list[str], before: Mapping[str, Any] = NEVER) -> Outcome:
    """One start, from a container in the state `before`; the log of a further one goes on in the same file."""
    show(command)
    begun = time.monotonic()
    deadline = begun + job.time_limit
    process = None
    try:
        with signals.held():  # stopped before we know of the client, it would go on and start the container unseen
            process = _client(command)
        assert process.stdout is not None
        tee = Tee(process.stdout, job.log, job.image.success_line, append=before is not NEVER)
        tee.start()
        with watched(job.gpus) as gpu_memory, metering(_first_process(job, process, deadline)) as meter:
            in_time = meter.wait(deadline)
            seconds = time.monotonic() - begun
        meter.usage.gpu_memory = max(gpu_memory, default=None)
        if meter.pid is not None and in_time:
            _ended(process, GRACE)
        elif in_time:  # too quick to be metered, or never started: its client knows when it is over
            in_time = _ended(process, max(0.0, deadline - time.monotonic()))
            seconds = time.monotonic() - begun
        if not in_time:
            _quietly(job, "kill", job.name)
            _ended(process, GRACE)
        tee.join(GRACE)
        state = _state(job)
        started = _started(state) and state["StartedAt"] != before.get("StartedAt")
        return Outcome(
            command=shlex.join(command),
            exit_code=state.get("ExitCode") if started else None,
            seconds=seconds,
            usage=meter.usage,
            lines=tuple(tee.lines),
            oom_killed=bool(state.get("OOMKilled")),
            timed_out=not in_time,
            success_seen=tee.wanted_seen,
            start_error="" if started else _engine_words(state, tee.lines),
            engine_warnings=tuple(tee.engine_warnings),
            copy_errors=_copied(job) if started else (),
            log_end=job.log.stat().st_size,
        )
    finally:
        if process is not None:
            _give_up(job, process)


def _client(command: list[str]) -> subprocess.Popen[bytes]:
    """In a session of its own, so that Ctrl-C does not reach it before us, and we end the container ourselves."""
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )


def _give_up(job: Job, process: subprocess.Popen[bytes]) -> None:
    """End the client. Stopped early, the engine may still be making the container: remove it until it stays away."""
    deadline = time.monotonic() + GRACE
    while process.poll() is None and time.monotonic() < deadline:
        _quietly(job, "rm", "--force", "--volumes", job.name)
        _ended(process, 1.0)
    if process.poll() is None:
        process.kill()


def _first_process(job: Job, process: subprocess.Popen[bytes], deadline: float) -> int | None:
    """The container's first process; None when the container is over before the engine tells."""
    while process.poll() is None and time.monotonic() < deadline:
        if pid := _state(job).get("Pid"):
            return int(pid)
        time.sleep(PAUSE)
    return None


def _state(job: Job) -> dict[str, Any]:
    """The engine's record of the container, empty where it knows none by this name."""
    command = job.engine.command("container", "inspect", "--format", "{{json .State}}", job.name)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    return dict(found)


def _started(state: Mapping[str, Any]) -> bool:
    return not str(state.get("StartedAt", "0001")).startswith("0001")


def _engine_words(state: Mapping[str, Any], lines: list[str]) -> str:
    """Why the engine did not start the container, without its hint to read the manual."""
    said = [line for line in lines if not line.startswith(("Run '", "See '", "WARNING:"))]
    return str(state.get("Error") or " ".join(said[-3:]) or "it said nothing").removeprefix("docker: ")


def _copied(job: Job) -> tuple[str, ...]:
    """Bring what the container left in named volumes to the folders of the mounts."""
    errors = []
    targets = {mount.name: mount.target.rstrip("/") for mount in job.image.mounts}
    for mount in job.volumes():
        error = _quietly(job, "cp", f"{job.name}:{targets[mount]}/.", str(job.folders[mount].resolve()))
        if error:
            errors.append(f"the engine could not copy {targets[mount]} out of the container: {error}")
    return tuple(errors)


def _remove(job: Job) -> None:
    for words in (
        ["rm", "--force", "--volumes", job.name],
        *(["volume", "rm", "--force", v] for v in job.volumes().values()),
    ):
        error = _quietly(job, *words)
        if error and "o such" not in error:  # "No such container", "no such volume": it never came to be
            print(f"warning: {shlex.join(words)} failed: {error}", file=sys.stderr)


def _quietly(job: Job, *words: str) -> str:
    """Run an engine's command out of Ctrl-C's reach; what it complained of."""
    done = subprocess.run(
        job.engine.command(*words), capture_output=True, text=True, check=False, start_new_session=True
    )
    return done.stderr.strip().splitlines()[-1] if done.returncode and done.stderr.strip() else ""


def _ended(process: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True
