"""The model card: what was trained, on what, by which code, and how good it is on cases that it had not learnt from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from containers.amos.organs import ORGANS
from workflow.scripts.amos import metric
from workflow.scripts.amos.cleaning import Rule
from workflow.scripts.amos.judge import scores

MEAN = metric.MEAN_OF_ORGANS
ROW = ("epoch", "train_loss", "val_loss", "dice", "lr")  # no seconds: equal trainings, equal cards
Json = Mapping[str, Any]


def make(
    record: Json, plans: Json, folds: Sequence[Json], validated: Sequence[Json], rules: Mapping[int, Rule], code: str
) -> dict[str, Any]:
    """The card as JSON; `folds` are their fold.json, and `validated` is what validate wrote of each."""
    counts = Counter(record["modalities"].values()) + Counter(record["holdout"])
    judged = [[scores(case) for case in fold["cases"]] for fold in validated]
    everyone, tolerance = [case for fold in judged for case in fold], validated[0]["tolerance"]
    nsd = metric.summary(everyone, "nsd")
    for row in nsd.values():
        own = f"within {tolerance:g} mm, which is Slipway's setting and not the organisers' word"
        row["note"] = "; ".join(filter(None, [row.get("note"), own]))
    return {
        "schema": 1,
        "challenge": "amos",
        "revision": code,
        "data": {
            "fingerprint": record["fingerprint"],
            "cases": counts.total(),
            "holdout": sum(record["holdout"].values()),
            "ct": counts["CT"],
            "mr": counts["MR"],
        },
        "config": {
            "task": record["task"],
            "plan": record["plan"],
            "planned": planned(record, plans),
            "train": folds[0]["train"],
        },
        "folds": [_fold(fold, cases) for fold, cases in zip(folds, judged, strict=True)],
        "history": [_row(fold, row) for fold in folds for row in fold["history"]],
        "metrics": {"out_of_fold_dsc": metric.summary(everyone, "dsc"), "out_of_fold_nsd": nsd},
        "cleaning": {
            ORGANS[organ]: {"min_volume_mm3": rule.min_volume_mm3, "dsc_before": rule.before, "dsc_after": rule.after}
            for organ, rule in rules.items()
        },
        "notes": [*record["notes"], *_notes(tolerance, rules)],
        "versions": folds[0]["versions"],
    }


def planned(record: Json, plans: Json) -> dict[str, Any]:
    """What nnU-Net made of the plan."""
    chosen = plans["configurations"][record["configuration"]]
    architecture = chosen["architecture"]
    return {
        "configuration": record["configuration"],
        "network": architecture["network_class_name"].rpartition(".")[2],
        "features": architecture["arch_kwargs"].get("features_per_stage"),
        "patch": chosen["patch_size"],
        "spacing": chosen["spacing"],
        "batch": chosen["batch_size"],
        "normalisation": chosen["normalization_schemes"][0],
    }


def _row(fold: Json, row: Json) -> dict[str, Any]:
    return {"fold": fold["fold"], **{name: row[name] for name in ROW}}


def _fold(fold: Json, judged: Sequence[Any]) -> dict[str, Any]:
    dsc, nsd = (metric.summary(judged, name)[MEAN][name] for name in ("dsc", "nsd"))
    return {**_row(fold, fold["history"][-1]), "dsc": dsc, "nsd": nsd, "cases": len(judged)}


def _notes(tolerance: float, rules: Mapping[int, Rule]) -> list[str]:
    notes = [
        "The weights of each fold are those of its last epoch, as nnU-Net uses them by default.",
        "Out-of-fold cases were predicted by the one fold that had not learnt from them, and were not cleaned.",
        f"The tolerance of the NSD, {tolerance:g} mm, is a setting of Slipway; the organisers' value is not known.",
    ]
    for organ, rule in rules.items():
        if rule.min_volume_mm3 > 0:
            notes.append(
                f"Parts of the {ORGANS[organ]} below {rule.min_volume_mm3:g} mm³ are removed: on the cases that taught "
                f"it, its mean DSC goes from {rule.before:.4f} to {rule.after:.4f}."
            )
    return notes


def text(card: Json) -> str:
    """The card for people, in Markdown."""
    data, train, plan = card["data"], card["config"]["train"], card["config"]["planned"]
    features = f", features {' '.join(map(str, plan['features']))}" if plan["features"] else ""
    dsc, nsd = card["metrics"].values()
    lines = [
        "# AMOS22: abdominal organs in CT and MR",
        "",
        f"- Model: nnU-Net {plan['configuration']}, {plan['network']}{features}; {len(card['folds'])} of "
        f"{train['folds']} folds, their probabilities averaged",
        f"- Input: patches of {_by(plan['patch'])} voxels of {_by(plan['spacing'])} mm, {plan['normalisation']}",
        f"- Training: {train['epochs']} epochs of {train['iterations']} batches of {plan['batch']}",
        f"- Data: {data['cases']} cases ({data['ct']} CT, {data['mr']} MR), {data['holdout']} of them kept from all "
        f"training, fingerprint {data['fingerprint']}",
        f"- Code: revision {card['revision']}; "
        + ", ".join(f"{name} {value}" for name, value in card["versions"].items()),
        "- Not for clinical use.",
        "",
        "## Each case by the fold that did not see it",
        "",
        "| organ | DSC | 95 % interval | NSD | cases |",
        "|---|---|---|---|---|",
    ]
    for name, row in dsc.items():
        between = "-" if row["low"] is None else f"{row['low']:.3f} to {row['high']:.3f}"
        lines.append(f"| {name} | {_cell(row['dsc'])} | {between} | {_cell(nsd[name]['nsd'])} | {row['cases']} |")
    lines += [
        "",
        "## Folds",
        "",
        "| fold | epochs | DSC | NSD | training loss | validation loss |",
        "|---|---|---|---|---|---|",
    ]
    for row in card["folds"]:
        cells = [row["fold"], row["epoch"], row["dsc"], row["nsd"], row["train_loss"], row["val_loss"]]
        lines.append(f"| {' | '.join(map(_cell, cells))} |")
    lines += ["", *[f"- Note: {note}" for note in card["notes"]]]
    return "\n".join(lines).rstrip() + "\n"


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def _by(sides: Sequence[float]) -> str:
    return " x ".join(f"{side:.3g}" for side in sides)
