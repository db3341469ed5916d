"""The learning environment: TensorBoard and a notebook, on this machine's loopback interface until Ctrl-C ends them.

In: LEARNING of salt_training.smk. They write no output of Snakemake's, and so they may run beside a training.
"""


rule tensorboard:
    """Show the learning curves in TensorBoard; Ctrl-C ends it. It may run beside a training."""
    input:
        code=code("workflow/scripts/salt/tensorboard.py"),
    log:
        "<logs>/tensorboard.log",
    localrule: True
    conda:
        here("envs", "learn.yaml")
    params:
        folder=f"{LEARNING}/tensorboard",
        port=config["tensorboard"]["port"],
    message:
        f"{TITLE}: TensorBoard"
    shell:
        r"""
        python -m workflow.scripts.salt.tensorboard \
            --logdir {params.folder:q} \
            --port {params.port} \
            --log {log:q}
        """


rule notebook:
    """Open a notebook that explains data and transforms, with a password made for this run; Ctrl-C ends it."""
    input:
        code=code("workflow/scripts/salt/notebook.py"),
        notebook=here("workflow", "notebooks", "salt_transforms.ipynb"),
        manifest="<scratch>/raw/manifest.json",
    log:
        "<logs>/notebook.log",
    localrule: True
    conda:
        here("envs", "learn.yaml")
    params:
        # No declared output: a copy that its user has edited is never deleted.
        folder=f"results/{config['challenge']}/notebooks",
        port=config["notebook"]["port"],
    message:
        f"{TITLE}: a notebook that explains data and transforms"
    shell:
        r"""
        python -m workflow.scripts.salt.notebook \
            --notebook {input.notebook:q} \
            --data {input.manifest:q} \
            --folder {params.folder:q} \
            --port {params.port} \
            --log {log:q}
        """
