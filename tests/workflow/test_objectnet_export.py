"""ObjectNet on demo data, the whole way with real containers: both images, what they wrote, and their use by hand."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.push import registry
from tests.workflow.clone import Clone
from workflow.scripts import test as bench
from workflow.scripts.slipway.engine import Engine, find

pytestmark = pytest.mark.engine

IMAGES = ("torch", "onnx")
AFTER_IMAGE = {f"objectnet_{rule}_{image}": 1 for rule in ("test", "save") for image in IMAGES}
REPORTED = {"objectnet_score": 1, "objectnet_report": 1}
AFTER_ARTIFACT = {
    **{f"objectnet_{rule}_{image}": 1 for rule in ("submission", "image") for image in IMAGES},
    **AFTER_IMAGE,
    **REPORTED,
}
AFTER_PHOTOS = {
    "objectnet_compare_lite0": 1,
    "objectnet_compare_lite2": 1,
    "objectnet_choose": 1,
    "objectnet_artifact": 1,
    **AFTER_ARTIFACT,
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return find()


def results(clone: Clone, *parts: str) -> Path:
    return clone.root.joinpath("results", "objectnet", *parts)


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def ids(path: Path) -> dict[str, list[str]]:
    """The five guesses of each image in a predictions.csv."""
    with path.open(newline="") as stream:
        return {row[0]: row[1::2] for row in csv.reader(stream)}


def inputs(clone: Clone) -> Path:
    return Path(read(clone.root / "scratch" / "objectnet" / "raw" / "cases.json")["root"])


def by_hand(engine: Engine, clone: Clone, reference: str, output: Path, *words: str) -> str:
    """What the container prints when it is run as the organisers run it, with further words for its program."""
    output.mkdir()
    mounts = ["--volume", f"{inputs(clone)}:/input:ro", "--volume", f"{output}:/output"]
    command = engine.command("run", "--rm", "--network", "none", "--shm-size", "12G", *mounts, reference, *words)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize("image", IMAGES)
def test_the_containers_pass_under_both_profiles(exported_objectnet: Clone, image: str) -> None:
    verdict = read(results(exported_objectnet, image, "verdict.json"))
    assert verdict["status"] == "PASS", verdict["reason"]
    organisers, strict = verdict["runs"]
    assert (organisers["profile"], strict["profile"]) == ("organisers", "strict")
    assert "--user 10001:10001" in strict["command"]
    assert "--shm-size 12g" in organisers["command"]
    assert "--user" not in organisers["command"]
    flags = {change["flag"] for change in organisers["adapted"]}
    assert flags <= {"--runtime", "--gpus", "--memory"}


def test_every_image_has_five_guesses_and_the_score_is_far_above_chance(exported_objectnet: Clone) -> None:
    answers = read(exported_objectnet.root / "scratch" / "objectnet" / "raw" / "cases.json")["answers"]
    for image in IMAGES:
        guesses = ids(results(exported_objectnet, image, "output", "predictions.csv"))
        assert guesses.keys() == answers.keys()
        assert {len(five) for five in guesses.values()} == {5}
        everything = read(results(exported_objectnet, "score", f"{image}.json"))
        overlap = read(results(exported_objectnet, "score", f"{image}-overlap.json"))
        assert everything["prediction_file_status"] == overlap["prediction_file_status"] == "VALIDATED"
        assert everything["images_scored"] == everything["total_images"] == len(answers)
        right = sum(five[0] == str(answers[name]) for name, five in guesses.items())
        assert everything["accuracy"] == pytest.approx(100 * right / len(answers))
        assert overlap["accuracy"] >= 70
        assert overlap["top5_accuracy"] >= 90


def test_the_image_without_torch_is_a_third_of_the_other(exported_objectnet: Clone) -> None:
    sizes = {
        name: results(exported_objectnet, f"{name}.tar.gz").stat().st_size for name in ("objectnet", "objectnet-onnx")
    }
    assert sizes["objectnet-onnx"] <= sizes["objectnet"] / 3
    packages = {image: read(results(exported_objectnet, image, "image.json"))["packages"] for image in IMAGES}
    names = {image: {pin.partition("==")[0] for pin in pins} for image, pins in packages.items()}
    assert "torch" in names["torch"]
    assert not {"torch", "safetensors", "efficientnet-lite-pytorch"} & names["onnx"]
    assert not list(results(exported_objectnet, "submission", "onnx").rglob("*.safetensors"))


def test_torch_itself_and_onnx_give_the_same_five(exported_objectnet: Clone, engine: Engine, tmp_path: Path) -> None:
    """On a CPU both images take ONNX Runtime, so here the one with torch is told to use it."""
    image_id = read(results(exported_objectnet, "torch", "image.json"))["image_id"]
    said = by_hand(engine, exported_objectnet, image_id, tmp_path / "out", "--backend", "torch", "--precision", "fp32")
    assert "torch 2." in said
    onnx = ids(results(exported_objectnet, "onnx", "output", "predictions.csv"))
    assert ids(tmp_path / "out" / "predictions.csv") == onnx
    assert ids(results(exported_objectnet, "torch", "output", "predictions.csv")) == onnx


def params(said: str) -> dict[str, str]:
    """The block that the program prints at its beginning."""
    lines = said.partition("**** params ****")[2].partition("\n****")[0].splitlines()
    return {name: value for name, _, value in (line.partition(" ") for line in lines) if name}


def test_build_arguments_reach_the_program(exported_objectnet: Clone, engine: Engine, tmp_path: Path) -> None:
    folder = results(exported_objectnet, "submission", "onnx")
    values = {
        "MODEL_CLASS_NAME": "EfficientNetLite2",
        "MODEL_CHECKPOINT": "model.onnx",
        "WORKERS": "1",
        "BATCH_SIZE": "7",
    }
    arguments = [word for name, value in values.items() for word in ("--build-arg", f"{name}={value}")]
    tag = "slipway-test/objectnet-arguments"
    subprocess.run(
        engine.command("build", "--quiet", "--network", "none", *arguments, "--tag", tag, str(folder)), check=True
    )
    try:
        said = params(by_hand(engine, exported_objectnet, tag, tmp_path / "out"))
    finally:
        subprocess.run(engine.command("image", "rm", tag), check=True, capture_output=True)
    assert said["workers"].strip() == "1"
    assert said["batch_size"].strip() == "7"
    assert said["model_class_name"].strip() == "EfficientNetLite2"
    assert said["model_checkpoint"].strip() == "/opt/artifact/model.onnx"


def test_code_of_the_folder_is_tried_without_a_build(exported_objectnet: Clone, tmp_path: Path) -> None:
    folder = tmp_path / "onnx"
    shutil.copytree(results(exported_objectnet, "submission", "onnx"), folder)
    program = folder / "containers" / "objectnet" / "objectnet_eval.py"
    text = program.read_text()
    assert "**** params ****" in text
    program.write_text(text.replace("**** params ****", "**** mine ****"))
    (tmp_path / "out").mkdir()
    command = ["bash", str(folder / "debug.sh"), str(inputs(exported_objectnet)), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "**** mine ****" in done.stdout
    assert ids(tmp_path / "out" / "predictions.csv") == ids(
        results(exported_objectnet, "onnx", "output", "predictions.csv")
    )


def test_the_templates_command_works_inside(exported_objectnet: Clone, engine: Engine, tmp_path: Path) -> None:
    image_id = read(results(exported_objectnet, "onnx", "image.json"))["image_id"]
    (tmp_path / "out").mkdir()
    mounts = ["--volume", f"{inputs(exported_objectnet)}:/photos:ro", "--volume", f"{tmp_path / 'out'}:/out"]
    words = ["objectnet_eval.py", "/photos", "/out/mine.csv", "EfficientNetLite2", "/opt/artifact/model.onnx"]
    command = engine.command("run", "--rm", *mounts, "--entrypoint", words[0], image_id, *words[1:], "--softmax", "F")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert params(done.stdout)["softmax"].strip() == "False"
    assert ids(tmp_path / "out" / "mine.csv") == ids(results(exported_objectnet, "onnx", "output", "predictions.csv"))


def test_an_image_that_cannot_be_decoded_is_a_warning_and_no_failure(exported_objectnet: Clone, tmp_path: Path) -> None:
    good = sorted(inputs(exported_objectnet).glob("*.png"))[:2]
    (tmp_path / "input").mkdir()
    for path in good:
        shutil.copy(path, tmp_path / "input")
    (tmp_path / "input" / "f00000000000bad.png").write_bytes(good[0].read_bytes()[:2000])
    files = {"contract": exported_objectnet.root / "containers/objectnet/contract.yaml", "log-dir": tmp_path / "logs"}
    files |= {"record": results(exported_objectnet, "onnx", "image.json"), "verdict": tmp_path / "verdict.json"}
    words = ["--image=onnx", "--name=tag=slipway/objectnet", "--name=name=objectnet", "--profile=organisers"]
    mounts = [f"--mount={name}={tmp_path / name}" for name in ("input", "output")]
    assert bench.main([*words, *mounts, *(f"--{flag}={path}" for flag, path in files.items())]) == 0
    verdict = read(tmp_path / "verdict.json")
    assert verdict["status"] == "PASS"
    warned = {check["name"]: check["note"] for check in verdict["runs"][0]["checks"] if check["status"] == "WARN"}
    assert "1 of 3 photos could not be read" in warned["exit code"]
    assert "f00000000000bad.png" in warned["not decoded"]
    guesses = ids(tmp_path / "output" / "predictions.csv")
    assert guesses["f00000000000bad.png"] == ["-1"] * 5
    assert "-1" not in guesses[good[0].name]


@pytest.mark.parametrize("image", IMAGES)
def test_weights_lie_in_a_layer_of_their_own_below_the_code(
    exported_objectnet: Clone, engine: Engine, image: str
) -> None:
    image_id = read(results(exported_objectnet, image, "image.json"))["image_id"]
    rows = engine.ask("history", "--no-trunc", "--format", "{{.CreatedBy}}\t{{.Size}}", image_id).splitlines()
    copies = [row for row in rows if " COPY " in row]  # the newest first
    weights = next(number for number, row in enumerate(copies) if " in /opt/artifact/" in row)
    code = next(number for number, row in enumerate(copies) if " in containers/" in row)
    assert code < weights
    assert copies[weights].split("\t")[1].endswith("MB")


def test_a_second_run_has_nothing_to_do(exported_objectnet: Clone) -> None:
    assert exported_objectnet.plan("export_objectnet") == {}


def test_a_change_runs_what_it_should_again(exported_objectnet: Clone) -> None:
    other = exported_objectnet.overlay("tta", "objectnet", predict={"tta": "flip"})
    assert exported_objectnet.plan(*other, "export_objectnet") == {**AFTER_PHOTOS, "export_objectnet": 1}
    fewer = exported_objectnet.overlay("fewer", "objectnet", test={"minutes": 30, "images": 12})
    expected = {"objectnet_cases": 1, **AFTER_IMAGE, **REPORTED, "export_objectnet": 1}
    assert exported_objectnet.plan(*fewer, "export_objectnet") == expected


def test_the_page_tells_the_choice_the_scores_and_shows_photos(exported_objectnet: Clone) -> None:
    page = results(exported_objectnet, "report.html").read_text()
    assert "Ready to submit" in page
    assert "On the ImageNet photos that chose the network: top-1" in page
    assert (
        "On ObjectNet&#x27;s images, by the onnx container" in page
        or "On ObjectNet's images, by the onnx container" in page
    )
    assert "data:image/png;base64," in page


def test_pushing_goes_to_the_registry_of_the_tag(exported_objectnet: Clone, tmp_path: Path) -> None:
    with registry.serving(registry.unpacked(tmp_path), tmp_path / "registry") as there:
        words = exported_objectnet.overlay("pushed", "objectnet", tag=f"{there.address}/team/odd:v3", runtime="onnx")
        exported_objectnet.snakemake("--cores", "16", *words, "objectnet_push")
        said = read(results(exported_objectnet, "onnx", "pushed.json"))
        manifest = there.manifest("team/odd", "v3-onnx")
    assert said["digest"] == manifest["digest"]
    assert manifest["config"]["digest"] == read(results(exported_objectnet, "onnx", "image.json"))["image_id"]
    subprocess.run(find().command("image", "rm", said["tag"]), check=True, capture_output=True)
