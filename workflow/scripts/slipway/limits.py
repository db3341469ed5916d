"""Flags that an engine refuses: found out before the run, left out, and told."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace

from workflow.scripts.slipway.engine import Engine
from workflow.scripts.slipway.flags import Adapted, Flags

# In the words of runc and crun; any other complaint is a mistake in the contract, which the run itself will tell.
REFUSED = re.compile(r"rlimit.*(not permitted|denied)", re.IGNORECASE | re.DOTALL)


def fitted(engine: Engine, image_id: str, flags: Flags) -> tuple[Flags, list[Adapted]]:
    """Without what this engine does not take; nothing is started for a profile that raises no limit."""
    changes: list[Adapted] = []
    refused = _refused(engine, image_id, flags.ulimits)
    for limit in refused:
        name = limit.partition("=")[0]
        why = f"this engine may not raise {name}; the container has the engine's own limit instead"
        changes.append(Adapted("--ulimit", limit, "", why))
    flags = replace(flags, ulimits=tuple(limit for limit in flags.ulimits if limit not in refused))
    if engine.name == "podman" and flags.ipc == "host" and flags.shm_size:
        why = "podman does not take it together with --ipc host, by which the container has this host's /dev/shm"
        changes.append(Adapted("--shm-size", flags.shm_size, "", why))
        flags = replace(flags, shm_size="")
    return flags, changes


def _refused(engine: Engine, image_id: str, limits: tuple[str, ...]) -> tuple[str, ...]:
    if not limits or _taken(engine, image_id, limits):
        return ()
    return tuple(limit for limit in limits if not _taken(engine, image_id, (limit,)))


def _taken(engine: Engine, image_id: str, limits: tuple[str, ...]) -> bool:
    """Whether a container of the image starts with them; limits are set before the engine looks for the program."""
    words = ["run", "--rm", "--network", "none", *Flags(ulimits=limits).words(engine.name), "--entrypoint", "true"]
    done = subprocess.run(engine.command(*words, image_id), capture_output=True, text=True, check=False)
    return done.returncode == 0 or not REFUSED.search(done.stderr)
