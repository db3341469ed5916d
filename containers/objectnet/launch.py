"""What the image runs: objectnet_eval.py on the mounted folders, with the words that the image was built with.

    docker run ... IMAGE --tta flip

Words after the image's name follow those of the image, and win.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from containers.kit.errors import UserError, reports_errors
from containers.objectnet import objectnet_eval, places
from containers.objectnet.settings import Predict


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    """Every error is told by its sentence, those of `objectnet_eval.main` by itself."""
    more = list(sys.argv[1:] if argv is None else argv)
    return objectnet_eval.main([*words(os.environ, places.settings().predict), *more])


def words(environment: Mapping[str, str], predict: Predict) -> list[str]:
    """The command line of the template that the image's variables and settings come to."""
    model = environment.get("MODEL_CLASS_NAME", "")
    checkpoint = environment.get("MODEL_PATH", "")
    if not model:
        raise UserError("the image names no network; build it with --build-arg MODEL_CLASS_NAME=<class>")
    if not checkpoint or checkpoint.endswith("/"):
        raise UserError("the image names no weights; build it with --build-arg MODEL_CHECKPOINT=<file name>")
    workers = _count(environment, "WORKERS") or predict.workers
    return [
        str(places.place("INPUT")),
        str(places.place("OUTPUT") / places.PREDICTIONS),
        model,
        checkpoint,
        *([f"--workers={workers}"] if workers else []),
        f"--batch_size={_count(environment, 'BATCH_SIZE') or predict.batch_size}",
        f"--softmax={predict.softmax}",
        f"--convert_outputs_mode={predict.convert_outputs_mode}",
        f"--tta={predict.tta}",
        f"--temperature={predict.temperature}",
        f"--precision={predict.precision}",
        f"--backend={predict.backend}",
    ]


def _count(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name, "").strip() or "0"
    if not text.isdecimal():
        raise UserError(f"{name} is '{environment[name]}'; build the image with --build-arg {name}=<a number>, or 0")
    return int(text)


if __name__ == "__main__":
    raise SystemExit(main())
