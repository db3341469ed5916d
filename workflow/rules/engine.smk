"""What the engine does with each image: build it, run it as the organisers will, save it.

In: IMAGES, as submission.smk describes them, after contracted.smk. Out: <results>/<image>/{image,verdict}.json and <results>/<archive>.tar.gz
"""

for image, shipped in IMAGES.items():

    rule:
        """Build this image from its folder of the submission, with no network."""
        name:
            f"image_{image}"
        input:
            code=code("workflow/scripts/image.py"),
            folder=shipped.get("context") or f"<results>/submission/{shipped['folder']}",
            base=shipped.get("base", "results/containers/base.json"),
            wheels=f"<scratch>/wheels/{image}.json",
            contract=CONTRACT,
        output:
            record=f"<results>/{image}/image.json",
        log:
            f"<logs>/image_{image}.log",
        benchmark:
            f"<benchmarks>/image_{image}.tsv"
        conda:
            here("envs", "submit.yaml")
        params:
            image=image,
            names=NAMING,
            engine=config["containers"]["engine"],
        message:
            f"{TITLE}: build the {image} image, with no network"
        shell:
            r"""
            python -m workflow.scripts.image \
                --image {params.image:q} \
                --contract {input.contract:q} {params.names:q} \
                --context {input.folder:q} \
                --base {input.base:q} \
                --wheelhouse {input.wheels:q} \
                --engine {params.engine:q} \
                --output {output.record:q} \
                2>&1 | tee {log:q}
            """

    rule:
        """Run this image as the organisers will, and judge it."""
        name:
            f"test_{image}"
        input:
            code=code("workflow/scripts/test.py", CONTRACTED[image].output_check.partition(":")[0]),
            contract=CONTRACT,
            record=f"<results>/{image}/image.json",
            data=shipped["data"],
            needs=shipped.get("needs", []),
        output:
            verdict=f"<results>/{image}/verdict.json",
            made=directory(shipped["made"]),
        log:
            f"<logs>/test_{image}.log",
        benchmark:
            f"<benchmarks>/test_{image}.tsv"
        conda:
            here("envs", "submit.yaml")
        threads: 16
        resources:
            gpu=CONTRACTED[image].hardware.gpus,
        params:
            image=image,
            names=NAMING,
            test=shipped["test"],
            profiles=shipped["profiles"],
            engine=config["containers"]["engine"],
            logs=f"logs/{config['challenge']}",
        message:
            f"{TITLE}: run the {image} image as the organisers will, and judge it"
        shell:
            r"""
            python -m workflow.scripts.test \
                --image {params.image:q} \
                --contract {input.contract:q} {params.names:q} \
                --record {input.record:q} \
                --profile {params.profiles:q} \
                --mount input=@{input.data:q} \
                --mount output={output.made:q} \
                {params.test:q} \
                --gpus {resources.gpu} \
                --engine {params.engine:q} \
                --log-dir {params.logs:q} \
                --verdict {output.verdict:q} \
                2>&1 | tee {log:q}
            """

    rule:
        """Save this image, once it has passed, as the gzipped archive that is uploaded."""
        name:
            f"save_{image}"
        input:
            code=code("workflow/scripts/save.py"),
            contract=CONTRACT,
            record=f"<results>/{image}/image.json",
            verdict=f"<results>/{image}/verdict.json",
        output:
            archive=f"<results>/{CONTRACTED[image].archive}.tar.gz",
            sha256=f"<results>/{CONTRACTED[image].archive}.tar.gz.sha256",
            manifest=f"<results>/{CONTRACTED[image].archive}.manifest.json",
        log:
            f"<logs>/save_{image}.log",
        benchmark:
            f"<benchmarks>/save_{image}.tsv"
        conda:
            here("envs", "submit.yaml")
        threads: 2
        params:
            image=image,
            names=NAMING,
            level=config["save"]["level"],
            engine=config["containers"]["engine"],
        message:
            f"{TITLE}: save the {image} image as the archive that is uploaded"
        shell:
            r"""
            python -m workflow.scripts.save \
                --image {params.image:q} \
                --contract {input.contract:q} {params.names:q} \
                --record {input.record:q} \
                --verdict {input.verdict:q} \
                --level {params.level} \
                --threads {threads} \
                --engine {params.engine:q} \
                --archive {output.archive:q} \
                --sha256 {output.sha256:q} \
                --manifest {output.manifest:q} \
                2>&1 | tee {log:q}
            """
