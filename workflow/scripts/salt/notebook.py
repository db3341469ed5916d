"""Open a notebook in JupyterLab, on this machine's loopback interface, until Ctrl-C; with a password for this start.

    python -m workflow.scripts.salt.notebook --notebook workflow/notebooks/salt_transforms.ipynb \\
        --folder results/salt/notebooks --data scratch/salt/raw/manifest.json --port 8889 --log logs/salt/notebook.log

The notebook is copied to --folder the first time, and run there; a copy that is there is left as it is. Port 0 takes a
free one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from containers.kit.errors import UserError, reports_errors
from workflow.scripts.salt import jupyter, lesson
from workflow.scripts.salt.serve import Server, begin_log, port_for, serve, until_stopped

NAME, KEY = "JupyterLab", "challenges.salt.notebook.port"


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebook", type=Path, required=True, help="the repository's notebook")
    parser.add_argument("--folder", type=Path, required=True, help="where the user's copy is, and all that is opened")
    parser.add_argument("--data", type=Path, help="manifest of the images; without it the notebook makes some")
    parser.add_argument("--port", type=int, default=8889, help="0 takes a free one")
    parser.add_argument("--log", type=Path, required=True, help="file for what JupyterLab says")
    args = parser.parse_args(argv)
    for flag, path in (("--notebook", args.notebook), ("--data", args.data)):
        if path is not None and not path.is_file():
            raise UserError(f"{flag} {path} is not there; name the right file, or run the rule that makes it")
    with until_stopped(), jupyter.prepared(args.data) as settled:
        port = port_for(NAME, args.port, KEY)
        begin_log(args.log)
        copy = lesson.copied(args.notebook, args.folder, settled, args.log)
        password = jupyter.new_password()
        settled.protect(port, args.folder, password)
        words = [sys.executable, "-m", "jupyterlab"]
        opened = f" and give the password {password}"
        serve(Server(NAME, words, settled.environment, port, f"/lab/tree/{quote(copy.name)}", args.log, opened))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
