"""An image as the engine streams it, and whether the engine said that this was all."""

from __future__ import annotations

import fcntl
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from containers.kit.errors import UserError
from workflow.scripts.slipway.engine import Engine, show
from workflow.scripts.slipway.tarstream import BrokenTarError

PIPE_BYTES = 1 << 20  # what an ordinary user may ask for; the default of 64 KiB wakes both sides 16 times as often
LAST_WORDS_SECONDS = 10


@contextmanager
def saved(engine: Engine, tag: str) -> Iterator[IO[bytes]]:
    """The output of `docker save TAG`; leaving the block raises a UserError if the engine or its stream failed."""
    command = engine.command("save", tag)
    show(command)
    with (
        tempfile.TemporaryFile() as words,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words) as process,
    ):
        assert process.stdout is not None
        with suppress(OSError):
            fcntl.fcntl(process.stdout, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        broken = None
        try:
            yield process.stdout
        except BrokenTarError as error:
            broken = error
        except BaseException:
            process.kill()
            raise
        # A stream that broke off is most often the engine's doing: its own words then say more than ours.
        failed = _status(process)
        if failed:
            words.seek(0)
            said = words.read().decode(errors="replace").strip().splitlines()
            raise UserError(
                f"`{shlex.join(command)}` ended with {failed} before the image was complete: "
                f"{said[-1] if said else 'it printed nothing'}"
            )
        if broken is not None:
            raise UserError(f"what `{shlex.join(command)}` streams is not a whole image ({broken}); run the save again")


def _status(process: subprocess.Popen[bytes]) -> int:
    """The exit status of an engine that has closed its output; 0 for one that goes on after what broke the stream."""
    try:
        return process.wait(LAST_WORDS_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return 0
