"""Slipway: from raw challenge data to a tested, gzipped submission container. `snakemake --list` is the help screen."""

import os
import sys
from pathlib import Path

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT))

from workflow.scripts.slipway.configuration import checked


configfile: ROOT / "config" / "config.yaml"


config = checked(config, ROOT / "workflow" / "schemas" / "config.schema.yaml")

# Jobs find this very Python first, and the packages of this repository.
os.environ.update(
    PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.getenv('PATH')}",
    PYTHONPATH=os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")])),
)


include: "workflow/rules/containers.smk"


# The stages that have a name both ways round: `stoic_export` is `export_stoic`.
PUBLIC = ["fetch", "preprocess", "train", "artifact", "image", "test", "save", "report", "export"]

for challenge in config["challenges"]:

    module:
        name:
            challenge
        pathvars:
            results=f"results/{challenge}",
            scratch=f"{config['scratch']}/{challenge}",
            logs=f"logs/{challenge}",
            benchmarks=f"benchmarks/{challenge}",
        snakefile:
            f"workflow/rules/{challenge}.smk"
        config:
            {"challenge": challenge, "containers": config["containers"]} | config["challenges"][challenge]

    prefix = f"{challenge}_"

    use rule * from challenge as prefix*
