"""Which cases each fold learns from and which it is judged by; CT and MR are spread alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from warnings import catch_warnings, simplefilter

from sklearn.model_selection import StratifiedKFold

from containers.kit.errors import UserError

Split = dict[str, list[str]]


def split(modalities: Mapping[str, str], folds: int, seed: int) -> tuple[list[Split], list[str]]:
    """nnU-Net's splits_final.json of the cases and their modalities, and notes on what is thin in it."""
    cases = sorted(modalities)
    if not 2 <= folds <= len(cases):
        raise UserError(f"train.folds is {folds}, but there are {len(cases)} training cases; set 2 to {len(cases)}")
    kinds = [modalities[case] for case in cases]
    notes = [
        f"{count} {kind} cases are spread over {folds} folds, so {folds - count} of them are judged without any"
        for kind, count in sorted(Counter(kinds).items())
        if count < folds
    ]
    with catch_warnings():
        simplefilter("ignore")  # the notes say it
        if max(Counter(kinds).values()) < folds:
            kinds = ["any"] * len(cases)
        parts = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(cases, kinds))
    return [
        {"train": [cases[index] for index in learnt], "val": [cases[index] for index in judged]}
        for learnt, judged in parts
    ], notes
