"""The Python packages of each image, as wheels.

In: IMAGES, as submission.smk describes them, after contracted.smk. Out: <scratch>/wheels/<image>.json, and the folder beside it.
"""

for image, shipped in IMAGES.items():

    rule:
        """Fetch this image's Python packages as wheels, at the versions of the lock."""
        name:
            f"wheels_{image}"
        input:
            code=code("workflow/scripts/wheels.py"),
            lock=here("envs", "lock.txt"),
            common=[here("containers", "kit", "requirements.txt")] if CONTRACTED[image].torch else [],
            extra=[*map(str, CONTRACTED[image].requirements), *shipped.get("requirements", [])],
        output:
            record=f"<scratch>/wheels/{image}.json",
        log:
            f"<logs>/wheels_{image}.log",
        conda:
            here("envs", "submit.yaml")
        params:
            cache=f"{config['shared']}/wheels",
            without=list(CONTRACTED[image].without),
        message:
            f"{TITLE}: fetch the Python packages of the {image} image"
        shell:
            r"""
            python -m workflow.scripts.wheels \
                --lock {input.lock:q} \
                --common {input.common:q} \
                --extra {input.extra:q} \
                --without {params.without:q} \
                --cache {params.cache:q} \
                --output {output.record:q} \
                2>&1 | tee {log:q}
            """
