"""ObjectNet: five guesses at the object in each photo, by a network that learnt from ImageNet.

In: the organisers' images, flat or in the release's folders, or demo images made of packaged photos; and candidate networks.
    Training is choosing: objectnet_choice.smk takes the best on ImageNet photos, and no image of ObjectNet has a part in that.
Out: a container with torch, one with ONNX Runtime, or both, tried on the images, with verdicts, scores and archives.
"""

from containers.kit.settings import build
from containers.objectnet.settings import Predict, Submission, Train, agreed
from workflow.scripts.objectnet.described import of_zoo
from workflow.scripts.objectnet.licence import refuse_folders


include: "common.smk"


# What the schema cannot see is said before anything runs, too.
with ends_with_error():
    SUBMISSION = build(Submission, {key: config[key] for key in ("tag", "runtime")}, "challenges.objectnet")
    CANDIDATES = build(Train, config["train"], "challenges.objectnet.train").candidates
    PREDICT = build(Predict, config["predict"], "challenges.objectnet.predict")
    agreed(SUBMISSION, PREDICT)
    refuse_folders(config["source"], config["train"]["photos"])
    OF_ZOO = any(of_zoo(candidate.model) for candidate in CANDIDATES.values())

FETCHED = [f"--answers={config['answers']}"] if config["answers"] else []


include: "fetch.smk"


IMAGES = {
    image: {
        "folder": image,
        "entry": ["containers.objectnet.launch"],
        "settings": settings(predict=config["predict"]),
        "artifact": ["<results>/artifact"],
        "weights": [],
        "data": "<scratch>/raw/cases.json",
        "made": f"<results>/{image}/output",
        "test": [f"--time-limit={round(config['test']['minutes'] * 60)}"],
        "profiles": config["test"]["profiles"],
        "requirements": (
            [here("containers", "objectnet", "requirements-zoo.txt")] if OF_ZOO and image == "torch" else []
        ),
        "args": {
            "WORKERS": PREDICT.workers,
            "BATCH_SIZE": PREDICT.batch_size,
            **({"MODEL_CHECKPOINT": "model.onnx"} if image == "onnx" else {}),
        },
        "leave": ["model.safetensors"] if image == "onnx" else [],
    }
    for image in SUBMISSION.images
}
NAMES = {"tag": SUBMISSION.tag, "name": SUBMISSION.name}
REPORTED = ["<results>/artifact", "<results>/score"]


include: "submission.smk"
include: "objectnet_choice.smk"


rule cases:
    """Lay out the images that the container is tried on, as it finds them on the platform."""
    input:
        code=code("workflow/scripts/objectnet/cases.py"),
        manifest="<scratch>/raw/manifest.json",
        sound=SOUND,
    output:
        cases="<scratch>/raw/cases.json",
    log:
        "<logs>/cases.log",
    conda:
        here("envs", "prepare.yaml")
    params:
        most=config["test"]["images"],
        folder=f"{config['scratch']}/cases",
    message:
        f"{TITLE}: lay out the images that the container is tried on"
    shell:
        r"""
        python -m workflow.scripts.objectnet.cases \
            --manifest {input.manifest:q} \
            --most {params.most} \
            --folder {params.folder:q} \
            --output {output.cases:q} \
            2>&1 | tee {log:q}
        """


rule score:
    """Score what the containers wrote, by the organisers' rules: top-1 and top-5, of all objects and of ImageNet's."""
    input:
        code=code("workflow/scripts/objectnet/score.py"),
        cases="<scratch>/raw/cases.json",
        predictions=[f"<results>/{image}/output" for image in IMAGES],
    output:
        score=directory("<results>/score"),
    log:
        "<logs>/score.log",
    conda:
        here("envs", "train.yaml")
    params:
        predictions=lambda wildcards, input: [
            f"{image}={path}" for image, path in zip(IMAGES, input.predictions, strict=True)
        ],
    message:
        f"{TITLE}: score what the containers wrote"
    shell:
        r"""
        python -m workflow.scripts.objectnet.score \
            --cases {input.cases:q} \
            --predictions {params.predictions:q} \
            --output {output.score:q} \
            2>&1 | tee {log:q}
        """


for image in IMAGES:

    rule:
        """Push this image, once it has passed, to the registry that its tag names."""
        name:
            f"push_{image}"
        input:
            code=code("workflow/scripts/push.py"),
            contract=CONTRACT,
            record=f"<results>/{image}/image.json",
            verdict=f"<results>/{image}/verdict.json",
        output:
            pushed=f"<results>/{image}/pushed.json",
        log:
            f"<logs>/push_{image}.log",
        conda:
            here("envs", "submit.yaml")
        params:
            image=image,
            names=NAMING,
            engine=config["containers"]["engine"],
        message:
            f"{TITLE}: push the {image} image to its registry"
        shell:
            r"""
            python -m workflow.scripts.push \
                --image {params.image:q} \
                --contract {input.contract:q} {params.names:q} \
                --record {input.record:q} \
                --verdict {input.verdict:q} \
                --engine {params.engine:q} \
                --output {output.pushed:q} \
                2>&1 | tee {log:q}
            """


rule push:
    """Push what has passed to the registry that `tag` names: never part of the whole way, only when asked for."""
    input:
        [f"<results>/{image}/pushed.json" for image in IMAGES],
    localrule: True
