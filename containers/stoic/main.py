"""The training container: learn from /input, write the artifact to /output, and say so.

SLIPWAY_INPUT=data SLIPWAY_OUTPUT=artifact SLIPWAY_SCRATCH=scratch SLIPWAY_SETTINGS=settings.json \\
        python -m containers.stoic.main
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence

from containers.kit import cpus
from containers.kit.errors import reports_errors
from containers.stoic import places


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(argv)
    cpus.limit_threads(cpus.available())  # before numpy and torch are imported, which read it once
    from containers.stoic.train import do_learning

    artifact = places.place("OUTPUT")
    for name in do_learning(str(places.place("INPUT")), str(artifact)):
        shutil.copy(name, artifact)
    print("Training completed.", flush=True)  # the line by which the organisers know
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
