"""Two kinds of networks for the salt, fold by fold: is there any, and where is it; then what post-processing does best.

In: <scratch>/raw/manifest.json, and TRAIN, FOLDS, OWN_NETWORKS of salt.smk.
Out: <results>/oof/classifier.csv, <scratch>/tuned.json and <results>/artifact.
"""

# The encoders that do not begin from scratch.
PRETRAINED = {kind: config[kind]["weights"] for kind in ("classifier", "segmentation") if config[kind]["weights"]}
LEARNING = f"{config['scratch']}/learning"  # checkpoints, snapshots and TensorBoard's events, none of them declared


rule pack:
    """Pack images and masks into arrays, and divide them into folds of like shares of salt."""
    input:
        code=code("workflow/scripts/salt/pack.py"),
        manifest="<scratch>/raw/manifest.json",
        sound=SOUND,
    output:
        packed=directory("<scratch>/packed"),
    log:
        "<logs>/pack.log",
    conda:
        here("envs", "train.yaml")
    threads: 16
    params:
        train=settings(**config["train"]),
    message:
        f"{TITLE}: pack the training images and divide them into folds"
    shell:
        r"""
        python -m workflow.scripts.salt.pack \
            --manifest {input.manifest:q} \
            --train {params.train:q} \
            --workers {threads} \
            --output {output.packed:q} \
            2>&1 | tee {log:q}
        """


for kind in PRETRAINED:

    rule:
        """Have this encoder's pretrained weights at hand: out of a package, from the web, or a file that is there."""
        name:
            f"weights_{kind}"
        input:
            code=code("workflow/scripts/salt/weights.py"),
            file=there(PRETRAINED[kind]),
        output:
            record=f"<scratch>/weights/{kind}.json",
        log:
            f"<logs>/weights_{kind}.log",
        conda:
            here("envs", "train.yaml")
        params:
            kind=kind,
            weights=PRETRAINED[kind],
            table=of_table(PRETRAINED[kind], f"challenges.salt.{kind}.weights"),
            folder=subpath(output.record, parent=True),
        message:
            f"{TITLE}: have the pretrained weights of the {kind} at hand"
        shell:
            r"""
            python -m workflow.scripts.salt.weights \
                --kind {params.kind} \
                --weights {params.weights:q} \
                {params.table:q} \
                --cache {params.folder:q} \
                --output {output.record:q} \
                2>&1 | tee {log:q}
            """


rule classify_fold:
    """Train the classifier of one fold, which says whether there is any salt; a killed training goes on."""
    input:
        code=code("workflow/scripts/salt/classify.py", "workflow/scripts/lease.py", *OWN_NETWORKS),
        packed="<scratch>/packed",
        weights=[f"<scratch>/weights/{kind}.json" for kind in PRETRAINED if kind == "classifier"],
    output:
        trained=directory("<scratch>/classifier/fold_{fold}"),
    log:
        "<logs>/classify_fold_{fold}.log",
    benchmark:
        "<benchmarks>/classify_fold_{fold}.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 8
    resources:
        gpu=1,
    params:
        settings=settings(**config["classifier"]),
        inputs=settings(**config["inputs"]),
        seed=TRAIN.seed,
        weights=pretrained,
        folder=f"{LEARNING}/classifier_fold_{{fold}}",
    message:
        "salt: train the classifier of fold {wildcards.fold}"
    shell:
        r"""
        python -m workflow.scripts.lease --gpus {resources.gpu} -- \
            python -m workflow.scripts.salt.classify \
            --packed {input.packed:q} \
            --fold {wildcards.fold} \
            --settings {params.settings:q} \
            --inputs {params.inputs:q} \
            --seed {params.seed} \
            {params.weights:q} \
            --threads {threads} \
            --scratch {params.folder:q} \
            --output {output.trained:q} \
            2>&1 | tee {log:q}
        """


rule classified:
    """Join what each fold's classifier says of the images that it did not see."""
    input:
        code=code("workflow/scripts/salt/classified.py"),
        packed="<scratch>/packed",
        folds=expand("<scratch>/classifier/fold_{fold}", fold=range(TRAIN.folds)),
    output:
        oof="<results>/oof/classifier.csv",
    log:
        "<logs>/classified.log",
    conda:
        here("envs", "train.yaml")
    message:
        f"{TITLE}: join the classifiers' out-of-fold predictions"
    shell:
        r"""
        python -m workflow.scripts.salt.classified \
            --packed {input.packed:q} \
            --folds {input.folds:q} \
            --output {output.oof:q} \
            2>&1 | tee {log:q}
        """


rule segment_fold:
    """Train the segmentation of one fold, on images that the classifier keeps; a killed training goes on."""
    input:
        code=code("workflow/scripts/salt/segment.py", "workflow/scripts/lease.py", *OWN_NETWORKS),
        packed="<scratch>/packed",
        oof="<results>/oof/classifier.csv",
        weights=[f"<scratch>/weights/{kind}.json" for kind in PRETRAINED if kind == "segmentation"],
    output:
        trained=directory("<scratch>/segmentation/fold_{fold}"),
    log:
        "<logs>/segment_fold_{fold}.log",
    benchmark:
        "<benchmarks>/segment_fold_{fold}.tsv"
    conda:
        here("envs", "train.yaml")
    threads: 8
    resources:
        gpu=1,
    params:
        settings=settings(**{key: value for key, value in config["segmentation"].items() if key != "only_folds"}),
        inputs=settings(**config["inputs"]),
        seed=TRAIN.seed,
        weights=pretrained,
        folder=f"{LEARNING}/segmentation_fold_{{fold}}",
    message:
        "salt: train the segmentation of fold {wildcards.fold}"
    shell:
        r"""
        python -m workflow.scripts.lease --gpus {resources.gpu} -- \
            python -m workflow.scripts.salt.segment \
            --packed {input.packed:q} \
            --oof {input.oof:q} \
            --fold {wildcards.fold} \
            --settings {params.settings:q} \
            --inputs {params.inputs:q} \
            --seed {params.seed} \
            {params.weights:q} \
            --threads {threads} \
            --scratch {params.folder:q} \
            --output {output.trained:q} \
            2>&1 | tee {log:q}
        """


rule train:
    """Everything up to the trained networks of all folds."""
    input:
        expand("<scratch>/classifier/fold_{fold}", fold=range(TRAIN.folds)),
        expand("<scratch>/segmentation/fold_{fold}", fold=FOLDS),
    localrule: True


rule tune:
    """Tune the post-processing on out-of-fold predictions: thresholds, least size, CRF."""
    input:
        code=code("workflow/scripts/salt/tune.py"),
        packed="<scratch>/packed",
        oof="<results>/oof/classifier.csv",
        folds=expand("<scratch>/segmentation/fold_{fold}", fold=FOLDS),
    output:
        tuned="<scratch>/tuned.json",
    log:
        "<logs>/tune.log",
    conda:
        here("envs", "train.yaml")
    threads: 16
    params:
        settings=settings(**config["tune"]),
    message:
        f"{TITLE}: tune the post-processing"
    shell:
        r"""
        python -m workflow.scripts.salt.tune \
            --packed {input.packed:q} \
            --oof {input.oof:q} \
            --folds {input.folds:q} \
            --settings {params.settings:q} \
            --workers {threads} \
            --output {output.tuned:q} \
            2>&1 | tee {log:q}
        """


rule artifact:
    """Verify all networks and keep them, with what was tuned and a model card, as the artifact."""
    input:
        code=code("workflow/scripts/salt/artifact.py", *OWN_NETWORKS),
        packed="<scratch>/packed",
        classifier=expand("<scratch>/classifier/fold_{fold}", fold=range(TRAIN.folds)),
        segmentation=expand("<scratch>/segmentation/fold_{fold}", fold=FOLDS),
        tuned="<scratch>/tuned.json",
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
        python -m workflow.scripts.salt.artifact \
            --classifier {input.classifier:q} \
            --segmentation {input.segmentation:q} \
            --tuned {input.tuned:q} \
            --packed {input.packed:q} \
            --output {output.artifact:q} \
            2>&1 | tee {log:q}
        """
