"""Programs that are run beside this one: begun so that none outlives it, and ended with all that they began."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from containers.kit.parent import die_with_parent


def begun(
    words: Sequence[str], environment: Mapping[str, str], output: int | IO[bytes], folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """A process that ends with this one, however that ends; both of its streams go to `output`.

    In a session of its own: a Ctrl-C in the terminal would reach it before its children are ended.
    """
    return subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_parent,
    )


def killed_after(process: subprocess.Popen[bytes], grace: float) -> None:
    """Wait for a process that was asked to end; after so many seconds it is killed, with its session."""
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
