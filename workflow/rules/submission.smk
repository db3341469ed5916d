"""From code and artifact to verified archives: the stages that every challenge shares.

In: IMAGES, which the challenge's module defines before it includes this file. It maps the name of an image in contract.yaml to
    folder        its folder in the submission
    entry         the modules that run in it; they ship with all that they import
    settings      what is baked into it as settings.json
    artifact      the folder of trained weights that it ships, or nothing
    weights       a file of pretrained weights that it ships, or nothing
    data          a manifest whose `root` is mounted as its input when it is tested
    made          the folder that its output goes to when it is tested
    test          further words for the test: scratch, time limit, environment
    profiles      which profiles of the contract it must pass
    reloaded      True where the organisers load the archive and run it again, so that the saved file is tried once more
    requirements  further files of Python packages that what is configured needs (optional, as are the next two)
    args          values that the Dockerfile's ARGs have by default
    leave         names of the artifact's files that this image does not need
    NAMES, the values of the `{team}`-like words of its contract,
    and REPORTED, the folders of trained artifacts whose card.json the report shows.
Out: <results>/<image>/{image,verdict}.json, <results>/submission/<folder>, <results>/<archive>.tar.gz and <results>/report.html
"""


include: "folder.smk"
include: "reload.smk"


for image, shipped in IMAGES.items():

    rule:
        """Build this image from its folder of the submission, with no network."""
        name:
            f"image_{image}"
        input:
            code=code("workflow/scripts/image.py"),
            folder=f"<results>/submission/{shipped['folder']}",
            base="results/containers/base.json",
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


rule report:
    """Write report.html: verdicts, archives, scores and learning curves on one page."""
    input:
        code=code("workflow/scripts/report.py"),
        verdicts=[f"<results>/{image}/verdict.json" for image in IMAGES],
        reloaded=[f"<results>/{image}/reloaded.json" for image in RELOADED],
        manifests=[f"<results>/{CONTRACTED[image].archive}.manifest.json" for image in IMAGES],
        artifact=REPORTED,
    output:
        page=report(
            "<results>/report.html",
            category=config["title"],
            labels={"page": "report"},
        ),
    log:
        "<logs>/report.log",
    conda:
        here("envs", "submit.yaml")
    params:
        reloaded=reloaded,
        cards=cards,
        challenge=config["challenge"],
        title=config["title"],
    message:
        f"{TITLE}: write the report"
    shell:
        r"""
        python -m workflow.scripts.report \
            --challenge {params.challenge:q} \
            --title {params.title:q} \
            --verdict {input.verdicts:q} {params.reloaded:q} \
            --manifest {input.manifests:q} \
            --card {params.cards:q} \
            --output {output.page:q} \
            2>&1 | tee {log:q}
        """


rule image:
    """Everything up to the built images."""
    input:
        [f"<results>/{image}/image.json" for image in IMAGES],
    localrule: True


rule test:
    """Everything up to a PASS verdict on every image."""
    input:
        [f"<results>/{image}/verdict.json" for image in IMAGES],
    localrule: True


rule save:
    """Everything up to the saved archives."""
    input:
        [f"<results>/{CONTRACTED[image].archive}.tar.gz" for image in IMAGES],
    localrule: True


rule export:
    """The whole way: verified archives, the submission folder, the report."""
    input:
        [f"<results>/{CONTRACTED[image].archive}.tar.gz" for image in IMAGES],
        [f"<results>/submission/{shipped['folder']}" for shipped in IMAGES.values()],
        "<results>/submission/LICENSE",
        [f"<results>/{image}/reloaded.json" for image in RELOADED],
        "<results>/report.html",
    localrule: True
