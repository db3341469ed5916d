"""The last check, where organisers load the archive themselves: out of the file, and by their own command.

In: IMAGES of the challenge, after folder.smk. Out: <results>/<image>/reloaded.json for each image that is `reloaded`.
"""

RELOADED = [image for image, shipped in IMAGES.items() if shipped.get("reloaded")]


for image in RELOADED:

    rule:
        """Load the saved archive back and run the organisers' command on it, word for word: the last check."""
        name:
            f"reload_{image}"
        input:
            code=code("workflow/scripts/test.py", CONTRACTED[image].output_check.partition(":")[0]),
            contract=CONTRACT,
            record=f"<results>/{image}/image.json",
            archive=f"<results>/{CONTRACTED[image].archive}.tar.gz",
            data=IMAGES[image]["data"],
        output:
            verdict=f"<results>/{image}/reloaded.json",
            made=temp(directory(f"<scratch>/reloaded/{image}")),
        log:
            f"<logs>/reload_{image}.log",
        benchmark:
            f"<benchmarks>/reload_{image}.tsv"
        conda:
            here("envs", "submit.yaml")
        threads: 16
        resources:
            gpu=CONTRACTED[image].hardware.gpus,
        params:
            image=image,
            names=NAMING,
            test=IMAGES[image]["test"],
            engine=config["containers"]["engine"],
            logs=f"logs/{config['challenge']}/reloaded",
        message:
            f"{TITLE}: load the {image} archive back, and run it by the organisers' command"
        shell:
            r"""
            python -m workflow.scripts.test \
                --image {params.image:q} \
                --contract {input.contract:q} {params.names:q} \
                --record {input.record:q} \
                --archive {input.archive:q} \
                --profile organisers \
                --mount input=@{input.data:q} \
                --mount output={output.made:q} \
                {params.test:q} \
                --gpus {resources.gpu} \
                --engine {params.engine:q} \
                --log-dir {params.logs:q} \
                --verdict {output.verdict:q} \
                2>&1 | tee {log:q}
            """
