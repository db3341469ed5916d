"""Run a command on GPUs that no other leased command uses; on a host without a GPU it runs on the CPU.

    python -m workflow.scripts.lease --gpus 1 -- python -m containers.stoic.main

The command takes this process's place and holds the lease until it ends, even by kill -9.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from containers.kit.errors import UserError, reports_errors
from workflow.scripts.slipway.gpus import VISIBLE
from workflow.scripts.slipway.lease import take


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gpus", type=int, required=True, metavar="N", help="how many; 0 hides all GPUs")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="what to run")
    args = parser.parse_args(argv)
    command = args.command[1:] if args.command[:1] == ["--"] else args.command
    if not command:
        raise UserError("lease: there is no command after --; say what to run on the GPU")
    if args.gpus < 0:
        raise UserError(f"lease: --gpus is {args.gpus}; give 0 or more")
    environment = dict(os.environ)
    if args.gpus == 0:
        environment[VISIBLE] = ""
    else:
        taken = take(args.gpus)
        for descriptor in taken.descriptors:
            os.set_inheritable(descriptor, True)  # the command that replaces us goes on holding it
        if taken.ids:
            environment.update(taken.environment())
            print(f"leased GPU {','.join(taken.ids)}", file=sys.stderr, flush=True)
    try:
        os.execvpe(command[0], command, environment)
    except OSError as error:
        raise UserError(f"lease: {command[0]} cannot be run ({error.strerror})") from None


if __name__ == "__main__":
    raise SystemExit(main())
