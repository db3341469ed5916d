"""From what was seen of a run to checks in plain words, in the order in which causes come before their effects."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import replace

from containers.kit.outputs import Status
from workflow.scripts.slipway.clues import last_line, names, path_in, unmeasured, within
from workflow.scripts.slipway.flags import Flags, bytes_of, human
from workflow.scripts.slipway.run import Job, Outcome
from workflow.scripts.slipway.verdict import Check

DEFAULT_SHM = "64m"  # what engines give where the contract says nothing
ORDINALS = {2: "second", 3: "third"}
BUS_ERROR = 128 + signal.SIGBUS

NO_NETWORK = re.compile(
    r"Temporary failure in name resolution|Network is unreachable|Name or service not known"
    r"|No address associated with hostname|Could not resolve host|Failed to resolve|getaddrinfo failed",
    re.IGNORECASE,
)
NO_PROCESS = re.compile(
    r"can't start new thread|Resource temporarily unavailable|pthread_create\b.*fail|fork.*(fail|retry)", re.IGNORECASE
)
NO_SHM = re.compile(r"No space left on device.*(/dev/shm|shm_)|(/dev/shm|shm_|shared memory).*No space left", re.I)
READ_ONLY = re.compile(r"Read-only file system|EROFS", re.IGNORECASE)
DENIED = re.compile(r"Permission denied|EACCES", re.IGNORECASE)
WARNING_LINE = re.compile(r"warning: ")
ERROR_LINE = re.compile(r"error: |([A-Za-z_]\w*\.)*\w*(Error|Exception|Exit|Interrupt)\b")


def checks(job: Job, outcome: Outcome) -> list[Check]:
    """All checks on how the run went; what it wrote is the output check's business."""
    if outcome.start_error:
        note = f"the engine could not start the container: {outcome.start_error}"
        return [Check("start", "FAIL", "the container starts", "it did not", note=note)]
    looks: Sequence[Callable[[Job, Outcome], list[Check]]] = (
        _memory, _time, _read_only, _network, _processes, _shm, _denied, _exit, _success, _cpu, _gpus, _copies, _engine,
    )  # fmt: skip
    return [check for look in looks for check in look(job, outcome)]


def of_start(found: Sequence[Check], number: int) -> list[Check]:
    """The checks of the container's start of that number; those after the first one are told apart."""
    if number == 1:
        return list(found)
    ordinal = ORDINALS.get(number, f"{number}th")
    again = "the platform starts the same container again (`docker start`), so it must be idempotent: "
    return [
        replace(check, name=f"{ordinal} start: {check.name}", note=again * (check.status == "FAIL") + check.note)
        for check in found
    ]


def _memory(job: Job, outcome: Outcome) -> list[Check]:
    limit = job.flags.memory
    expected = f"at most {limit}" if limit else "no limit"
    kills = outcome.usage.oom_kills or int(outcome.oom_killed)
    if kills:
        note = f"the container ran out of memory: it needs more than the {limit or 'host'} it may use"
        if outcome.exit_code == 137:
            note += ", and the kernel killed it (exit code 137)"
        else:
            note += ", and the kernel killed one of its processes"
        return [Check("memory", "FAIL", expected, f"limit reached, {kills} killed", "0 %", note)]
    cache = f"; with file cache {human(outcome.usage.high_water)}" if outcome.usage.high_water else ""
    return [within("memory", outcome.usage.working_set, bytes_of(limit) if limit else None, expected, human, cache)]


def _time(job: Job, outcome: Outcome) -> list[Check]:
    expected = f"at most {job.time_limit:g} s"
    if not outcome.timed_out:
        return [within("time", outcome.seconds, job.time_limit, expected, lambda seconds: f"{seconds:.1f} s")]
    busy = outcome.usage.cpus_lately
    state = ""
    if busy is not None:
        state = "; it hangs: it used no CPU at the end" if busy < 0.05 else f"; it was still working on {busy:.1f} CPUs"
    note = f"the container was stopped at its time limit of {job.time_limit:g} s{state}"
    return [Check("time", "FAIL", expected, "stopped at the limit", "0 %", note)]


def _read_only(job: Job, outcome: Outcome) -> list[Check]:
    targets = [mount.target for mount in job.image.mounts if mount.mode == "ro"]
    expected = f"nothing is written to {', '.join(targets)}" if targets else "no read-only mount"
    lines = [line for line in outcome.lines if READ_ONLY.search(line)]
    for line in lines:
        for target in targets:
            if names(line, target):
                note = f"the container tried to write to {target}, which holds its input and is read-only: {line}"
                return [Check("read-only mounts", "FAIL", expected, path_in(line), note=note)]
    found = [Check("read-only mounts", "PASS", expected, "no attempt seen")]
    if lines:
        note = f"the container tried to write where it may not; only its mounts and tmpfs are writable: {lines[-1]}"
        found.append(
            Check("read-only root", _blamed(outcome), "writes only to its mounts", path_in(lines[-1]), note=note)
        )
    return found


def _network(job: Job, outcome: Outcome) -> list[Check]:
    if job.flags.network != "none":
        return []
    expected = "no network is needed"
    line = last_line(outcome, NO_NETWORK)
    tries = outcome.usage.no_routes
    if line and outcome.exit_code:
        note = f"the container tried to use the network, and there is none: {line}"
        return [Check("network", "FAIL", expected, f"{tries} attempts" if tries else "an attempt", note=note)]
    if line or tries:
        note = "the container tried to reach the network and went on without it; such an attempt can hang elsewhere"
        return [Check("network", "WARN", expected, f"{tries or 1} attempts", note=note)]
    return [Check("network", "PASS", expected, "no attempt seen" if tries is None else "no attempt")]


def _processes(job: Job, outcome: Outcome) -> list[Check]:
    limit = job.flags.pids_limit
    expected = f"at most {limit} processes" if limit else "no limit"
    line = last_line(outcome, NO_PROCESS) if outcome.exit_code else ""
    hits = outcome.usage.pids_hits or 0
    if limit and (hits or line):
        refused = f"{hits} refused" if hits else "one refused"
        note = f"the container wanted more than the {limit} processes and threads it may have{': ' * bool(line)}{line}"
        return [Check("processes", "FAIL", expected, refused, "0 %", note)]
    return [within("processes", outcome.usage.pids, limit or None, expected, lambda count: f"{count:.0f}")]


def _shm(job: Job, outcome: Outcome) -> list[Check]:
    if job.flags.ipc == "host":
        return _shm_of_host(job, outcome)
    limit = job.flags.shm_size or DEFAULT_SHM
    size = bytes_of(limit)
    expected = f"at most {limit}"
    line = last_line(outcome, re.compile(r"Bus error")) or last_line(outcome, NO_SHM)
    full = (outcome.usage.shm or 0) >= 0.98 * size and last_line(outcome, re.compile("No space left on device"))
    if outcome.exit_code and (outcome.exit_code == BUS_ERROR or line or full):
        got = f"{human(outcome.usage.shm)} used" if outcome.usage.shm else "no room"
        said = f": {line or full}" if line or full else " (bus error)"
        note = f"the container needs more shared memory (/dev/shm) than the {limit} it has{said}"
        return [Check("shared memory", "FAIL", expected, got, "0 %", note)]
    return [within("shared memory", outcome.usage.shm, size, expected, human)]


def _shm_of_host(job: Job, outcome: Outcome) -> list[Check]:
    """With --ipc host the engine takes --shm-size and does nothing with it: the container has the host's own."""
    asked, there = job.flags.shm_size, outcome.usage.shm_size
    if not asked or there is None:
        return []
    expected, got = f"at least {asked}", f"{human(there)}, the host's"
    if there >= bytes_of(asked):
        return [Check("shared memory", "PASS", expected, got)]
    note = (
        f"--ipc host gives the container this host's /dev/shm of {human(there)}, whatever --shm-size says; "
        "what needs more may fail here"
    )
    return [Check("shared memory", "WARN", expected, got, note=note)]


def _denied(_job: Job, outcome: Outcome) -> list[Check]:
    line = last_line(outcome, DENIED)
    if not line or not outcome.exit_code:
        return []
    note = f"the container's user is not allowed to do what it tried: {line}"
    return [Check("permissions", "FAIL", "its user may do what it does", path_in(line), note=note)]


def _last_words(lines: Sequence[str]) -> str:
    """The last line that names an error, or else a warning.

    The engine carries two streams, and what was said last may arrive first.
    """
    found = (line for wanted in (ERROR_LINE, WARNING_LINE) for line in reversed(lines) if wanted.match(line))
    return next(found, lines[-1])


def _exit(job: Job, outcome: Outcome) -> list[Check]:
    code = outcome.exit_code
    if not code:
        return [Check("exit code", "PASS", "0", "0")]
    meaning = ""
    if code > 128 and code - 128 in set(signal.Signals):
        meaning = f" (killed by {signal.Signals(code - 128).name})"
    words = f"; its last words: {_last_words(outcome.lines)}" if outcome.lines else "; it said nothing"
    status: Status = "WARN" if code in job.image.finished else "FAIL"
    note = f"the container ended with exit code {code}{meaning}{words}"
    return [Check("exit code", status, "0", str(code), note=note)]


def _success(job: Job, outcome: Outcome) -> list[Check]:
    wanted = job.image.success_line
    if not wanted:
        return []
    if outcome.success_seen:
        return [Check("success line", "PASS", wanted, "printed")]
    note = f"the container did not print the line '{wanted}', by which the organisers know that it is done"
    return [Check("success line", "FAIL", wanted, "not printed", note=note)]


def _cpu(_job: Job, outcome: Outcome) -> list[Check]:
    used = outcome.usage.cpu_seconds
    if used is None:
        return [unmeasured("CPU", "measured")]
    return [Check("CPU", "PASS", "measured", f"{used:.1f} s, {used / max(outcome.seconds, 0.001):.1f} CPUs busy")]


def _gpus(job: Job, outcome: Outcome) -> list[Check]:
    if not job.gpus:
        return []
    promised, used = job.image.hardware.gpu_memory, outcome.usage.gpu_memory
    expected = f"at most {promised}" if promised else "no limit"
    # The GPU here may hold more than the organisers'. Frameworks also keep what they could give back, hence no failure.
    if promised and used and used > bytes_of(promised):
        note = f"it took more GPU memory than the {promised} that the organisers' GPUs have, and may not fit there"
        return [Check("GPU memory", "WARN", expected, human(used), "0 %", note)]
    return [within("GPU memory", used, bytes_of(promised) if promised else None, expected, human)]


def _copies(_job: Job, outcome: Outcome) -> list[Check]:
    return [Check("output volume", "FAIL", "copied", "not copied", note=error) for error in outcome.copy_errors]


def _engine(_job: Job, outcome: Outcome) -> list[Check]:
    return [
        Check("engine", "WARN", "every flag is kept", "one was dropped", note=f"the engine warns: {warning}")
        for warning in outcome.engine_warnings
    ]


def _blamed(outcome: Outcome) -> Status:
    return "FAIL" if outcome.exit_code else "WARN"


def demands(flags: Flags, user: str) -> list[Check]:
    """What a profile asks of the image itself, before it runs."""
    if not flags.non_root:
        return []
    if user.split(":")[0] in ("", "0", "root"):
        note = "the image runs as root; add a user and a USER line to its Dockerfile"
        return [Check("user", "FAIL", "not root", user or "root", note=note)]
    return [Check("user", "PASS", "not root", user)]
