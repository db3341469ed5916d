"""Agri-Gaia: a container that trains on the platform, and the package by which the platform knows it.

In: pictures that were annotated with CVAT (a folder, the platform's bucket, or drawn fields), and an architecture.
Out: the template, a flat folder that is run by hand as well; its image, tried by the platform's local run and started twice; the score
    as the platform reads it; the package, a ZIP that the platform's own rules accept; the image's archive.
"""

from containers.kit.settings import build
from workflow.scripts.agrigaia.form import chosen
from workflow.scripts.agrigaia.remote import Remote, complete


include: "common.smk"


# What the schema cannot see is said before anything runs, too.
with ends_with_error():
    CHOSEN = chosen(config["architecture"], config["train"], config["package"])
    if config["source"] == "remote":
        complete(build(Remote, config["remote"], "challenges.agrigaia.remote"))

FETCHED = [
    f"--remote={json.dumps(config['remote'], sort_keys=True)}",
    *(["--strict"] if CHOSEN.train.get("strict") else []),
]


include: "fetch.smk"


OWN_PACKAGES = CHOSEN.architecture.folder / "requirements.txt"
CUSTOM = str(CHOSEN.architecture.folder / "custom.json")
IMAGES = {
    "train": {
        "context": "<results>/template",
        "base": "<results>/ground.json",
        "data": "<scratch>/raw/minio.json",
        "made": "<results>/train/output",
        "test": [f"--time-limit={round(config['test']['minutes'] * 60)}", f"--score={CUSTOM}"],
        "needs": [CUSTOM],
        "profiles": ["organisers"],
        "requirements": [str(OWN_PACKAGES)] if OWN_PACKAGES.is_file() else [],
    },
}
NAMES = {"tag": CHOSEN.tag}
REPORTED = ["<results>/score"]
PACKAGE = "<results>/package/train-container-publish.zip"
HANDED = [PACKAGE, "<results>/template"]


include: "contracted.smk"
include: "wheels.smk"
include: "engine.smk"
include: "reload.smk"
include: "stages.smk"
include: "agrigaia_template.smk"


rule lay_out:
    """Lay the data set out as the platform mounts it."""
    input:
        code=code("workflow/scripts/agrigaia/lay_out.py"),
        manifest="<scratch>/raw/manifest.json",
        sound=SOUND,
    output:
        minio="<scratch>/raw/minio.json",
    log:
        "<logs>/lay_out.log",
    conda:
        here("envs", "prepare.yaml")
    params:
        folder=f"{config['scratch']}/minio",
    message:
        f"{TITLE}: lay the data set out as the platform mounts it"
    shell:
        r"""
        python -m workflow.scripts.agrigaia.lay_out \
            --manifest {input.manifest:q} \
            --folder {params.folder:q} \
            --output {output.minio:q} \
            2>&1 | tee {log:q}
        """


rule preprocess:
    """Everything up to the data as the platform mounts them; all else of it is the container's own work."""
    input:
        "<scratch>/raw/minio.json",
    localrule: True


rule train_here:
    """Run the template's setup.py and train.py on this host, without a container."""
    input:
        code=code("workflow/scripts/agrigaia/train_here.py", "workflow/scripts/lease.py"),
        template="<results>/template",
        manifest="<scratch>/raw/manifest.json",
        sound=SOUND,
    output:
        artifact=directory("<results>/artifact"),
    log:
        "<logs>/train_here.log",
    benchmark:
        "<benchmarks>/train_here.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 16
    resources:
        gpu=1,
    params:
        work=f"{config['scratch']}/work",
    message:
        f"{TITLE}: train on this host, without a container"
    shell:
        r"""
        python -m workflow.scripts.lease --gpus {resources.gpu} -- \
            python -m workflow.scripts.agrigaia.train_here \
            --template {input.template:q} \
            --manifest {input.manifest:q} \
            --work {params.work:q} \
            --threads {threads} \
            --output {output.artifact:q} \
            2>&1 | tee {log:q}
        """


rule train:
    """Everything up to a model that was trained on this host; the container's own training is agrigaia_test."""
    input:
        "<results>/artifact",
    localrule: True


rule score:
    """Write down how good the container's model is: the score as the platform reads it, and the scores of each label."""
    input:
        code=code("workflow/scripts/agrigaia/score.py"),
        verdict="<results>/train/verdict.json",
        trained="<results>/train/output",
        manifest="<scratch>/raw/manifest.json",
        custom=CUSTOM,
    output:
        score=directory("<results>/score"),
    log:
        "<logs>/score.log",
    conda:
        here("envs", "train.yaml")
    message:
        f"{TITLE}: write down how good the container's model is"
    shell:
        r"""
        python -m workflow.scripts.agrigaia.score \
            --verdict {input.verdict:q} \
            --trained {input.trained:q} \
            --manifest {input.manifest:q} \
            --custom {input.custom:q} \
            --output {output.score:q} \
            2>&1 | tee {log:q}
        """
