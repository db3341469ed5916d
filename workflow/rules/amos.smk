"""AMOS22: fifteen abdominal organs in CT (task 1), or in CT and MR (task 2).

In: the organisers' folder (dataset.json, imagesTr, labelsTr, ...), or demo data made here.
Out: an inference container, tried on cases that no training saw, its verdicts, its score and its archive.
"""

from containers.amos.settings import Metric, Plan, Predict, Submission, Train
from containers.kit.settings import build


include: "common.smk"


TRAIN, PLAN = config["train"], config["plan"]
SECTIONS = {"predict": Predict, "train": Train, "plan": Plan, "metric": Metric}
OWN_NETWORK = [TRAIN["network"].partition(":")[0]] if ":" in TRAIN["network"] else []

# What the schema cannot see is said before anything runs, too.
with ends_with_error():
    build(Submission, {key: config[key] for key in ("team", "task")}, "challenges.amos")
    for section, kind in SECTIONS.items():
        build(kind, config[section], f"challenges.amos.{section}")
    FOLDS = build(Train, TRAIN, "challenges.amos.train").chosen

FETCHED = [f"--task={config['task']}"]


include: "fetch.smk"


IMAGES = {
    "predict": {
        "folder": "docker",
        "entry": ["containers.amos.run_inference", *OWN_NETWORK],
        "settings": settings(predict=config["predict"]),
        "artifact": ["<results>/artifact"],
        "weights": [],
        "data": "<scratch>/raw/cases.json",
        "made": "<results>/predict/output",
        "test": [f"--time-limit={round(config['test']['minutes'] * 60)}"],
        "profiles": config["test"]["profiles"],
        "reloaded": True,
    },
}
NAMES = {"team": config["team"], "task": str(config["task"])}
REPORTED = ["<results>/artifact", "<results>/score"]


include: "submission.smk"
include: "amos_nnunet.smk"


rule cases:
    """Lay out cases that no training saw as the container finds them, under names that tell nothing."""
    input:
        code=code("workflow/scripts/amos/cases.py"),
        manifest="<scratch>/raw/manifest.json",
    output:
        cases="<scratch>/raw/cases.json",
    log:
        "<logs>/cases.log",
    conda:
        here("envs", "prepare.yaml")
    params:
        task=config["task"],
        most=config["test"]["cases"],
        validation=TRAIN["validation"],
        folder=f"{config['scratch']}/cases",
    message:
        f"{TITLE}: lay out cases for the container"
    shell:
        r"""
        python -m workflow.scripts.amos.cases \
            --manifest {input.manifest:q} \
            --task {params.task} \
            --validation {params.validation} \
            --most {params.most} \
            --folder {params.folder:q} \
            --output {output.cases:q} \
            2>&1 | tee {log:q}
        """


rule score:
    """Score what the container wrote, organ by organ: DSC and NSD, a table, a picture."""
    input:
        code=code("workflow/scripts/amos/score.py"),
        cases="<scratch>/raw/cases.json",
        predictions="<results>/predict/output",
    output:
        score=directory("<results>/score"),
    log:
        "<logs>/score.log",
    conda:
        here("envs", "train.yaml")
    threads: 16
    params:
        metric=settings(**config["metric"]),
    message:
        f"{TITLE}: score what the container wrote"
    shell:
        r"""
        python -m workflow.scripts.amos.score \
            --cases {input.cases:q} \
            --predictions {input.predictions:q} \
            --metric {params.metric:q} \
            --workers {threads} \
            --output {output.score:q} \
            2>&1 | tee {log:q}
        """
