"""What the Snakefile does before it defines a rule."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, ends_with_error
from workflow.scripts.remote import table
from workflow.scripts.slipway.configuration import checked, load_schema


def start(config: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """The checked and complete configuration; jobs will find this very Python first, and the packages here."""
    with ends_with_error():
        complete = checked(config, load_schema(root / "workflow" / "schemas" / "config.schema.yaml"))
        _folder(Path(complete["scratch"]))
        complete["sources"] = table.load(root, complete["sources"])
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(root), os.environ.get("PYTHONPATH")]))
    return complete


def _folder(scratch: Path) -> None:
    """Snakemake itself would end with a traceback where a file stands in the way."""
    with suppress(OSError):  # a place that nobody may look at is told by who writes there
        there = next(one for one in (scratch, *scratch.absolute().parents) if one.exists())
        if not there.is_dir():
            raise UserError(f"scratch: {scratch} cannot be a folder, since {there} is a file; name another place")


def block(config: Mapping[str, Any], challenge: str) -> dict[str, Any]:
    """What the rule module of one challenge is given: its own block, and what all of them share."""
    data = config["sources"]["data"].get(challenge, {})
    return {
        **config["challenges"][challenge],
        "row": data,
        "weights_table": config["sources"]["weights"],
        "accept": config["accept"],
        "challenge": challenge,
        "containers": config["containers"],
        "scratch": f"{config['scratch']}/{challenge}",
        "shared": f"{config['scratch']}/containers",
    }
