"""STOIC2021: the severity of COVID-19 from one chest CT.

In: the organisers' folder (data/mha/*.mha, metadata/reference.csv), or demo data made here.
Out: a train container and an inference container with verdicts and archives, and the submission folder that holds both.
"""

from containers.kit.settings import build
from containers.stoic.settings import Settings
from workflow.scripts.stoic.remote import KEY, Remote


include: "common.smk"


TRAIN = config["train"]
# In the training container the run that trains is the run that tests; with training on the host a short rehearsal tests it.
IN_CONTAINER = TRAIN["where"] == "container"
TRAINED = f"<scratch>/trained/{TRAIN['where']}"
OWN_MODEL = [TRAIN["model"].partition(":")[0]] if ":" in TRAIN["model"] else []
WEIGHTS = [TRAIN["weights"]] if TRAIN["weights"] else []
SHARDS = range(config["preprocess"]["shards"])

GEOMETRY = {key: value for key, value in config["preprocess"].items() if key != "shards"}
LEARNING = {key: value for key, value in TRAIN.items() if key != "where"}

# What the schema cannot see is said before anything runs, too.
with ends_with_error():
    build(Settings, {"preprocess": GEOMETRY, "train": TRAIN, "predict": config["predict"]}, "challenges.stoic")
    build(Remote, config["remote"], KEY)

FETCHED = [f"--remote={json.dumps(config['remote'], sort_keys=True)}"]


include: "fetch.smk"


IMAGES = {
    "train": {
        "folder": "training",
        "entry": ["containers.stoic.main", *OWN_MODEL],
        "settings": settings(preprocess=GEOMETRY, train=LEARNING),
        "artifact": [],
        "weights": WEIGHTS,
        "data": f"<scratch>/raw/{'manifest' if IN_CONTAINER else 'rehearsal'}.json",
        "made": f"<scratch>/trained/{'container' if IN_CONTAINER else 'rehearsal'}",
        "test": [
            f"--mount=scratch={config['scratch']}/container",
            "--keep-scratch",
            f"--time-limit={round(config['test']['train_hours'] * 3600)}",
            *([] if IN_CONTAINER else ["--env=SLIPWAY_REHEARSAL=1"]),
        ],
        "needs": [SOUND] if IN_CONTAINER else [],
        "profiles": config["test"]["train_profiles"],
    },
    "predict": {
        "folder": "inference",
        "entry": ["containers.stoic.predict", *OWN_MODEL],
        "settings": settings(predict=config["predict"]),
        "artifact": ["<results>/artifact"],
        "weights": [],
        "data": "<scratch>/raw/case.json",
        "made": "<results>/predict/output",
        "test": [f"--time-limit={round(config['test']['predict_minutes'] * 60)}"],
        "profiles": config["test"]["predict_profiles"],
    },
}
NAMES = {}  # the organisers' tags and archives have no words to fill
REPORTED = ["<results>/artifact"]


include: "submission.smk"


rule rehearsal:
    """Make a small demo data set for the dress rehearsal of the training container (train.where: host)."""
    input:
        code=code("workflow/scripts/stoic/fetch.py"),
    output:
        manifest="<scratch>/raw/rehearsal.json",
    log:
        "<logs>/rehearsal.log",
    conda:
        here("envs", "prepare.yaml")
    threads: 16
    params:
        demo=settings(cases=40, seed=1),
        folder=subpath(output.manifest, parent=True),
    message:
        f"{TITLE}: make demo data for the rehearsal of the training container"
    shell:
        r"""
        python -m workflow.scripts.stoic.fetch \
            --source demo \
            --demo {params.demo:q} \
            --scratch {params.folder:q} \
            --workers {threads} \
            --manifest {output.manifest:q} \
            2>&1 | tee {log:q}
        """


rule preprocess_shard:
    """Bring one share of the cases to the grid of the network (used when train.where is host)."""
    input:
        code=code("containers/stoic/preprocess.py"),
        manifest="<scratch>/raw/manifest.json",
        sound=SOUND,
    output:
        shard="<scratch>/preprocessed/{shard}.json",
    log:
        "<logs>/preprocess/{shard}.log",
    conda:
        here("envs", "prepare.yaml")
    threads: 16
    params:
        settings=settings(**GEOMETRY),
        shards=len(SHARDS),
        cases=f"{config['scratch']}/preprocessed/cases",
    message:
        "Preprocess share {wildcards.shard} of the cases"
    shell:
        r"""
        python -m containers.stoic.preprocess \
            --manifest {input.manifest:q} \
            --shard {wildcards.shard} \
            --shards {params.shards} \
            --settings {params.settings:q} \
            --cases {params.cases:q} \
            --workers {threads} \
            --output {output.shard:q} \
            2>&1 | tee {log:q}
        """


rule preprocess:
    """Every case preprocessed to scratch, on the host."""
    input:
        expand("<scratch>/preprocessed/{shard}.json", shard=SHARDS),
    localrule: True


rule train_host:
    """Train on the host with the code of the training container (used when train.where is host)."""
    input:
        code=code("containers/stoic/train.py", "workflow/scripts/lease.py", *OWN_MODEL),
        manifest="<scratch>/raw/manifest.json",
        shards=expand("<scratch>/preprocessed/{shard}.json", shard=SHARDS),
        weights=WEIGHTS,
    output:
        trained=directory("<scratch>/trained/host"),
    log:
        "<logs>/train_host.log",
    benchmark:
        "<benchmarks>/train_host.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 16
    resources:
        gpu=8,
    params:
        settings=settings(preprocess=GEOMETRY, train=LEARNING),
        cases=f"{config['scratch']}/preprocessed/cases",
        folder=f"{config['scratch']}/host",
    message:
        f"{TITLE}: train on the host"
    shell:
        r"""
        python -m workflow.scripts.lease --gpus {resources.gpu} -- \
            python -m containers.stoic.train \
            --manifest {input.manifest:q} \
            --cases {params.cases:q} \
            --settings {params.settings:q} \
            --scratch {params.folder:q} \
            --artifact {output.trained:q} \
            2>&1 | tee {log:q}
        """


rule train:
    """Everything up to the trained networks, in the training container or on the host."""
    input:
        TRAINED,
    localrule: True


rule artifact:
    """Verify what training made, and keep it as the artifact: weights, model card, nothing else."""
    input:
        code=code("containers/stoic/artifact.py"),
        trained=TRAINED,
    output:
        artifact=directory("<results>/artifact"),
    log:
        "<logs>/artifact.log",
    conda:
        here("envs", "train.yaml")
    message:
        f"{TITLE}: verify and keep the artifact"
    shell:
        r"""
        python -m containers.stoic.artifact \
            --trained {input.trained:q} \
            --output {output.artifact:q} \
            2>&1 | tee {log:q}
        """


rule case:
    """Lay out one case as the inference container finds it on the platform."""
    input:
        code=code("workflow/scripts/stoic/case.py"),
        manifest="<scratch>/raw/manifest.json",
    output:
        manifest="<scratch>/raw/case.json",
    log:
        "<logs>/case.log",
    conda:
        here("envs", "prepare.yaml")
    params:
        folder=f"{config['scratch']}/case",
    message:
        f"{TITLE}: lay out a case for the inference container"
    shell:
        r"""
        python -m workflow.scripts.stoic.case \
            --manifest {input.manifest:q} \
            --folder {params.folder:q} \
            --output {output.manifest:q} \
            2>&1 | tee {log:q}
        """
