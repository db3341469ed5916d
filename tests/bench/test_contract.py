"""Contracts: STOIC's own, and the sentence for each mistake."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers.kit.errors import UserError
from tests.bench.conftest import contract_values
from workflow.scripts.slipway.configuration import load_schema
from workflow.scripts.slipway.contract import SCHEMA, Mount, load

STOIC = Path(__file__).parents[2] / "containers" / "stoic" / "contract.yaml"


def written(folder: Path, values: Any) -> Path:
    path = folder / "contract.yaml"
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


def test_the_organisers_words_for_training() -> None:
    image = load(STOIC).image("train")
    assert shlex.join(image.profile("organisers").words()) == (
        "--gpus all --memory 128g --memory-swap 128g --cpus 16 --cap-drop ALL --cap-add SYS_NICE "
        "--security-opt no-new-privileges --network none --shm-size 32g --pids-limit 1024"
    )
    assert (image.tag, image.archive, image.success_line) == ("stoictrain", "STOICTrain", "Training completed.")
    assert image.mounts == (
        Mount("input", "/input/", "ro"),
        Mount("output", "/output/", "rw", emptied=True),
        Mount("scratch", "/scratch/", "rw", emptied=True),
    )
    assert (image.hardware.gpus, image.hardware.gpu_memory, image.hardware.scratch) == (2, "35g", "2000g")


def test_the_organisers_words_for_prediction() -> None:
    image = load(STOIC).image("predict")
    assert shlex.join(image.profile("organisers").words()) == (
        "--gpus all --memory 16g --memory-swap 16g --cap-drop ALL --security-opt no-new-privileges "
        "--network none --shm-size 128m --pids-limit 256"
    )
    assert (image.tag, image.archive, image.command) == ("stoicalgorithm", "STOICAlgorithm", ())
    assert image.mounts[1] == Mount("output", "/output/", "rw", "volume", emptied=True)


@pytest.mark.parametrize("image", ["train", "predict"])
def test_strict_is_never_looser_than_the_organisers(image: str) -> None:
    found = load(STOIC).image(image)
    organisers, strict = found.profile("organisers"), found.profile("strict")
    assert strict.read_only
    assert strict.non_root
    assert strict.tmpfs
    assert strict.network == "none"
    assert set(organisers.cap_drop) <= set(strict.cap_drop)
    assert not strict.cap_add
    assert strict.pids_limit <= organisers.pids_limit


def test_every_key_is_described() -> None:
    def undescribed(schema: dict[str, Any], where: str) -> list[str]:
        found = []
        for key, part in schema.get("properties", {}).items():
            found += [] if part.get("description") else [f"{where}.{key}"]
            found += undescribed(part, f"{where}.{key}")
        rest = schema.get("additionalProperties")
        return found + (undescribed(rest, f"{where}.*") if isinstance(rest, dict) else [])

    assert undescribed(load_schema(SCHEMA), "") == []


def test_names_fill_tags_and_archives(tmp_path: Path) -> None:
    values = contract_values()
    values["images"]["subject"].update(tag="{team}-subject:1", archive="{team}-task1", command=["python", "run.py"])
    image = load(written(tmp_path, values), {"team": "harbour"}).image("subject")
    assert (image.tag, image.archive, image.command) == ("harbour-subject:1", "harbour-task1", ("python", "run.py"))
    assert image.dockerfile == tmp_path / "Dockerfile"


def test_a_container_is_started_once_unless_the_contract_says_more(tmp_path: Path) -> None:
    values = contract_values()
    assert load(written(tmp_path, values)).image("subject").starts == 1
    values["images"]["subject"]["starts"] = 2
    assert load(written(tmp_path, values)).image("subject").starts == 2


Change = Callable[[dict[str, Any]], Any]
MISTAKES: list[tuple[Change, str]] = [
    (lambda image: image.update(tga="x"), "images.subject.tga is not a key; did you mean 'tag'?"),
    (lambda image: image.update(starts=0), "images.subject.starts must be at least 1, not 0"),
    (lambda image: image.pop("time_limit"), "images.subject.time_limit is missing; add it"),
    (lambda image: image["mounts"]["input"].update(mode="r"), "images.subject.mounts.input.mode must be one of ro, rw"),
    (lambda image: image["mounts"].pop("output"), "images.subject.mounts.output is missing"),
    (lambda image: image["mounts"]["input"].update(kind="volume"), "images.subject.mounts.input.mode"),
    (lambda image: image["profiles"].update(stricter={}), "profiles.stricter is not a key; did you mean 'strict'?"),
    (lambda image: image["profiles"]["strict"].update(memory="16 GB"), "profiles.strict.memory must match"),
    (lambda image: image["profiles"]["strict"].update(pids_limit=0), "pids_limit must be at least 1, not 0"),
    (lambda image: image["profiles"]["organisers"].update(gpus="all"), "hardware.gpus promises none; say there how"),
    (lambda image: image.update(tag="Subject"), "tag is 'Subject', which no engine takes; use lower-case"),
    (lambda image: image.update(tag="{team}"), "tag needs a value for {team}; give it as --name team=..."),
]


@pytest.mark.parametrize(("change", "sentence"), MISTAKES, ids=[sentence[:30] for _, sentence in MISTAKES])
def test_a_mistake_is_one_sentence(tmp_path: Path, change: Change, sentence: str) -> None:
    values = contract_values()
    change(values["images"]["subject"])
    path = written(tmp_path, values)
    with pytest.raises(UserError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: images.subject")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_contract(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.yaml cannot be read \(No such file"):
        load(tmp_path / "none.yaml")
    (tmp_path / "broken.yaml").write_text("images: [", encoding="utf-8")
    with pytest.raises(UserError, match=r"broken\.yaml is not YAML: while parsing"):
        load(tmp_path / "broken.yaml")
    with pytest.raises(UserError, match="must be a mapping with the key `images`"):
        load(written(tmp_path, ["subject"]))


def test_unknown_image_and_profile_suggest_the_known(tmp_path: Path) -> None:
    contract = load(written(tmp_path, contract_values()))
    with pytest.raises(UserError, match="has no image 'subjekt'; did you mean 'subject'"):
        contract.image("subjekt")
    with pytest.raises(UserError, match="image 'subject' has no profile 'loose'; it has organisers, strict"):
        contract.image("subject").profile("loose")
