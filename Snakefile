"""Slipway: from raw challenge data to a tested, gzipped submission container. `snakemake --list` is the help screen."""

import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
STAGES = ["preprocess", "train", "image", "test", "save", "export"]  # those that have a name both ways round
sys.path.insert(0, str(ROOT))

from workflow.scripts.slipway.start import block, start


configfile: ROOT / "config" / "config.yaml"


config = start(config, ROOT)


rule all:
    """Every challenge, the whole way: what plain Snakemake does."""
    input:
        lambda wildcards: [path for name in config["challenges"] for path in getattr(rules, f"{name}_export").input],
    localrule: True


include: "workflow/rules/containers.smk"


for challenge in config["challenges"]:

    module:
        name: challenge
        pathvars:
            results=f"results/{challenge}",
            scratch=f"{config['scratch']}/{challenge}",
            logs=f"logs/{challenge}",
            benchmarks=f"benchmarks/{challenge}",
        snakefile:
            f"workflow/rules/{challenge}.smk"
        config:
            block(config, challenge)

    prefix = f"{challenge}_"

    use rule * from challenge as prefix*

    for stage in STAGES:

        rule:
            """The same as its mirror image, <challenge>_<stage>."""
            name:
                f"{stage}_{challenge}"
            input:
                getattr(rules, f"{challenge}_{stage}").input,
            localrule: True
