"""Which cases a fold learns from, which choose its best epoch, and which no training ever sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from containers.kit.errors import UserError
from containers.kit.rng import seed_of
from containers.stoic.data import Case

STRATA = ("severe", "mild", "negative")  # the rare first, so that no fold goes without for the sake of a common one


@dataclass(frozen=True)
class Split:
    folds: tuple[tuple[Case, ...], ...]  # the validation cases of each fold
    holdout: tuple[Case, ...]
    notes: tuple[str, ...]  # what a person should know about it

    def training(self, fold: int) -> tuple[Case, ...]:
        """What a fold learns from: the validation cases of all others."""
        return tuple(sorted((case for k, part in enumerate(self.folds) if k != fold for case in part), key=_by_id))


def stratum(case: Case) -> str:
    return "severe" if case.severe else "mild" if case.covid else "negative"


def split(cases: Sequence[Case], folds: int, holdout: float, seed: int) -> Split:
    """Deal the cases of each stratum, shuffled, to the holdout and then to the folds in turn."""
    if folds < 2:
        raise UserError(
            f"train.folds is {folds}; it must be at least 2, since each fold is judged by cases it has not seen"
        )
    if not 0 <= holdout < 1:
        raise UserError(f"train.holdout is {holdout}; it is a share of the cases, from 0 to below 1")
    parts: list[list[Case]] = [[] for _ in range(folds)]
    kept: list[Case] = []
    dealt = 0
    for name in STRATA:
        members = sorted((case for case in cases if stratum(case) == name), key=_by_id)
        order = np.random.default_rng(seed_of("folds", seed, name)).permutation(len(members))
        away = round(holdout * len(members))
        kept += [members[index] for index in order[:away]]
        for index in order[away:]:  # where one stratum ends the next goes on, so that sizes differ by one at most
            parts[dealt % folds].append(members[index])
            dealt += 1
    if dealt < folds:
        raise UserError(
            f"train.folds is {folds} but {dealt} cases are left of {len(cases)} after train.holdout; lower one of them"
        )
    ready = tuple(tuple(sorted(part, key=_by_id)) for part in parts)
    return Split(ready, tuple(sorted(kept, key=_by_id)), _notes(ready))


def _notes(parts: Sequence[Sequence[Case]]) -> tuple[str, ...]:
    notes = []
    for name in ("severe", "mild"):
        without = [str(fold) for fold, part in enumerate(parts) if all(stratum(case) != name for case in part)]
        if without:
            has = sum(stratum(case) == name for part in parts for case in part)
            notes.append(
                f"fold {', '.join(without)} has no {name} case to be judged by ({has} for {len(parts)} folds), so its "
                "best epoch is the one with the smallest loss; lower train.folds for an AUC in each"
            )
    return tuple(notes)


def _by_id(case: Case) -> int:
    return case.id
