"""Agri-Gaia's template, the image that it stands on, and the package that is uploaded.

In: CHOSEN, the architecture with its names and settings, and PACKAGE, where the ZIP goes. Out: <results>/template, <results>/ground.json, PACKAGE
"""


rule template:
    """Write the template: one flat folder with all that the container is made of, to build and to run by hand."""
    input:
        code=code("workflow/scripts/agrigaia/template.py"),
        files=[str(path) for path in CHOSEN.files],
    output:
        folder=directory("<results>/template"),
    log:
        "<logs>/template.log",
    conda:
        here("envs", "submit.yaml")
    params:
        architecture=config["architecture"],
        package=settings(**config["package"]),
        train=settings(**config["train"]),
        onnx="true" if config["onnx"] else "false",
    message:
        f"{TITLE}: write the template"
    shell:
        r"""
        python -m workflow.scripts.agrigaia.template \
            --architecture {params.architecture:q} \
            --package {params.package:q} \
            --train {params.train:q} \
            --onnx {params.onnx:q} \
            --output {output.folder:q} \
            2>&1 | tee {log:q}
        """


rule ground:
    """Make the image that the template's stands on: the base with tools and Python packages, so that it builds with no network."""
    input:
        code=code("workflow/scripts/agrigaia/ground.py"),
        dockerfile=here("containers", "agrigaia", "ground.Dockerfile"),
        recipe=here("containers", "base", "debian.sh"),
        base="results/containers/base.json",
        wheels="<scratch>/wheels/train.json",
    output:
        record="<results>/ground.json",
    log:
        "<logs>/ground.log",
    conda:
        here("envs", "submit.yaml")
    params:
        engine=config["containers"]["engine"],
        cache=config["shared"],
    message:
        f"{TITLE}: make the image that the template's stands on"
    shell:
        r"""
        python -m workflow.scripts.agrigaia.ground \
            --base {input.base:q} \
            --wheelhouse {input.wheels:q} \
            --engine {params.engine:q} \
            --cache {params.cache:q} \
            --output {output.record:q} \
            2>&1 | tee {log:q}
        """


rule package:
    """Pack the ZIP that is uploaded to the platform, and check it by the platform's own rules."""
    input:
        code=code("workflow/scripts/agrigaia/package.py"),
        template="<results>/template",
    output:
        package=PACKAGE,
        manifest="<results>/package/manifest.json",
    log:
        "<logs>/package.log",
    conda:
        here("envs", "submit.yaml")
    params:
        architecture=config["architecture"],
        package=settings(**config["package"]),
    message:
        f"{TITLE}: pack the ZIP that is uploaded to the platform"
    shell:
        r"""
        python -m workflow.scripts.agrigaia.package \
            --template {input.template:q} \
            --architecture {params.architecture:q} \
            --package {params.package:q} \
            --output {output.package:q} \
            --manifest {output.manifest:q} \
            2>&1 | tee {log:q}
        """
