"""Show the learning curves in TensorBoard, on this machine's loopback interface, until Ctrl-C.

    python -m workflow.scripts.salt.tensorboard --logdir scratch/salt/learning/tensorboard --port 6006 \\
        --log logs/salt/tensorboard.log

It may be started before a training begins, and shows each run as soon as there is one. Port 0 takes a free one.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from containers.kit.errors import UserError, reports_errors
from workflow.scripts.salt.serve import HOST, Server, begin_log, port_for, serve, until_stopped

NAME, KEY = "TensorBoard", "challenges.salt.tensorboard.port"
EVENTS = "events.out.tfevents.*"
RELOAD = 5  # seconds from one look at the folder to the next


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--logdir", type=Path, required=True, help="folder below which the trainings write")
    parser.add_argument("--port", type=int, default=6006, help="0 takes a free one")
    parser.add_argument("--log", type=Path, required=True, help="file for what TensorBoard says")
    args = parser.parse_args(argv)
    with until_stopped():
        _show(args.logdir, args.port, args.log)
    return 0


def _show(folder: Path, wanted: int, log: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--logdir {folder} is no folder; name the one below which the trainings write")
    port = port_for(NAME, wanted, KEY)
    begin_log(log)
    if next(folder.rglob(EVENTS), None) is None:
        print(f"{folder} has no learning curves yet; they appear once a training runs (snakemake salt_train)")
    words = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder.absolute()), "--host", HOST]
    words += ["--port", str(port), "--reload_interval", str(RELOAD)]
    serve(Server(NAME, words, os.environ, port, "/", log))


if __name__ == "__main__":
    raise SystemExit(main())
