"""The schema refuses what it should, in one sentence that names the key, and its manual is up to date."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers.amos import settings as amos
from containers.kit.errors import UserError
from containers.objectnet import settings as objectnet
from containers.salt import settings as salt
from containers.stoic.settings import Predict, Preprocess, Train
from workflow.scripts.agrigaia import demo_pictures as agrigaia_demo
from workflow.scripts.agrigaia.architectures import shipped
from workflow.scripts.agrigaia.form import Package
from workflow.scripts.agrigaia.remote import Remote
from workflow.scripts.docs import main as docs
from workflow.scripts.docs import render
from workflow.scripts.objectnet.demo_images import Demo
from workflow.scripts.salt import demo_images as salt_demo
from workflow.scripts.slipway.configuration import Schema, checked, load_schema

ROOT = Path(__file__).resolve().parents[2]
SCHEMA_FILE = ROOT / "workflow/schemas/config.schema.yaml"
SCHEMA = load_schema(SCHEMA_FILE)


def stoic(**block: Any) -> dict[str, Any]:
    return {"challenges": {"stoic": block}}


@pytest.mark.parametrize("name", ["config.yaml", "full.yaml"])
def test_shipped_files_are_valid(name: str) -> None:
    values = yaml.safe_load((ROOT / "config" / name).read_text())
    assert checked(values, SCHEMA)["challenges"]["stoic"]["train"]["seed"] == 2021


def test_shipped_files_begin_with_their_schema() -> None:
    for path in (ROOT / "config").glob("*.yaml"):
        schema = "sources" if path.stem == "sources" else "config"
        assert path.read_text().startswith(
            f"# yaml-language-server: $schema=../workflow/schemas/{schema}.schema.yaml\n"
        )


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (stoic(train={"epoch": 3}), "config: challenges.stoic.train.epoch is not a key; did you mean 'epochs'?"),
        (stoic(train={"lr": "fast"}), "config: challenges.stoic.train.lr must be a number, not 'fast'"),
        (stoic(train={"lr": 0}), "config: challenges.stoic.train.lr must be more than 0, not 0"),
        (stoic(train={"folds": 1}), "config: challenges.stoic.train.folds must be at least 2, not 1"),
        (stoic(train={"epochs": 2.5}), "config: challenges.stoic.train.epochs must be a whole number, not 2.5"),
        (
            stoic(train={"where": "cloud"}),
            "config: challenges.stoic.train.where must be one of container, host, not 'cloud'",
        ),
        (
            stoic(preprocess={"size": [64, 64]}),
            "config: challenges.stoic.preprocess.size must have at least 3 entries, not 2",
        ),
        (
            stoic(preprocess={"size": [64, "big", 64]}),
            "config: challenges.stoic.preprocess.size[1] must be a whole number, not 'big'",
        ),
        (stoic(train=None), "config: challenges.stoic.train must be a mapping of keys, not empty"),
        (stoic(source=""), "config: challenges.stoic.source must not be empty"),
        (stoic(test={"predict_profiles": ["strict", "strict"]}), "predict_profiles must not name the same entry twice"),
        ({"challenges": {"stoik": {}}}, "config: challenges.stoik is not a key; did you mean 'stoic'?"),
        ({}, "config: challenges is missing; add it"),
    ],
)
def test_a_mistake_is_one_sentence_with_its_key(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as error:
        checked(values, SCHEMA)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_misspelt_key_is_told_before_what_follows_from_it() -> None:
    with pytest.raises(UserError, match=r"train\.epoch is not a key"):
        checked(stoic(train={"epoch": 3, "lr": "x", "folds": 0}, source=""), SCHEMA)


def test_defaults_are_filled_at_every_depth_and_shared_with_the_code() -> None:
    block = checked(stoic(), SCHEMA)["challenges"]["stoic"]
    plain = {
        kind: {key: _plain(value) for key, value in asdict(kind()).items()} for kind in (Preprocess, Train, Predict)
    }
    assert block["preprocess"] == {**plain[Preprocess], "shards": 8}
    assert block["train"] == plain[Train]
    assert block["predict"] == plain[Predict]


@pytest.mark.parametrize("section", ["plan", "train", "predict", "metric"])
def test_amos_defaults_are_shared_with_the_code(section: str) -> None:
    block = checked({"challenges": {"amos": {}}}, SCHEMA)["challenges"]["amos"]
    kind = {"plan": amos.Plan, "train": amos.Train, "predict": amos.Predict, "metric": amos.Metric}[section]
    assert block[section] == {key: _plain(value) for key, value in asdict(kind()).items()}


def test_objectnets_defaults_are_shared_with_the_code() -> None:
    block = checked({"challenges": {"objectnet": {}}}, SCHEMA)["challenges"]["objectnet"]
    assert block["predict"] == asdict(objectnet.Predict())
    assert block["demo"] == asdict(Demo())
    assert {key: block[key] for key in ("tag", "runtime")} == asdict(objectnet.Submission())
    named = checked(
        {
            "challenges": {
                "objectnet": {"train": {"candidates": {"a": {"model": "X", "weights": "w", "transform": {}}}}}
            }
        },
        SCHEMA,
    )
    (one,) = named["challenges"]["objectnet"]["train"]["candidates"].values()
    assert one["transform"] == {key: _plain(value) for key, value in asdict(objectnet.Transform()).items()}
    assert {name: one["model"] for name, one in block["train"]["candidates"].items()} == {
        "lite0": "EfficientNetLite0",
        "lite2": "EfficientNetLite2",
    }


def test_salts_defaults_are_shared_with_the_code() -> None:
    block = checked({"challenges": {"salt": {}}}, SCHEMA)["challenges"]["salt"]
    sections: dict[str, Any] = {
        "demo": salt_demo.Demo(),
        "train": salt.Train(),
        "inputs": salt.Inputs(),
        "classifier": salt.Classifier(),
        "segmentation": salt.Segmentation(),
        "tune": salt.Tune(),
        "predict": salt.Predict(),
        "submit": salt.Submit(),
    }
    for name, values in sections.items():
        plain = {key: _plain(value) for key, value in asdict(values).items() if not key.startswith("depth_")}
        assert block[name] == plain
    keys = SCHEMA["properties"]["challenges"]["properties"]["salt"]["properties"]
    assert keys["predict"]["properties"]["variant"]["enum"] == list(salt.VARIANTS)


def test_agrigaias_defaults_are_shared_with_the_code() -> None:
    block = checked({"challenges": {"agrigaia": {}}}, SCHEMA)["challenges"]["agrigaia"]
    assert block["demo"] == asdict(agrigaia_demo.Demo())
    assert block["remote"] == asdict(Remote())
    assert block["package"] == asdict(Package())
    assert block["architecture"] in shipped()


def test_the_configuration_is_read_without_the_slow_grammars_of_jsonschema() -> None:
    """They stay importable for those who want them."""
    looks = "import sys; from workflow.scripts.slipway import configuration; print('rfc3987_syntax' in sys.modules); "
    looks += "import rfc3987_syntax; print(rfc3987_syntax.__name__)"
    done = subprocess.run([sys.executable, "-c", looks], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "rfc3987_syntax"]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_checking_leaves_what_it_was_given_alone() -> None:
    values = stoic()
    checked(values, SCHEMA)
    assert values == stoic()


def test_every_key_has_a_description_and_every_mapping_is_closed() -> None:
    def look(schema: Schema, path: str) -> None:
        for key, part in schema["properties"].items():
            assert len(part["description"].split()) >= 3, f"{path}.{key} says too little"
            if "properties" in part:
                assert part["additionalProperties"] is False, f"{path}.{key} lets typos pass"
                look(part, f"{path}.{key}")

    look(SCHEMA, "config")


def test_the_manual_is_what_the_schema_says(tmp_path: Path) -> None:
    written = tmp_path / "README.md"
    assert docs(["--schema", str(SCHEMA_FILE), "--output", str(written)]) == 0
    assert written.read_text() == render(SCHEMA)
    assert (ROOT / "config/README.md").read_text() == render(SCHEMA), "run `./slipway docs`"
    assert "| `lr` | number > 0, ≤ 10 | `0.0001` | Highest learning rate" in render(SCHEMA)
