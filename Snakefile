"""Slipway: from raw challenge data to a tested, gzipped submission container. `snakemake --list` is the help screen."""

import os
import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))

from containers.kit.errors import ends_with_error
from workflow.scripts.slipway.configuration import checked, load_schema


configfile: ROOT / "config" / "config.yaml"


with ends_with_error():
    config = checked(config, load_schema(ROOT / "workflow" / "schemas" / "config.schema.yaml"))
STAGES = ["preprocess", "train", "image", "test", "save", "export"]
PUBLIC = [(challenge, stage) for challenge in config["challenges"] for stage in STAGES]

# Jobs find this very Python first, and the packages of this repository.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.getenv('PATH')}",
    PYTHONPATH=os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")])),
)


rule all:
    """Every challenge, the whole way: what plain Snakemake does."""
    input:
        lambda wildcards: [
            path for challenge in config["challenges"] for path in getattr(rules, f"{challenge}_export").input
        ],
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
            {
                **config["challenges"][challenge],
                "challenge": challenge,
                "containers": config["containers"],
                "scratch": f"{config['scratch']}/{challenge}",
                "shared": f"{config['scratch']}/containers",
            }

    prefix = f"{challenge}_"

    use rule * from challenge as prefix*


for challenge, stage in PUBLIC:

    rule:
        """The same as its mirror image, <challenge>_<stage>."""
        name:
            f"{stage}_{challenge}"
        input:
            getattr(rules, f"{challenge}_{stage}").input,
        localrule: True
