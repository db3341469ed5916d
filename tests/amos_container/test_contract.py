"""AMOS' contract: the organisers' command word for word, what a small host makes of it, and the image's recipe."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import yaml

from containers.kit.errors import UserError
from workflow.scripts.slipway.contract import Image, Mount, load
from workflow.scripts.slipway.flags import adapt
from workflow.scripts.slipway.helpers import scripts
from workflow.scripts.slipway.host import Host
from workflow.scripts.slipway.metadata import requirements

CONTAINERS = Path(__file__).resolve().parents[2] / "containers"
AMOS = CONTAINERS / "amos"
DOCKERFILE = (AMOS / "predict.Dockerfile").read_text()
END = "# ---- From here on"
COMMAND = "--runtime=nvidia --ipc=host -e NVIDIA_VISIBLE_DEVICES=all --gpus 0 --user root"


def image(**names: str) -> Image:
    return load(AMOS / "contract.yaml", {"team": "harbour", "task": "1", **names}).image("predict")


def pairs(words: list[str]) -> set[tuple[str, str]]:
    return set(zip(words[::2], words[1::2], strict=True))


def test_the_organisers_words_are_all_there() -> None:
    theirs = shlex.split(COMMAND.replace("-e ", "--env ").replace("=nvidia", " nvidia").replace("=host", " host"))
    ours = pairs(image().profile("organisers").words())
    assert pairs(theirs) <= ours
    promised = {("--memory", "30g"), ("--memory-swap", "30g"), ("--cpus", "4"), ("--network", "none")}
    assert ours - pairs(theirs) == promised
    assert image().command == ("python", "run_inference.py")
    assert image().mounts == (
        Mount("input", "/workspace/input/", "ro"),
        Mount("output", "/workspace/output/", "rw", emptied=True),
    )


def test_the_team_and_the_task_name_the_image_and_its_archive() -> None:
    assert (image().tag, image().archive) == ("harbour", "harbour-task1")
    assert image(task="2").archive == "harbour-task2"
    with pytest.raises(UserError, match="tag is 'Team A', which no engine takes; use lower-case letters"):
        image(team="Team A")


def test_strict_is_never_looser() -> None:
    strict, organisers = image().profile("strict"), image().profile("organisers")
    assert (strict.read_only, strict.non_root, strict.network, strict.cap_drop) == (True, True, "none", ("ALL",))
    assert (strict.memory, strict.cpus) == (organisers.memory, organisers.cpus) == ("30g", 4)
    assert (strict.shm_size, strict.pids_limit, strict.security_opt) == ("64m", 256, ("no-new-privileges",))
    assert (strict.runtime, strict.user, strict.ipc, strict.cap_add) == ("", "", "", ())


def test_a_host_without_a_gpu_leaves_out_what_it_cannot_give_and_says_so() -> None:
    host = Host(cpus=2, memory=24 << 30, gpus=0, cgroup="v2", runtimes=("runc",))
    used, changes = adapt(image().profile("organisers"), host, (), 1)
    assert [change.flag for change in changes] == ["--gpus", "--runtime", "--cpus", "--memory", "--memory-swap"]
    assert pairs(used.words()) == {
        *{("--memory", "24576m"), ("--memory-swap", "24576m"), ("--cpus", "2"), ("--network", "none")},
        *{("--ipc", "host"), ("--user", "root"), ("--env", "NVIDIA_VISIBLE_DEVICES=all")},
    }


def test_the_test_script_of_the_folder_drops_the_runtime_with_the_gpu() -> None:
    text = scripts(image(), network=False)["test.sh"]
    assert "then host+=(--gpus 0 --runtime nvidia)" in text
    run = text[text.index("docker run") :]
    assert "--runtime" not in run
    assert "--env NVIDIA_VISIBLE_DEVICES=all" in run
    assert run.rstrip().endswith("harbour python run_inference.py")


def test_the_image_begins_as_stoics_does_to_the_letter() -> None:
    stoic = (CONTAINERS / "stoic" / "predict.Dockerfile").read_text()
    head, _, rest = DOCKERFILE.partition(END)
    assert rest
    assert head == stoic.partition(END)[0]
    args = [re.findall(r"^ARG .*$", text, re.MULTILINE) for text in (DOCKERFILE, stoic)]
    assert args[0] == args[1]


def test_the_image_takes_the_organisers_command_and_no_other_way_in() -> None:
    assert not re.search(r"^ENTRYPOINT", DOCKERFILE, re.MULTILINE)
    assert re.findall(r"^(?:CMD|USER|WORKDIR) .*$", DOCKERFILE, re.MULTILINE) == [
        "WORKDIR /opt/app",
        "WORKDIR /workspace",
        "USER algorithm",
        'CMD ["python", "run_inference.py"]',
    ]
    program = re.search(r"printf '%s\\n' (.*) \\\n +> /workspace/run_inference.py$", DOCKERFILE, re.MULTILINE)
    assert program
    lines = shlex.split(program[1])
    compile("\n".join(lines), "run_inference.py", "exec")
    assert lines == ["from containers.amos.run_inference import main", "", "raise SystemExit(main())"]


def test_the_packages_are_what_the_code_imports() -> None:
    imported = set()
    for path in [*AMOS.glob("*.py"), *(CONTAINERS / "kit").glob("*.py")]:
        imported |= set(re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
    assert not imported & {"nnunetv2", "skimage", "batchgenerators", "acvl_utils", "cc3d", "pandas", "timm"}
    named = {str(requirement).replace("-", "_") for requirement in requirements(AMOS / "requirements-predict.txt")}
    assert named == {"dynamic_network_architectures", "isal", "nibabel", "safetensors", "scipy", "tqdm"}


def test_the_contract_says_whose_words_are_whose() -> None:
    said = yaml.safe_load((AMOS / "contract.yaml").read_text())["images"]["predict"]
    assert said["without"] == ["timm"] == list(image().without)
    assert said["hardware"] == {"gpus": 1, "gpu_memory": "24g", "cpus": 4, "memory": "30g"}
    assert image().entrypoint == "containers.amos.run_inference"
