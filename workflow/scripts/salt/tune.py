"""Choose what post-processing does, by what networks say of images that they did not learn from.

    python -m workflow.scripts.salt.tune --packed scratch/salt/packed --oof results/salt/oof/classifier.csv \\
        --folds scratch/salt/folds/segmentation_* --settings '{"crf": "auto"}' --output scratch/salt/tuned.json

The segmentation's threshold and least size, the CRF where it scores better, and the classifier's threshold. No
post-processing at all is in the running, so that on these images it never makes a score worse.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import write_json
from containers.kit.pool import each
from containers.kit.settings import build, parse
from containers.salt.crf import Crf
from containers.salt.metric import of_all
from containers.salt.postprocess import Cleaning, probabilities_of
from containers.salt.settings import VARIANTS, Tune
from containers.salt.tuning import LEAST, THRESHOLDS, Judged, Tuned, choose, judge
from containers.salt.variants import HALF, PLAIN, Choices, masks
from workflow.scripts.salt import oof, packed
from workflow.scripts.salt.packed import Array

KEEPS = (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.1, 0.05, 0.02, 0.0)  # of equals the one that changes least is taken
BATCH = 250  # images a piece of work


@dataclass(frozen=True)
class Option:
    """A way to clean masks, and what the masks of each threshold score."""

    cleaning: Cleaning
    least: tuple[int, ...]
    judged: tuple[Judged, ...]


@dataclass(frozen=True)
class Found:
    keep: float
    tuned: Tuned


def options(logits: Array, truths: Array, told: Tune, workers: int) -> list[Option]:
    """No post-processing first, then what the settings say, with and without the CRF where they leave that open."""
    values = asdict(told)
    crf = build(Crf, {name: values[name] for name in ("sigma", "compat", "certainty", "rounds")}, "tune")
    start = build(Cleaning, {name: values[name] for name in ("component", "hole", "full")}, "tune")
    starts = {"off": [start], "on": [replace(start, crf=crf)], "auto": [start, replace(start, crf=crf)]}[told.crf]
    tried = [PLAIN, *(replace(one, threshold=threshold) for one in starts for threshold in THRESHOLDS)]
    batches = [(logits[some], truths[some]) for some in _slices(len(logits))]
    parts: list[list[Judged]] = []
    for result in each(partial(_judge, tried), batches, workers=workers, title="tuning"):
        if isinstance(result, UserError):
            raise result
        parts.append(result)
    judged = [
        Judged(
            cleaning.threshold,
            np.concatenate([part[place].scores for part in parts]),
            np.concatenate([part[place].pixels for part in parts]),
        )
        for place, cleaning in enumerate(tried)
    ]
    found = [Option(PLAIN, (0,), (judged[0],))]
    for place, one in enumerate(starts):
        first = 1 + place * len(THRESHOLDS)
        found.append(Option(one, LEAST, tuple(judged[first : first + len(THRESHOLDS)])))
    return found


def best(found: Sequence[Option], true: Array, salt: Array | None = None) -> tuple[Found, list[dict[str, Any]]]:
    """What scores best, and a table; `salt` are the classifier's probabilities, None where it is not asked."""
    winner, table = None, []
    for option in found:
        for keep in (HALF,) if salt is None else KEEPS:
            kept = None if salt is None else salt > keep
            tuned = choose(option.judged, true, option.cleaning, option.least, kept)
            if winner is None or tuned.score > winner.tuned.score + 1e-12:
                winner = Found(keep, tuned)
            table += _rows(tuned, None if salt is None else keep)
    assert winner is not None
    return winner, table


def tune(logits: Array, truths: Array, salt: Array, told: Tune, workers: int = 0) -> dict[str, Any]:
    """What is written down; `salt` are the classifier's probabilities of the same images."""
    true: Array = np.asarray(truths.any(axis=(1, 2)))
    found = options(logits, truths, told, workers)
    alone, of_alone = best(found, true)
    both, of_both = best(found, true, salt)
    choices = Choices(both.keep, alone.tuned.cleaning, both.tuned.cleaning)
    pixels = probabilities_of(logits)
    scores = {name: float(of_all(truths, masks(name, salt, pixels, choices)).mean()) for name in VARIANTS}
    return {
        "schema": 1,
        **asdict(choices),
        "images": len(truths),
        "scores": scores,
        "tables": {"segmentation": of_alone, "both": of_both},
        "notes": _notes(told, {"segmentation": alone, "both": both}, true),
    }


def _rows(tuned: Tuned, keep: float | None) -> list[dict[str, Any]]:
    """Every pair that was tried, or with the classifier, where they are many, the best for each of its thresholds."""
    crf = tuned.cleaning.crf is not None
    if keep is None:
        return [{"crf": crf, **asdict(row)} for row in tuned.table]
    told = {"threshold": tuned.cleaning.threshold, "least": tuned.cleaning.least, "score": tuned.score}
    return [{"crf": crf, "keep": keep, **told}]


def _notes(told: Tune, found: Mapping[str, Found], true: Array) -> list[str]:
    asked = told.crf == "on" or any((told.component, told.hole, told.full))
    notes = [
        f"{name}: no post-processing scores better out of fold than what tune asks for, and is taken"
        for name, one in found.items()
        if asked and one.tuned.cleaning == PLAIN
    ]
    if len(set(true)) == 1:
        notes.append(f"all images tuned on {'have' if true[0] else 'are without'} salt, so that little can be chosen")
    return notes


def _judge(tried: Sequence[Cleaning], batch: tuple[Array, Array]) -> list[Judged]:
    logits, truths = batch
    probabilities = probabilities_of(logits)
    return [judge(probabilities, truths, cleaning) for cleaning in tried]


def _slices(count: int) -> list[slice]:
    return [slice(first, first + BATCH) for first in range(0, count, BATCH)]


def shown(content: Mapping[str, Any]) -> str:
    """For people."""
    lines = [f"{'':28}  mean AP of {content['images']:,} images out of fold"]
    lines += [f"{name:28}  {score:.4f}" for name, score in content["scores"].items()]
    for name in ("segmentation", "both"):
        one = content[name]
        words = [f"threshold {one['threshold']:g}", f"at least {one['least']} pixels", *(["CRF"] if one["crf"] else [])]
        words += [f"images above {content['keep']:g} kept"] if name == "both" else []
        lines.append(f"{name}: {', '.join(words)}")
    return "\n".join([*lines, *(f"note: {note}" for note in content["notes"])])


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packed", type=Path, required=True, help="folder that pack wrote")
    parser.add_argument("--oof", type=Path, required=True, help="what classified wrote")
    parser.add_argument("--folds", type=Path, nargs="+", required=True, help="folders that segment wrote")
    parser.add_argument("--settings", default="{}", help="the section salt.tune as JSON, or @file")
    parser.add_argument("--workers", type=int, default=0, help="processes; 0 means one a CPU")
    parser.add_argument("--output", type=Path, required=True, help="what was chosen, as JSON")
    args = parser.parse_args(argv)
    told = parse(Tune, args.settings, "tune")
    images = packed.read(args.packed)
    judged = oof.judged(args.folds, "segmentation", images)
    salt = oof.read(args.oof, images).probabilities[judged.places]
    content = tune(judged.logits, np.asarray(images.masks[judged.places]), salt, told, args.workers)
    try:
        write_json(args.output, content)
    except OSError as error:
        raise UserError(f"{args.output} cannot be written ({error.strerror}); make room there") from None
    print(shown(content))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
