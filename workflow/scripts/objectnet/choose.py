"""Choose the candidate that was best on the photos: by top-1, then top-5, then the lower loss, then its name.

    python -m workflow.scripts.objectnet.choose --candidate scratch/objectnet/candidates/lite0.json \\
        --candidate scratch/objectnet/candidates/lite2.json --predict '{}' --output scratch/objectnet/chosen.json
"""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, write_json
from containers.kit.settings import parse
from containers.objectnet.settings import Predict

Result = Mapping[str, Any]


def ranked(results: Sequence[Result]) -> list[Result]:
    """The best first."""
    if len(results) == 1:
        return list(results)
    for result in results:
        if result["top1"] is None:
            raise UserError(
                f"candidate {result['candidate']} has {result['classes']} outputs, which ImageNet photos cannot judge; "
                "make it the only one in challenges.objectnet.train.candidates"
            )
        if result["fingerprint"] != results[0]["fingerprint"]:
            raise UserError(
                f"candidates {results[0]['candidate']} and {result['candidate']} were compared on different photos; "
                "compare them again"
            )
    return sorted(results, key=lambda one: (-one["top1"], -one["top5"], one["nll"], one["candidate"]))


def table(results: Sequence[Result]) -> str:
    """For people, the best first."""
    width = max(len("candidate"), *(len(result["candidate"]) for result in results))
    lines = [f"{'candidate':{width}}  top-1  top-5   loss  seconds  network"]
    for result in results:
        judged = result["top1"] is not None
        measures = f"{result['top1']:5.3f}  {result['top5']:5.3f}  {result['nll']:5.3f}" if judged else f"{'-':>19}"
        lines.append(f"{result['candidate']:{width}}  {measures}  {result['seconds']:7.1f}  {result['model']}")
    return "\n".join(lines)


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidate", type=Path, nargs="+", action="extend", required=True, help="what compare wrote")
    parser.add_argument("--predict", required=True, help="the section objectnet.predict as JSON, or @file")
    parser.add_argument("--output", type=Path, required=True, help="the choice, as JSON")
    args = parser.parse_args(argv)
    predict = parse(Predict, args.predict, "predict")
    results = ranked([read_json(path) for path in args.candidate])
    best = results[0]
    chosen = {
        "schema": 1,
        "chosen": best["candidate"],
        "candidates": results,
        "predict": dataclasses.asdict(predict),
    }
    write_json(args.output, chosen)
    print(table(results))
    judged = f"the best of {len(results)} on {best['photos']} photos"
    print(f"chosen: {best['candidate']}, {'the only one, not judged' if best['top1'] is None else judged}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
