"""Names of the bench's containers and volumes, by which those of a bench that was killed are found and removed."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

from workflow.scripts.slipway.engine import Engine

NAME = re.compile(r"slipway-[a-z0-9_-]+-(?P<host>[0-9a-f]{8})-(?P<pid>\d+)-(?P<begun>\d+)(-[a-z0-9_]+)?")


def name(image: str, profile: str) -> str:
    """A name that tells whose container it is: this boot of this machine, this process, begun at this tick."""
    return f"slipway-{image}-{profile}-{_host()}-{os.getpid()}-{_begun(os.getpid())}"


def sweep(engine: Engine) -> list[str]:
    """Remove what a bench that no longer runs has left: a training that goes on unseen would spoil the next one."""
    removed = []
    for listing, remove in (
        (("ps", "--all", "--filter", "name=slipway-", "--format", "{{.Names}}"), ("rm", "--force", "--volumes")),
        (("volume", "ls", "--filter", "name=slipway-", "--format", "{{.Name}}"), ("volume", "rm", "--force")),
    ):
        for found in engine.ask(*listing).splitlines():
            match = NAME.fullmatch(found)
            if match and match["host"] == _host() and _begun(int(match["pid"])) != match["begun"]:
                subprocess.run(engine.command(*remove, found), capture_output=True, check=False)
                removed.append(found)
    for found in removed:
        print(f"removed {found}, left behind by a test that was killed", file=sys.stderr)
    return removed


def _host() -> str:
    """Tells machines, boots and process namespaces apart, since process numbers mean nothing across them."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    return hashlib.sha256(f"{boot}{Path('/proc/self/ns/pid').readlink()}".encode()).hexdigest()[:8]


def _begun(pid: int) -> str:
    """The tick at which the process began; empty when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        return ""
