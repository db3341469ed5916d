"""Salt's contract, which is Slipway's own, and the image's recipe."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from containers.kit.errors import UserError
from containers.salt import outputs
from workflow.scripts.slipway.contract import Image, Mount, load
from workflow.scripts.slipway.helpers import scripts
from workflow.scripts.slipway.metadata import requirements

CONTAINERS = Path(__file__).resolve().parents[2] / "containers"
SALT = CONTAINERS / "salt"
DOCKERFILE = (SALT / "predict.Dockerfile").read_text()
END = "# ---- From here on"


def image() -> Image:
    return load(SALT / "contract.yaml").image("predict")


def test_the_contract_has_the_strict_profile_alone() -> None:
    assert list(image().profiles) == ["strict"]
    strict = image().usual
    assert strict == image().profile("strict")
    assert (strict.read_only, strict.non_root, strict.network, strict.cap_drop) == (True, True, "none", ("ALL",))
    assert (strict.memory, strict.memory_swap, strict.shm_size, strict.pids_limit) == ("16g", "16g", "64m", 256)
    assert image().mounts == (Mount("input", "/input", "ro"), Mount("output", "/output", "rw", emptied=True))
    assert (image().tag, image().archive, image().finished) == ("slipway/salt", "salt", (3,))
    assert image().output_check == f"{outputs.__name__}:{outputs.check.__name__}"


def test_a_contract_without_any_profile_is_refused(tmp_path: Path) -> None:
    said = yaml.safe_load((SALT / "contract.yaml").read_text())
    said["images"]["predict"]["profiles"] = {}
    (tmp_path / "contract.yaml").write_text(yaml.safe_dump(said))
    with pytest.raises(UserError, match=r"images\.predict\.profiles must not be empty"):
        load(tmp_path / "contract.yaml")


def test_the_test_script_of_the_folder_is_as_strict() -> None:
    text = scripts(image(), network=False)["test.sh"]
    assert "--read-only" in text
    assert "--network none" in text
    assert text.rstrip().endswith('--volume "$output:/output" \\\n    slipway/salt')


def test_the_image_begins_as_the_others_do_to_the_letter() -> None:
    for other in ("stoic", "amos"):
        text = (CONTAINERS / other / "predict.Dockerfile").read_text()
        head, _, rest = DOCKERFILE.partition(END)
        assert rest
        assert head == text.partition(END)[0]
        args = [re.findall(r"^ARG .*$", one, re.MULTILINE) for one in (DOCKERFILE, text)]
        assert args[0] == args[1]
    assert re.findall(r"^(?:CMD|ENTRYPOINT|USER) .*$", DOCKERFILE, re.MULTILINE) == [
        "USER algorithm",
        'ENTRYPOINT ["python", "-m", "containers.salt.predict"]',
    ]


def test_the_packages_are_what_the_code_imports() -> None:
    named = {str(requirement) for requirement in requirements(SALT / "requirements-predict.txt")}
    assert named == {"efficientnet-lite-pytorch", "monai", "pillow", "safetensors", "scipy", "tqdm"}
