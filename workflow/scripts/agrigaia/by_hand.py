"""The files of a template that are for people: how to build, run, try and change it without this workflow."""

from __future__ import annotations

from workflow.scripts.agrigaia.form import Chosen

IGNORED = """# What is not of the image, and may be large.
minio/
train/
datasets/
**/__pycache__/
"""


def texts(chosen: Chosen) -> dict[str, str]:
    """By the files' names."""
    model = chosen.architecture.custom["model_filepath"]
    words = {"@TAG@": chosen.tag, "@PATH@": chosen.package.path, "@MODEL@": model}
    found = {".dockerignore": IGNORED, "build.sh": BUILD, "run.sh": RUN, "README.md": README}
    for name, text in found.items():
        for mark, word in words.items():
            text = text.replace(mark, word)
        found[name] = text
    return found


BUILD = """#!/usr/bin/env bash
# Build @TAG@; words are handed on to `docker build`, such as --build-arg BASE=...
set -euo pipefail
docker build --tag @TAG@ "$@" "$(dirname "$0")"
"""

RUN = """#!/usr/bin/env bash
# Train in the container, as the platform's own local run does.
#
#   ./run.sh [MINIO [TRAIN]]
#
# MINIO holds datasets/1/ with pictures and annotations/annotations.xml (./minio unless named), TRAIN takes the model
# (./train unless named). DATASET_ID=2 ./run.sh takes another data set.
set -euo pipefail
if [ $# -gt 2 ]; then
    echo 'usage: ./run.sh [MINIO [TRAIN]]' >&2
    exit 2
fi
number=${DATASET_ID:-1}
minio=${1:-minio} train=${2:-train}
if [ ! -d "$minio/datasets/$number" ]; then
    echo "error: $minio/datasets/$number is not there; put pictures and annotations/annotations.xml into it" >&2
    exit 2
fi
if ! docker image inspect @TAG@ >/dev/null; then
    echo 'error: the image is not there; ./build.sh makes it' >&2
    exit 2
fi
mkdir -p "$train"

limits=(--ulimit memlock=-1 --ulimit stack=67108864)
if ! docker run --rm --network none "${limits[@]}" --entrypoint true @TAG@ >/dev/null 2>&1; then
    echo "this engine refuses ${limits[*]}, so without" >&2
    limits=()
fi
gpus=()
if command -v nvidia-smi >/dev/null; then
    gpus=(--gpus '"device=0"' --env NVIDIA_VISIBLE_DEVICES=0)
else
    echo 'no GPU here, so without --gpus' >&2
fi
docker run --rm --ipc host --shm-size 8g ${limits[@]+"${limits[@]}"} ${gpus[@]+"${gpus[@]}"} \\
    --env DATASET_ID="$number" \\
    --volume "$(realpath "$minio")":/minio:ro \\
    --volume "$(realpath "$train")":/train \\
    @TAG@
"""

README = """# @PATH@, a train container for the platform

Slipway wrote this folder; it needs nothing of Slipway. Work in a copy, since Slipway writes it anew:

    cp -r results/agrigaia/template ~/mine && cd ~/mine

A data set is a folder `minio/datasets/1/` with pictures and `annotations/annotations.xml` ("CVAT for images 1.1").
For the one that Slipway used, see `root` in its `raw/minio.json`.

## In the container

    ./build.sh
    ./run.sh                       # minio/ and train/ of this folder
    ./run.sh /data/minio /data/out # or others

`Executing your training code in train.py::__main__` says that training begins. The model is `@MODEL@`, with one in ONNX
beside it unless `export_config.json` is `{}`. Started again with the same `train/`, it goes on where it was.

`build.sh` takes the public Python image and fetches tools and packages. Without a network, name an image that has them:

    ./build.sh --network none --build-arg BASE=slipway/agrigaia-ground:...   # `reference` in Slipway's ground.json

To look around in it, with this folder's code in place of the image's:

    docker run --rm --interactive --tty --env DATASET_ID=1 --entrypoint bash --volume "$PWD":/workspace \\
        --volume "$PWD/minio":/minio:ro --volume "$PWD/train":/train @TAG@
    python setup.py && eval "python train.py $(python config_to_args.py)"

## Without a container

    pip install --requirement requirements.txt
    export DATASET_ID=1 AGRIGAIA_MINIO=$PWD/minio/datasets AGRIGAIA_DATASETS=$PWD/datasets AGRIGAIA_TRAIN=$PWD/train
    mkdir -p train && python setup.py && eval "python train.py $(python config_to_args.py)"

`bash docker-entrypoint.sh` does the same with all that the platform does around it. `setup.py` completes
`train_config.json` with the presets; the values of the form stay as they are.

## What is what

| Files | What they do |
| --- | --- |
| `config.jsonschema`, `train_config.json` | the platform's form, and its values |
| `presets.json`, `custom.json` | fixed options of `train.py`; where the model is, how the score is read from the log |
| `export.jsonschema`, `export_config.json` | the same for the export to ONNX |
| `setup.py`, `args.py`, `train.py` | the architecture: lay the data out, the options, learn |
| `docker-entrypoint.sh`, `mount-s3.sh`, `.env` | the container's start: settings, the bucket, then the two above |
| `config.py`, `config_to_args.py`, `dataset.py`, `cvat_dataset.py`, `export.py` | the platform has its own of these |
| all other `*.py` | what those are made of |
"""
