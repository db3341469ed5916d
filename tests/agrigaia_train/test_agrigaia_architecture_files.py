"""What lies in an architecture's folder, held against the form that the platform shows and against each other."""

from __future__ import annotations

import argparse
import json
from typing import Any

import jsonschema
import pytest

from tests.agrigaia_train import flat

SETUP_ONLY = {"train-split", "test-split"}
CONTRACT = {
    "epochs": 50,
    "optimizer": "AdamW",
    "lr-scheduler": "ReduceLROnPlateau",
    "learning-rate": 0.001,
    "weight-decay": 0.01,
    "train-split": 0.8,
    "test-split": 0.2,
}
REQUIRED = {*CONTRACT, "batch-size", "img-size"} - {"weight-decay"}
TYPES: dict[str, Any] = {"integer": int, "number": (int, float), "string": str, "boolean": bool}

every = pytest.mark.parametrize("name", sorted(flat.ARCHITECTURES))


def content(name: str, file: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((flat.ARCHITECTURES[name] / file).read_text())
    return value


def words(properties: dict[str, Any], presets: dict[str, Any]) -> list[str]:
    """As config_to_args.py gives them."""
    given = {key: value["default"] for key, value in properties.items() if key not in SETUP_ONLY} | presets
    return [
        word
        for key, value in given.items()
        if value is not False
        for word in ([f"--{key}"] if value is True else [f"--{key}", str(value)])
    ]


@every
def test_the_form_has_the_contracts_keys_and_sound_defaults(name: str) -> None:
    form = content(name, "config.jsonschema")
    jsonschema.Draft202012Validator.check_schema(form)
    defaults = {key: value["default"] for key, value in form["properties"].items()}
    assert form["type"] == "object"
    assert form["description"]
    assert set(form["required"]) == REQUIRED
    assert {key: defaults[key] for key in CONTRACT} == CONTRACT
    for value in form["properties"].values():
        assert isinstance(value["default"], TYPES[value["type"]])
        assert value["title"]
        assert value["description"].endswith(".")
    assert content(name, "train_config.json") == defaults
    jsonschema.validate(defaults, form)
    for key, wrong in (("epochs", 0), ("optimizer", "Adam"), ("train-split", 1.1), ("learning-rate", -1)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**defaults, key: wrong}, form)


@every
def test_train_takes_every_key_of_the_form_and_the_presets_and_no_other(name: str) -> None:
    properties, presets = content(name, "config.jsonschema")["properties"], content(name, "presets.json")
    parser: argparse.ArgumentParser = flat.load(name, "args").parser()
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    assert options == {f"--{key}" for key in (properties.keys() - SETUP_ONLY) | presets.keys()} | {"--help"}
    parsed = vars(parser.parse_args(words(properties, presets)))
    for key, value in {**{key: value["default"] for key, value in properties.items()}, **presets}.items():
        if key not in SETUP_ONLY:
            assert parsed[key.replace("-", "_")] == value, key
            assert type(parsed[key.replace("-", "_")]) is type(value), key


@every
def test_train_takes_what_the_form_allows_and_defaults_are_the_same_in_both(name: str) -> None:
    properties, presets = content(name, "config.jsonschema")["properties"], content(name, "presets.json")
    parser: argparse.ArgumentParser = flat.load(name, "args").parser()
    needed = words({}, {key: value for key, value in presets.items() if key != "model-file"})
    bare = vars(parser.parse_args(needed))
    for key, value in properties.items():
        if key in SETUP_ONLY:
            continue
        if value["type"] != "boolean":
            assert bare[key.replace("-", "_")] == value["default"], key
        allowed = value.get("enum") or [value[bound] for bound in ("minimum", "maximum") if bound in value]
        for one in allowed:
            assert vars(parser.parse_args([*needed, f"--{key}", str(one)]))[key.replace("-", "_")] == one
        beyond = ["Unheard-of"] if "enum" in value else [value["minimum"] - 1] if "minimum" in value else []
        for one in beyond:
            with pytest.raises(SystemExit):
                parser.parse_args([*needed, f"--{key}", str(one)])
    for key in presets.keys() - {"model-file"}:
        with pytest.raises(SystemExit):
            parser.parse_args([word for word in needed if word not in (f"--{key}", presets[key])])


@every
def test_whole_numbers_may_be_written_as_the_form_gives_them(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser: argparse.ArgumentParser = flat.load(name, "args").parser()
    needed = words({}, content(name, "presets.json"))
    assert parser.parse_args([*needed, "--epochs", "50.0", "--img-size", "1.28e2"]).img_size == 128
    for key, value, said in (
        ("epochs", "2.5", "2.5 is no whole number"),
        ("epochs", "0", "0 is less than 1"),
        ("learning-rate", "nan", "nan is no amount; give 0 or more"),
        ("seed", "x", "x is no amount; give 0 or more"),
        ("img-size", "32", "32 pixels are not possible; give 64 or more"),
    ):
        with pytest.raises(SystemExit):
            parser.parse_args([*needed, f"--{key}", value])
        assert f"argument --{key}: {said}" in capsys.readouterr().err


@every
def test_the_presets_and_the_platforms_model_agree(name: str) -> None:
    presets, custom = content(name, "presets.json"), content(name, "custom.json")
    directories = {"output-dir": "/train", "images-dir": "/datasets/images", "labels-dir": "/datasets/labels"}
    assert {key: presets[key] for key in directories} == directories
    assert sorted(custom) == ["model_filepath", "score_name", "score_regexp"]
    assert custom["model_filepath"] == f"{presets['output-dir']}/{presets['model-file']}"
    size = content(name, "train_config.json")["img-size"]
    export = content(name, "export_config.json")
    assert export["input_shapes"] == [[1, 3, size, size]]
    jsonschema.validate(export, json.loads((flat.AGRIGAIA / "export" / "export.jsonschema").read_text()))


@every
def test_an_option_that_is_missing_or_unknown_ends_training(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser: argparse.ArgumentParser = flat.load(name, "args").parser()
    with pytest.raises(SystemExit) as error:
        parser.parse_args(["--images-dir", "i", "--data", "d"] if name == "detector" else ["--images-dir", "i"])
    assert error.value.code == 2
    assert "error: the following arguments are required: --labels-dir, --output-dir\n" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        parser.parse_args([*words({}, content(name, "presets.json")), "--epoch", "3"])
    assert "error: unrecognized arguments: --epoch 3\n" in capsys.readouterr().err
