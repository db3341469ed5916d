"""What Snakemake would do for ObjectNet, from a fresh clone: no engine, no data, nothing run."""

from __future__ import annotations

import pytest

from tests.workflow.clone import Clone

OBJECTNET = {
    "base": 1,
    "objectnet_fetch": 1,
    "objectnet_inspect": 1,
    "objectnet_photos": 1,
    **{f"objectnet_{rule}_{name}": 1 for rule in ("weights", "compare") for name in ("lite0", "lite2")},
    "objectnet_choose": 1,
    "objectnet_artifact": 1,
    "objectnet_cases": 1,
    **{
        f"objectnet_{rule}_{image}": 1
        for rule in ("wheels", "submission", "image", "test", "save")
        for image in ("torch", "onnx")
    },
    "objectnet_score": 1,
    "objectnet_cover": 1,
    "objectnet_report": 1,
}


def test_objectnet_alone(fresh: Clone) -> None:
    assert fresh.plan("export_objectnet") == {**OBJECTNET, "export_objectnet": 1}
    assert not {"objectnet_fetch", "objectnet_cases"} & fresh.plan("objectnet_train").keys(), "no image may tune"


@pytest.mark.parametrize("runtime", ["torch", "onnx"])
def test_one_image_of_objectnet_is_enough(fresh: Clone, runtime: str) -> None:
    other = {"torch": "onnx", "onnx": "torch"}[runtime]
    plan = fresh.plan(*fresh.overlay("one", "objectnet", runtime=runtime), "export_objectnet")
    assert plan == {**{rule: n for rule, n in OBJECTNET.items() if not rule.endswith(other)}, "export_objectnet": 1}


def test_objectnet_is_pushed_only_when_asked_for(fresh: Clone) -> None:
    words = fresh.overlay("push", "objectnet", tag="registry.example:5000/team/odd:v2")
    done = fresh.snakemake("--dry-run", *words, "objectnet_push")
    assert "--name=tag=registry.example:5000/team/odd:v2 --name=name=odd" in done.stdout
    plan = fresh.plan(*words, "objectnet_push")
    assert (plan["objectnet_push_torch"], plan["objectnet_push_onnx"]) == (1, 1)
    assert not {"objectnet_save_torch", "objectnet_report"} & plan.keys()
    assert "results/objectnet/odd-onnx.tar.gz" in fresh.snakemake("--dry-run", *words, "objectnet_save").stdout


def test_a_network_of_the_zoo_brings_its_packages(fresh: Clone) -> None:
    candidates = {"big": {"model": "timm:resnet50", "weights": "package:efficientnet-lite0"}}
    done = fresh.snakemake(
        "--dry-run", *fresh.overlay("zoo", "objectnet", train={"candidates": candidates}), "objectnet_image"
    )
    assert done.stdout.count("requirements-torch.txt /") == 1, "a second list in the command"
    assert done.stdout.count("requirements-onnx.txt /") == 0
    assert "requirements-zoo.txt" not in fresh.snakemake("--dry-run", "objectnet_image").stdout


@pytest.mark.parametrize(
    ("block", "sentence"),
    [
        (
            {"tag": "My Team"},
            "challenges.objectnet.tag 'My Team' names no image; write it as registry/project/name:tag",
        ),
        ({"runtime": "tensorrt"}, "challenges.objectnet.runtime must be one of torch, onnx, both, not 'tensorrt'"),
        ({"train": {"candidates": {"Lite": {}}}}, "challenges.objectnet.train.candidates must match"),
        (
            {"train": {"candidates": {"a": {"model": "X"}}}},
            "challenges.objectnet.train.candidates.a.weights is missing",
        ),
        ({"predict": {"temperature": 0}}, "challenges.objectnet.predict.temperature must be more than 0, not 0"),
        ({"predict": {"precision": "bf16"}}, "challenges.objectnet.predict.precision 'bf16' needs torch, which"),
        ({"runtime": "onnx", "predict": {"backend": "torch"}}, "set it to auto or onnx, or runtime to torch"),
        ({"predict": {"convert_outputs_mode": 2}}, "convert_outputs_mode must be one of merge, 1, 0, not 2"),
        ({"source": "data/x", "train": {"photos": "data/x/chair"}}, "may never be used to tune the parameters of any"),
    ],
)
def test_a_mistake_about_objectnet_is_one_sentence(fresh: Clone, block: dict[str, object], sentence: str) -> None:
    done = fresh.snakemake("--dry-run", *fresh.overlay("wrong", "objectnet", **block), "export_objectnet", check=False)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert "Traceback" not in done.stdout
