"""nnU-Net behind our rules: plan, preprocess, train the folds, validate them, keep the artifact.

In: <scratch>/raw/manifest.json, and PLAN, TRAIN, FOLDS, OWN_NETWORK of amos.smk. Out: <results>/artifact.
"""

# What decides about the plan and the folds; a change of it plans anew, a change of the rest only trains anew.
PLANNED = {key: TRAIN[key] for key in ("network", "network_args", "validation", "folds", "seed")}
NNUNET = (
    f"{config['scratch']}/nnunet"  # nnU-Net's own folders: preprocessed cases and checkpoints, none of them declared
)


rule plan:
    """Let nnU-Net look at the data and plan: fingerprint, patch, network; and divide the cases into folds."""
    input:
        code=code("workflow/scripts/amos/plan.py", *OWN_NETWORK),
        manifest="<scratch>/raw/manifest.json",
        sound=SOUND,
    output:
        plan=directory("<scratch>/plan"),
    log:
        "<logs>/plan.log",
    conda:
        here("envs", "train.yaml")
    threads: 16
    params:
        task=config["task"],
        plan=settings(**PLAN),
        train=settings(**PLANNED),
        folder=NNUNET,
    message:
        f"{TITLE}: let nnU-Net plan"
    shell:
        r"""
        python -m workflow.scripts.amos.plan \
            --manifest {input.manifest:q} \
            --task {params.task} \
            --plan {params.plan:q} \
            --train {params.train:q} \
            --workers {threads} \
            --scratch {params.folder:q} \
            --output {output.plan:q} \
            2>&1 | tee {log:q}
        """


rule preprocess_cases:
    """Preprocess every training case as the plan says; a run that was killed goes on where it was."""
    input:
        code=code("workflow/scripts/amos/preprocess.py"),
        manifest="<scratch>/raw/manifest.json",
        plan="<scratch>/plan",
    output:
        record="<scratch>/preprocessed.json",
    log:
        "<logs>/preprocess_cases.log",
    benchmark:
        "<benchmarks>/preprocess_cases.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 16
    params:
        configuration=PLAN["configuration"],
        workers=config["preprocess"]["workers"],
        folder=NNUNET,
    message:
        f"{TITLE}: preprocess the training cases"
    shell:
        r"""
        python -m workflow.scripts.amos.preprocess \
            --manifest {input.manifest:q} \
            --plan-folder {input.plan:q} \
            --configuration {params.configuration} \
            --workers {params.workers} \
            --scratch {params.folder:q} \
            --output {output.record:q} \
            2>&1 | tee {log:q}
        """


rule preprocess:
    """Every training case preprocessed to scratch."""
    input:
        "<scratch>/preprocessed.json",
    localrule: True


rule train_fold:
    """Train the network of one fold; a training that was killed goes on from its last checkpoint."""
    input:
        code=code("workflow/scripts/amos/train.py", "workflow/scripts/lease.py", *OWN_NETWORK),
        plan="<scratch>/plan",
        record="<scratch>/preprocessed.json",
    output:
        trained=directory("<scratch>/trained/fold_{fold}"),
    log:
        "<logs>/train_fold_{fold}.log",
    benchmark:
        "<benchmarks>/train_fold_{fold}.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 8
    resources:
        gpu=1,
    params:
        configuration=PLAN["configuration"],
        train=settings(**{key: value for key, value in TRAIN.items() if key not in ("only_folds", "validation")}),
        folder=NNUNET,
    message:
        "amos: train the network of fold {wildcards.fold}"
    shell:
        r"""
        python -m workflow.scripts.lease --gpus {resources.gpu} -- \
            python -m workflow.scripts.amos.train \
            --plan-folder {input.plan:q} \
            --preprocessed {input.record:q} \
            --fold {wildcards.fold} \
            --train {params.train:q} \
            --configuration {params.configuration} \
            --threads {threads} \
            --scratch {params.folder:q} \
            --output {output.trained:q} \
            2>&1 | tee {log:q}
        """


rule train:
    """Everything up to the trained networks of all folds."""
    input:
        expand("<scratch>/trained/fold_{fold}", fold=FOLDS),
    localrule: True


rule validate_fold:
    """Predict the cases that a fold did not see, with the container's own code, and measure them."""
    input:
        code=code("workflow/scripts/amos/validate.py", "workflow/scripts/lease.py", *OWN_NETWORK),
        manifest="<scratch>/raw/manifest.json",
        plan="<scratch>/plan",
        trained="<scratch>/trained/fold_{fold}",
    output:
        validated="<scratch>/validated/fold_{fold}.json",
    log:
        "<logs>/validate_fold_{fold}.log",
    benchmark:
        "<benchmarks>/validate_fold_{fold}.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 8
    resources:
        gpu=1,
    params:
        predict=settings(**{key: config["predict"][key] for key in ("mirror", "step", "device", "memory")}),
        metric=settings(**config["metric"]),
        folder=f"{config['scratch']}/predicted",
    message:
        "amos: validate fold {wildcards.fold}"
    shell:
        r"""
        python -m workflow.scripts.lease --gpus {resources.gpu} -- \
            python -m workflow.scripts.amos.validate \
            --manifest {input.manifest:q} \
            --plan-folder {input.plan:q} \
            --trained {input.trained:q} \
            --predict {params.predict:q} \
            --metric {params.metric:q} \
            --threads {threads} \
            --workers {threads} \
            --scratch {params.folder:q} \
            --output {output.validated:q} \
            2>&1 | tee {log:q}
        """


rule artifact:
    """Learn from the validated folds which small components to remove, and keep what prediction needs."""
    input:
        code=code("workflow/scripts/amos/artifact.py", *OWN_NETWORK),
        plan="<scratch>/plan",
        trained=expand("<scratch>/trained/fold_{fold}", fold=FOLDS),
        validated=expand("<scratch>/validated/fold_{fold}.json", fold=FOLDS),
    output:
        artifact=directory("<results>/artifact"),
    log:
        "<logs>/artifact.log",
    conda:
        here("envs", "train.yaml")
    params:
        task=config["task"],
    message:
        f"{TITLE}: verify and keep the artifact"
    shell:
        r"""
        python -m workflow.scripts.amos.artifact \
            --task {params.task} \
            --plan-folder {input.plan:q} \
            --trained {input.trained:q} \
            --validated {input.validated:q} \
            --output {output.artifact:q} \
            2>&1 | tee {log:q}
        """
