"""The command, which waits for ever in the middle of one member: also the processes that it starts read this.

HALT names that member, and the file that is made when it is reached. Two processes unpack if HALT_TWO is set.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

from workflow.scripts.remote import unpack, unpack_write
from workflow.scripts.remote.unpack_plan import Box, Member
from workflow.scripts.remote.unpack_write import Place

NAME, REACHED = os.environ["HALT"].split(":")
write = Place.write


def halting(self: Place, box: Box, member: Member, chunks: Iterable[bytes], came: Callable[[int], object]) -> None:
    if member.place != NAME:
        write(self, box, member, chunks, came)
        return
    (self.parts / str(member.index)).write_bytes(b"".join(islice(chunks, 1)))
    Path(REACHED).touch()
    while True:
        signal.pause()


Place.write = halting  # type: ignore[method-assign]
if "HALT_TWO" in os.environ:
    unpack_write.WORTH, unpack_write.BATCH_FILES = 0, 1
    unpack_write.__dict__["available"] = lambda: 2

if __name__ == "__main__":
    raise SystemExit(unpack.main())
