"""From what was seen to checks: causes that no quick container can show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.bench.conftest import contract_values
from workflow.scripts.slipway.contract import load
from workflow.scripts.slipway.diagnose import checks, demands, of_start
from workflow.scripts.slipway.engine import Engine
from workflow.scripts.slipway.flags import Flags
from workflow.scripts.slipway.meter import Usage
from workflow.scripts.slipway.run import Job, Outcome
from workflow.scripts.slipway.verdict import Check, judged

MEASURED: Mapping[str, Any] = {
    "working_set": 10 << 20,
    "high_water": 12 << 20,
    "pids": 4,
    "pids_hits": 0,
    "cpu_seconds": 2.0,
    "oom_kills": 0,
    "shm": 0,
    "shm_size": 2 << 20,
    "no_routes": 0,
}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    path = tmp_path / "contract.yaml"
    path.write_text(yaml.safe_dump(contract_values()), encoding="utf-8")
    image = load(path).image("subject")
    engine = Engine("docker", ("docker",), "99.0")
    folders = {"input": tmp_path, "output": tmp_path}
    return Job(engine, image, "sha256:1", "slipway-x", image.profile("organisers"), folders, 100.0, tmp_path / "log")


def outcome(*lines: str, exit_code: int | None = 1, **changes: Any) -> Outcome:
    usage = {name: changes.pop(name) for name in list(changes) if name in MEASURED}
    measured = Usage(**{**MEASURED, **usage})
    seen = Outcome("docker run", exit_code, 4.0, measured, lines, success_seen=exit_code == 0)
    return replace(seen, **changes)


def named(found: list[Check], name: str) -> Check:
    return next(check for check in found if check.name == name)


def test_a_good_run(job: Job) -> None:
    found = checks(job, outcome("All done.", exit_code=0))
    assert {check.status for check in found} == {"PASS"}
    assert judged(found) == ("PASS", "every check held")
    assert named(found, "memory") == Check(
        "memory", "PASS", "at most 64m", "10 MiB; with file cache 12 MiB", "84 %", ""
    )
    assert named(found, "CPU").got == "2.0 s, 0.5 CPUs busy"


REASONS = [
    (
        outcome("RuntimeError: DataLoader worker (pid 77) is killed by signal: Bus error. It is possible that"),
        "shared memory",
        "needs more shared memory (/dev/shm) than the 2m it has: RuntimeError: DataLoader worker",
    ),
    (
        outcome("OSError: [Errno 28] No space left on device: '/dev/shm/psm_1'"),
        "shared memory",
        "No space left on device: '/dev/shm/psm_1'",
    ),
    (
        outcome("OpenBLAS blas_thread_init: pthread_create failed for thread 23 of 64", pids_hits=None),
        "processes",
        "wanted more than the 24 processes and threads it may have: OpenBLAS",
    ),
    (
        outcome("PermissionError: [Errno 13] Permission denied: '/output/model'"),
        "permissions",
        "the container's user is not allowed to do what it tried: PermissionError",
    ),
    (
        outcome("Segmentation fault", exit_code=139),
        "exit code",
        "exit code 139 (killed by SIGSEGV); its last words: Seg",
    ),
    (outcome(exit_code=137), "exit code", "exit code 137 (killed by SIGKILL); it said nothing"),
    (
        outcome(exit_code=137, oom_killed=True, oom_kills=None),
        "memory",
        "needs more than the 64m it may use, and the kernel killed it (exit code 137)",
    ),
    (
        outcome("gaierror: [Errno -3] Temporary failure in name resolution", "x", no_routes=3),
        "network",
        "tried to use the network, and there is none: gaierror",
    ),
    (
        outcome("PermissionError: x", "touch: cannot touch '/input/a b': Read-only file system"),
        "read-only mounts",
        "tried to write to /input/",
    ),
    (
        outcome("OSError: [Errno 30] Read-only file system: '/inputs/cache'"),
        "read-only root",
        "tried to write where it may not",
    ),
    (
        outcome(exit_code=None, start_error="no such runtime"),
        "start",
        "the engine could not start the container: no such runtime",
    ),
    (
        outcome(exit_code=0, copy_errors=("the engine could not copy /output",)),
        "output volume",
        "the engine could not copy /output",
    ),
]


@pytest.mark.parametrize(("seen", "check", "words"), REASONS, ids=[f"{n}-{r[1]}" for n, r in enumerate(REASONS)])
def test_reasons(job: Job, seen: Outcome, check: str, words: str) -> None:
    found = checks(job, seen)
    status, reason = judged(found)
    assert status == "FAIL"
    assert words in reason
    assert next(one.name for one in found if one.status == "FAIL") == check


@pytest.mark.parametrize(
    ("shm_size", "told"), [("2m", ("PASS", "2 MiB, the host's")), ("8g", ("WARN", "2 MiB, the host's")), ("", None)]
)
def test_with_the_hosts_shared_memory_its_size_counts(job: Job, shm_size: str, told: tuple[str, str] | None) -> None:
    job = replace(job, flags=replace(job.flags, ipc="host", shm_size=shm_size))
    found = [check for check in checks(job, outcome(exit_code=0)) if check.name == "shared memory"]
    assert [(check.status, check.got) for check in found] == ([told] if told else [])


@pytest.mark.parametrize(("number", "name"), [(2, "second start: exit code"), (4, "4th start: exit code")])
def test_a_later_start_is_told_apart_and_only_a_failure_is_explained(job: Job, number: int, name: str) -> None:
    failed = named(of_start(checks(job, outcome("ValueError: x")), number), name)
    assert failed.note.startswith("the platform starts the same container again (`docker start`), so it must be idem")
    assert failed.note.endswith("the container ended with exit code 1; its last words: ValueError: x")
    assert named(of_start(checks(job, outcome(exit_code=0)), number), name).note == ""


def test_a_full_disk_is_not_shared_memory(job: Job) -> None:
    found = checks(job, outcome("OSError: [Errno 28] No space left on device: '/tmp/x'"))
    assert named(found, "shared memory").status == "PASS"
    assert judged(found)[1].startswith("the container ended with exit code 1; its last words: OSError: [Errno 28]")


def test_words_of_long_ago_are_not_the_cause(job: Job) -> None:
    lines = ["telemetry: Network is unreachable", *["epoch"] * 100, "ValueError: bad label"]
    found = checks(job, outcome(*lines))
    assert named(found, "network").status == "PASS"
    assert "bad label" in judged(found)[1]


def test_the_same_words_in_a_run_that_ended_well_are_a_warning(job: Job) -> None:
    found = checks(job, outcome("Read-only file system: '/root/.cache'", "Network is unreachable", exit_code=0))
    assert {check.name: check.status for check in found if check.status != "PASS"} == {
        "read-only root": "WARN",
        "network": "WARN",
    }


def test_what_was_not_measured_is_a_warning(job: Job) -> None:
    found = checks(job, replace(outcome(exit_code=0), usage=Usage()))
    unknown = [check.name for check in found if check.got == "not measured"]
    assert unknown == ["memory", "processes", "shared memory", "CPU"]
    assert judged(found)[0] == "PASS"


def test_the_engines_own_warnings_are_passed_on(job: Job) -> None:
    warning = "Your kernel does not support swap limit capabilities. Memory limited without swap."
    check = named(checks(job, outcome(exit_code=0, engine_warnings=(warning,))), "engine")
    assert (check.status, check.note) == ("WARN", f"the engine warns: {warning}")


def test_memory_of_a_larger_gpu_than_promised(job: Job) -> None:
    image = replace(job.image, hardware=replace(job.image.hardware, gpus=1, gpu_memory="35g"))
    job = replace(job, image=image, gpus=("0",))
    seen = outcome(exit_code=0)
    for used, status in ((40 << 30, "WARN"), (34 << 30, "WARN"), (8 << 30, "PASS")):
        seen.usage.gpu_memory = used
        assert named(checks(job, seen), "GPU memory").status == status
    assert named(checks(job, seen), "GPU memory").headroom == "77 %"


@pytest.mark.parametrize(("user", "status"), [("", "FAIL"), ("0:0", "FAIL"), ("root", "FAIL"), ("train:train", "PASS")])
def test_strict_wants_another_user_than_root(user: str, status: str) -> None:
    assert [check.status for check in demands(Flags(non_root=True), user)] == [status]
    assert demands(Flags(), user) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (
            ("Traceback (most recent call last):", "torch.OutOfMemoryError: no room", "epoch 3"),
            "torch.OutOfMemoryError",
        ),
        (("error: ct.nii.gz is cut short", "2 of 3 cases written"), "error: ct.nii.gz is cut short"),
        (("warning: 1 of 3 photos could not be read", "Done."), "warning: 1 of 3 photos"),
        (("error: ct.nii.gz is cut short", "warning: one is left out"), "error: ct.nii.gz is cut short"),
        (("epoch 2", "epoch 3"), "epoch 3"),
    ],
)
def test_the_last_words_name_the_error_in_whatever_order_the_streams_arrive(
    job: Job, lines: tuple[str, ...], words: str
) -> None:
    assert f"exit code 1; its last words: {words}" in named(checks(job, outcome(*lines)), "exit code").note


def test_an_exit_code_that_the_contract_knows_is_a_warning(job: Job) -> None:
    knows = replace(job, image=replace(job.image, finished=(3,)))
    (found,) = [check for check in checks(knows, outcome("2 images are broken.", exit_code=3)) if "exit" in check.name]
    assert found.status == "WARN"
    assert found.note == "the container ended with exit code 3; its last words: 2 images are broken."
    assert named(checks(knows, outcome(exit_code=4)), "exit code").status == "FAIL"
