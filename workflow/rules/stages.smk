"""The report, and the stages that have a name of their own: image, test, save, export.

In: IMAGES and REPORTED, as submission.smk describes them, RELOADED of reload.smk, and HANDED, what organisers get beside the archives.
Out: <results>/report.html
"""


rule report:
    """Write report.html: verdicts, archives, scores and learning curves on one page."""
    input:
        code=code("workflow/scripts/report.py"),
        verdicts=[f"<results>/{image}/verdict.json" for image in IMAGES],
        reloaded=[f"<results>/{image}/reloaded.json" for image in RELOADED],
        manifests=[f"<results>/{CONTRACTED[image].archive}.manifest.json" for image in IMAGES],
        artifact=REPORTED,
        data="<scratch>/raw/fingerprint.json",
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
            --data {input.data:q} \
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
        HANDED,
        [f"<results>/{image}/reloaded.json" for image in RELOADED],
        "<results>/report.html",
    localrule: True
