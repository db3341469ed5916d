"""What the submission hands to organisers: a folder an image, from which plain `docker build` makes it, LICENSE and README.

In: IMAGES and NAMES, as submission.smk describes them, after contracted.smk. Out: <results>/submission
"""

for image, shipped in IMAGES.items():

    rule:
        """Lay out this image's folder of the submission: what organisers get is what is built and tested here."""
        name:
            f"submission_{image}"
        input:
            code=code("workflow/scripts/submission.py"),
            ships=code(*shipped["entry"]),
            dockerfile=str(CONTRACTED[image].dockerfile),
            base="results/containers/base.json",
            wheels=f"<scratch>/wheels/{image}.json",
            artifact=shipped["artifact"],
            weights=shipped["weights"],
            contract=CONTRACT,
        output:
            folder=directory(f"<results>/submission/{shipped['folder']}"),
        log:
            f"<logs>/submission_{image}.log",
        conda:
            here("envs", "submit.yaml")
        params:
            image=image,
            names=NAMING,
            entry=shipped["entry"],
            settings=shipped["settings"],
            args=[f"--arg={name}={value}" for name, value in shipped.get("args", {}).items()],
            leave=shipped.get("leave", []),
            wheels=config["containers"]["wheels"],
        message:
            f"{TITLE}: lay out the submission's folder {shipped['folder']}/"
        shell:
            r"""
            python -m workflow.scripts.submission \
                --image {params.image:q} \
                --contract {input.contract:q} {params.names:q} \
                --entry {params.entry:q} \
                --dockerfile {input.dockerfile:q} \
                --base {input.base:q} \
                --wheelhouse {input.wheels:q} \
                --wheels {params.wheels:q} \
                --artifact {input.artifact:q} \
                --leave {params.leave:q} \
                {params.args:q} \
                --weights {input.weights:q} \
                --settings {params.settings:q} \
                --output {output.folder:q} \
                2>&1 | tee {log:q}
            """


rule cover:
    """Write what the submission needs beside its folders: LICENSE, and a README that says how to use them."""
    input:
        code=code("workflow/scripts/cover.py"),
        contract=CONTRACT,
        license=here("LICENSE"),
    output:
        license="<results>/submission/LICENSE",
        readme="<results>/submission/README.md",
    log:
        "<logs>/cover.log",
    conda:
        here("envs", "submit.yaml")
    params:
        names=NAMING,
        parts=[f"--part={image}={shipped['folder']}" for image, shipped in IMAGES.items()],
        wheels=config["containers"]["wheels"],
    message:
        f"{TITLE}: write the submission's LICENSE and README"
    shell:
        r"""
        python -m workflow.scripts.cover \
            --contract {input.contract:q} {params.names:q} \
            {params.parts:q} \
            --wheels {params.wheels:q} \
            --license {input.license:q} \
            --output {output.license:q} \
            2>&1 | tee {log:q}
        """
