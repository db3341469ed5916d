"""What the images of all challenges begin with.

In: nothing but the engine. Out: results/containers/base.json, the base image that all of them share.
"""


include: "common.smk"


rule base:
    """Get the base image: the pinned public one, or an equal one made from Debian packages."""
    input:
        code=code("workflow/scripts/base.py"),
        recipe=here("containers", "base", "debian.sh"),
    output:
        record="results/containers/base.json",
    log:
        "logs/containers/base.log",
    conda:
        here("envs", "submit.yaml")
    params:
        base=config["containers"]["base"],
        engine=config["containers"]["engine"],
        cache=f"{config['scratch']}/containers",
    message:
        "Get the base image that all others begin with"
    shell:
        r"""
        python -m workflow.scripts.base \
            --base {params.base:q} \
            --engine {params.engine:q} \
            --cache {params.cache:q} \
            --output {output.record:q} \
            2>&1 | tee {log:q}
        """
