"""TGS salt: where the salt lies in seismic images, a competition of Kaggle's.

In: what Kaggle gives (zipped or unpacked, in the layout of the time or today's), or demo data made here.
Out: six submissions as CSV, with a classifier alone, a segmentation alone and both, each with and without post-processing; a
    container that writes one of them, its verdict and its archive; and, only when asked for, files sent to Kaggle.
"""

from containers.kit.settings import build
from containers.salt.settings import Classifier, Inputs, Predict, Segmentation, Submit, Train, Tune


include: "common.smk"


# What the schema cannot see is said before anything runs, too.
with ends_with_error():
    TRAIN = build(Train, config["train"], "challenges.salt.train")
    SUBMIT = build(Submit, config["submit"], "challenges.salt.submit")
    for section, kind in {
        "inputs": Inputs,
        "classifier": Classifier,
        "segmentation": Segmentation,
        "tune": Tune,
        "predict": Predict,
    }.items():
        build(kind, config[section], f"challenges.salt.{section}")
    FOLDS = build(Segmentation, config["segmentation"], "challenges.salt.segmentation").chosen(TRAIN.folds)

FETCHED = []


include: "fetch.smk"


OWN_NETWORKS = [
    config[kind]["model"].partition(":")[0] for kind in ("classifier", "segmentation") if ":" in config[kind]["model"]
]
IMAGES = {
    "predict": {
        "folder": "docker",
        "entry": ["containers.salt.predict", *OWN_NETWORKS],
        "settings": settings(predict=config["predict"]),
        "artifact": ["<results>/artifact"],
        "weights": [],
        "data": "<scratch>/raw/cases.json",
        "made": "<results>/predict/output",
        "test": [f"--time-limit={round(config['test']['minutes'] * 60)}"],
        "profiles": ["strict"],
    },
}
NAMES = {}  # the contract is ours, and has no words to fill
REPORTED = ["<results>/artifact", "<results>/score"]


include: "submission.smk"
include: "salt_training.smk"
include: "salt_learning.smk"


rule preprocess:
    """The training images packed and divided into folds, in scratch."""
    input:
        "<scratch>/packed",
    localrule: True


rule cases:
    """Lay out images of the test as the container finds them."""
    input:
        code=code("workflow/scripts/salt/cases.py"),
        manifest="<scratch>/raw/manifest.json",
    output:
        cases="<scratch>/raw/cases.json",
    log:
        "<logs>/cases.log",
    conda:
        here("envs", "prepare.yaml")
    params:
        most=config["test"]["images"],
        depth=["--depth"] if config["inputs"]["depth"] else [],
        folder=f"{config['scratch']}/cases",
    message:
        f"{TITLE}: lay out images for the container"
    shell:
        r"""
        python -m workflow.scripts.salt.cases \
            --manifest {input.manifest:q} \
            --most {params.most} \
            {params.depth} \
            --folder {params.folder:q} \
            --output {output.cases:q} \
            2>&1 | tee {log:q}
        """


rule submissions:
    """Predict all images of the test and write the six submissions, checked by Kaggle's rules."""
    input:
        code=code("workflow/scripts/salt/submissions.py", "workflow/scripts/lease.py", *OWN_NETWORKS),
        manifest="<scratch>/raw/manifest.json",
        artifact="<results>/artifact",
    output:
        submissions=directory("<results>/kaggle"),
    log:
        "<logs>/submissions.log",
    benchmark:
        "<benchmarks>/submissions.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 16
    resources:
        gpu=1,
    params:
        predict=settings(**config["predict"]),
    message:
        f"{TITLE}: write the submissions"
    shell:
        r"""
        python -m workflow.scripts.lease --gpus {resources.gpu} -- \
            python -m workflow.scripts.salt.submissions \
            --manifest {input.manifest:q} \
            --artifact {input.artifact:q} \
            --predict {params.predict:q} \
            --threads {threads} \
            --output {output.submissions:q} \
            2>&1 | tee {log:q}
        """


rule score:
    """Score the submissions where the truth is known, and hold the container's file against that of the host."""
    input:
        code=code("workflow/scripts/salt/score.py"),
        manifest="<scratch>/raw/manifest.json",
        tuned="<scratch>/tuned.json",
        submissions="<results>/kaggle",
        container="<results>/predict/output",
    output:
        score=directory("<results>/score"),
    log:
        "<logs>/score.log",
    conda:
        here("envs", "train.yaml")
    params:
        variant=config["predict"]["variant"],
    message:
        f"{TITLE}: score the submissions"
    shell:
        r"""
        python -m workflow.scripts.salt.score \
            --manifest {input.manifest:q} \
            --tuned {input.tuned:q} \
            --submissions {input.submissions:q} \
            --container {input.container:q} \
            --variant {params.variant} \
            --output {output.score:q} \
            2>&1 | tee {log:q}
        """


rule submit:
    """Send the submissions of `submit.files` to Kaggle, or without `submit.really` only show the commands; never part of anything else."""
    input:
        code=code("workflow/scripts/salt/submit.py"),
        manifest="<scratch>/raw/manifest.json",
        submissions="<results>/kaggle",
    log:
        "<logs>/submit.log",
    localrule: True
    conda:
        here("envs", "submit.yaml")
    params:
        files=lambda wildcards, input: [f"{input.submissions}/{name}.csv" for name in SUBMIT.files],
        message=SUBMIT.message,
        # No declared output: it remembers what was sent, and Snakemake deletes outputs before it makes them.
        record=f"results/{config['challenge']}/submitted.json",
        really=["--really"] if SUBMIT.really else [],
    message:
        f"{TITLE}: {'send' if SUBMIT.really else 'show how to send'} submissions to Kaggle"
    shell:
        r"""
        python -m workflow.scripts.salt.submit \
            --manifest {input.manifest:q} \
            --submission {params.files:q} \
            --message {params.message:q} \
            --record {params.record:q} \
            {params.really} \
            2>&1 | tee {log:q}
        """
