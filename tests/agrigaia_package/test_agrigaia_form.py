"""What the configuration says of Agri-Gaia, completed and checked before anything runs."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from containers.kit.errors import UserError
from tests.agrigaia_package.conftest import edited
from tests.processes import ROOT
from workflow.scripts.agrigaia import architectures, form, soundness
from workflow.scripts.agrigaia.architectures import SHIPPED

TRAIN = "challenges.agrigaia.train"
NAMED = "challenges.agrigaia.package"


def refused(*words: Any, **named: Any) -> str:
    with pytest.raises(UserError) as caught:
        form.chosen(*words, **named)
    return str(caught.value)


def test_the_forms_defaults_are_filled_in_and_its_order_is_kept() -> None:
    chosen = form.chosen("efficientnet", {"epochs": 3, "strict": True}, {})
    schema = json.loads((SHIPPED / "efficientnet" / "config.jsonschema").read_text())
    expected = {key: value["default"] for key, value in schema["properties"].items()}
    assert dict(chosen.train) == {**expected, "epochs": 3, "strict": True}
    assert list(chosen.train) == list(schema["properties"])
    jsonschema.validate(dict(chosen.train), schema)
    assert json.loads((SHIPPED / "efficientnet" / "train_config.json").read_text()) == expected


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ({"epoch": 3}, f"{TRAIN}.epoch is not a key; did you mean 'epochs'?"),
        ({"epochs": 0}, f"{TRAIN}.epochs must be at least 1, not 0"),
        ({"epochs": "3"}, f"{TRAIN}.epochs must be a whole number, not '3'"),
        ({"epochs": True}, f"{TRAIN}.epochs must be a whole number, not True"),
        ({"optimizer": "Adam"}, f"{TRAIN}.optimizer must be one of AdamW, SGD, not 'Adam'"),
        ({"img-size": 100}, f"{TRAIN}.img-size: 100 is not a multiple of 32"),
        ({"learning-rate": math.nan}, f"{TRAIN}.learning-rate must be a number, not nan"),
        ({"weight-decay": math.inf}, f"{TRAIN}.weight-decay must be a number, not inf"),
        ({"train-split": 0}, f"{TRAIN}.train-split must be more than 0, or there is nothing to learn from"),
        ({"train-split": 0.9}, f"{TRAIN}.train-split and {TRAIN}.test-split are 1.1 together; stay within 1"),
    ],
)
def test_a_value_that_the_form_refuses_is_named(train: dict[str, Any], said: str) -> None:
    assert said in refused("detector", train, {})


@pytest.mark.parametrize(("learnt", "judged"), [(0.7, 0.3), (0.9, 0.1), (1, 0), (0.5, 0.2)])
def test_the_splits_may_take_everything_or_less(learnt: float, judged: float) -> None:
    train = form.chosen("detector", {"train-split": learnt, "test-split": judged}, {}).train
    assert (train["train-split"], train["test-split"]) == (learnt, judged)


@pytest.mark.parametrize(
    ("architecture", "named", "path", "tag"),
    [
        ("efficientnet", {}, "Slipway/Classification/EfficientNet", "slipway/slipway-efficientnet"),
        ("detector", {"category": ""}, "Slipway/Object Detection/Detector", "slipway/slipway-detector"),
        (
            "detector",
            {"provider": "My_Lab", "category": "Instance Segmentation", "architecture": "Mask R-CNN"},
            "My_Lab/Instance Segmentation/Mask R-CNN",
            "slipway/my_lab-mask-r-cnn",
        ),
        (
            "detector",
            {"provider": "A_. b", "architecture": "v1.0 _"},
            "A_. b/Object Detection/v1.0 _",
            "slipway/a-b-v1.0",
        ),
    ],
)
def test_the_packages_names_and_the_images_tag(architecture: str, named: dict[str, str], path: str, tag: str) -> None:
    chosen = form.chosen(architecture, {}, named)
    assert (chosen.package.path, chosen.tag) == (path, tag)


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"provider": "a/b"}, f"{NAMED}.provider is 'a/b'; write up to 60 letters, digits, spaces, _, - and ., with a"),
        ({"category": ".."}, f"{NAMED}.category is '..'; write up to 60"),
        ({"category": "Züge"}, f"{NAMED}.category is 'Züge'; write up to 60"),
        ({"category": "end "}, f"{NAMED}.category is 'end '; write up to 60"),
        ({"category": "end."}, f"{NAMED}.category is 'end.'; write up to 60"),
        ({"architecture": "a\nb"}, f"{NAMED}.architecture is 'a\nb'; write up to 60"),
        ({"architecture": "config"}, f"{NAMED}.architecture is 'config', which is a folder of every package; choose"),
        ({"architecture": "Docker"}, f"{NAMED}.architecture is 'Docker', which is a folder of every package; choose"),
        ({"provider": ""}, f"{NAMED}.provider is missing; set it"),
        ({"provider": 7}, f"{NAMED}.provider must be a text, not 7"),
        ({"providers": "x"}, f"{NAMED}.providers is not a setting; did you mean 'provider'?"),
        ({"architecture": "x" * 61}, f"{NAMED}.architecture is '{'x' * 57}...'; write up to 60 letters"),
    ],
)
def test_a_name_that_no_folder_of_a_package_can_have(named: dict[str, Any], said: str) -> None:
    assert refused("efficientnet", {}, named).startswith(said)


def test_an_unknown_architecture_is_told_with_the_known_ones() -> None:
    said = "challenges.agrigaia.architecture: 'efficentnet' is neither an architecture of Slipway's nor a folder; "
    assert refused("efficentnet", {}, {}) == f"{said}did you mean 'efficientnet'?"
    assert refused("/nowhere", {}, {}).endswith("choose detector or efficientnet, or name a folder of your own")


@pytest.mark.parametrize("name", architectures.NEEDED)
def test_a_file_that_an_architecture_lacks_is_named(own: Path, name: str) -> None:
    (own / name).unlink()
    assert refused(str(own), {}, {}) == (
        f"challenges.agrigaia.architecture: {own} has no {name}; add it, as containers/agrigaia/architectures has it"
    )


def test_an_architecture_of_ones_own_has_its_form_and_its_name(own: Path) -> None:
    schema = json.loads((own / "config.jsonschema").read_text())
    schema["properties"]["depth"] = {"type": "integer", "default": 4, "minimum": 1}
    (own / "config.jsonschema").write_text(json.dumps(schema))
    chosen = form.chosen(str(own), {"depth": 7}, {})
    assert chosen.train["depth"] == 7
    assert {own / "setup.py", own / "architecture.json", own / "custom.json"} <= set(chosen.files)
    assert all(path.is_file() for path in chosen.files)
    (own / "architecture.json").unlink()
    said = f"{NAMED}.category is missing; set it, or add architecture.json to {own}"
    assert refused(str(own), {}, {}) == said
    assert form.chosen(str(own), {}, {"category": "Depth", "architecture": "Mine"}).tag == "slipway/slipway-mine"


def test_a_form_of_ones_own_must_be_the_platforms(own: Path) -> None:
    path, schema = own / "config.jsonschema", json.loads((own / "config.jsonschema").read_text())
    properties, required = schema["properties"], schema["required"]

    def without(key: str) -> dict[str, Any]:
        return {name: value for name, value in properties.items() if name != key}

    wrong: list[tuple[Any, str]] = [
        ([], 'is no form; it must be a JSON schema of "type": "object"'),
        ({**schema, "type": "array"}, 'is no form; it must be a JSON schema of "type": "object"'),
        ({**schema, "required": 3}, "is no valid JSON schema: required: 3 is not of type 'array'"),
        ({**schema, "properties": without("epochs")}, "lacks epochs; each must be in its `required` and in its"),
        ({**schema, "required": required[1:]}, "lacks epochs; each must be in its `required` and in its `properties`"),
        ({**schema, "properties": {**properties, "x": {"type": "string"}}}, "has no default for x; the platform fills"),
        ({**schema, "properties": {**properties, "x": {"$ref": "#/a"}}}, "has a $ref, which the platform's form does"),
        (
            {**schema, "properties": {**properties, "x": {"type": "integer", "default": "a"}}},
            "the default of x does not satisfy it ('a' is not of type 'integer'); correct one",
        ),
    ]
    for content, said in wrong:
        path.write_text(json.dumps(content))
        found = refused(str(own), {}, {})
        assert found.startswith(str(path))
        assert said in found
    path.write_text("{")
    assert refused(str(own), {}, {}).startswith(f"{path} is not readable as JSON (")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"score_name": None}, "must have exactly the keys model_filepath, score_name, score_regexp; add or remove"),
        ({"more": "x"}, "must have exactly the keys model_filepath, score_name, score_regexp; add or remove"),
        ({"score_name": ""}, "score_name must be a text that is not empty"),
        ({"score_regexp": 3}, "score_regexp must be a text that is not empty"),
        ({"score_regexp": "("}, "score_regexp is no regular expression (missing ), unterminated subpattern at"),
        ({"model_filepath": "/models/model.pt"}, "model_filepath is /models/model.pt; name a file below /train that"),
        ({"model_filepath": "/train/../model.pt"}, "model_filepath is /train/../model.pt; name a file below /train"),
        ({"model_filepath": "/train/model.h5"}, "model_filepath is /train/model.h5; name a file below /train that"),
    ],
)
def test_the_words_about_model_and_score_must_be_the_platforms(own: Path, changes: dict[str, Any], said: str) -> None:
    edited(own / "custom.json", **changes)
    found = refused(str(own), {}, {})
    assert found.startswith(str(own / "custom.json"))
    assert said in found


def test_other_files_of_ones_own_that_cannot_be(own: Path) -> None:
    (own / "loop.py").touch()
    assert f"{own}/loop.py has the name of " in refused(str(own), {}, {})
    (own / "loop.py").rename(own / "anchors.csv")
    assert f"{own}/anchors.csv would be in no image, since the usual Dockerfile takes *.py" in refused(str(own), {}, {})
    (own / "Dockerfile").write_text((architectures.AGRIGAIA / "Dockerfile").read_text() + "COPY anchors.csv ./\n")
    assert own / "anchors.csv" in form.chosen(str(own), {}, {}).files
    (own / "more").mkdir()
    assert f"{own}/more is no file, and a template has no folders" in refused(str(own), {}, {})
    (own / "more").rmdir()
    for name in (".git", "__pycache__"):
        (own / name).mkdir()
    (own / "presets.json").write_text("[]")
    assert refused(str(own), {}, {}).startswith(f"{own}/presets.json holds no object")
    (own / "presets.json").write_text("{}")
    edited(own / "export_config.json", input_shapes=[[1, 3, 8]])
    assert refused(str(own), {}, {}).startswith(f"{own}/export_config.json: input_shapes.0: ")
    (own / "export_config.json").write_text("{}")
    edited(own / "architecture.json", provider="me")
    assert refused(str(own), {}, {}).startswith(f"{own}/architecture.json may have the keys category and architecture")


def test_rules_ask_it_without_anything_large() -> None:
    code = "import sys, workflow.scripts.agrigaia.form; print(sorted({'torch', 'numpy', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_required_keys_are_those_of_the_shipped_forms() -> None:
    for name in architectures.shipped():
        required = json.loads((SHIPPED / name / "config.jsonschema").read_text())["required"]
        assert sorted(required) == sorted(soundness.KEYS)
