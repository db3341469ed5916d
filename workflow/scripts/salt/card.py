"""The model card: what was trained, on what, by which code, and how good it is on images that it did not learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from containers.salt.model import Model
from workflow.scripts.salt.packed import Packed
from workflow.scripts.salt.trained import Fold
from workflow.scripts.salt.tuned import Tuned

GROUP = "out_of_fold_ap"
SHOWN = ("train_loss", "val_loss", "accuracy", "auc", "ap")  # of the last epoch
RULE = "|" + "---|" * 6
UNTOLD = {"fold", "epoch", "seconds"}  # no seconds: equal trainings, equal cards
Json = Mapping[str, Any]
Folds = Mapping[str, Sequence[Fold]]


def make(images: Packed, found: Folds, tuned: Tuned, measures: Json, model: Model, code: str) -> dict[str, Any]:
    """The card as JSON; `found` has the folds of the classifier and of the segmentation."""
    salt = int((images.coverages > 0).sum())
    networks = {"classifier": model.classifiers, "segmentation": model.segmenters}
    first = {kind: folds[0].said for kind, folds in found.items()}
    return {
        "schema": 1,
        "challenge": "salt",
        "revision": code,
        "network": "; ".join(_network(kind, found[kind], networks[kind]) for kind in found),
        "data": {
            "fingerprint": images.fingerprint,
            "cases": len(images.ids),
            "with salt": salt,
            "without": len(images.ids) - salt,
        },
        "config": {
            "inputs": first["segmentation"]["inputs"],
            "train": {kind: said["train"] for kind, said in first.items()},
        },
        "folds": [_fold(kind, fold) for kind, folds in found.items() for fold in folds],
        "history": _history(found),
        "metrics": {GROUP: measures},
        "tuned": {**tuned.chosen, "images": tuned.images},
        "notes": [*_notes(tuned, measures), *_of_folds(found), *tuned.notes],
        "versions": first["segmentation"]["versions"],
    }


def _network(kind: str, folds: Sequence[Fold], networks: Sequence[nn.Module]) -> str:
    weights = sum(value.numel() for value in networks[0].parameters()) / 1e6
    asked = f"{len(networks)} networks of {len(folds)} folds" if len(networks) > 1 else "1 network"
    return f"{kind} {folds[0].said['model']}, {asked} with {weights:.2f} M weights each"


def _fold(kind: str, fold: Fold) -> dict[str, Any]:
    """The last epoch, of which the last snapshot is."""
    last = {name: value for name, value in fold.said["history"][-1].items() if name != "seconds"}
    facts = {"network": kind, "trained": fold.said["trained"], "judged": fold.said["judged"]}
    return {**last, "fold": fold.number, **facts}


def _history(found: Folds) -> list[dict[str, Any]]:
    """All epochs of both; each kind has columns of its own, so that its curves are drawn apart."""
    rows = []
    for kind, folds in found.items():
        for fold in folds:
            for row in fold.said["history"]:
                values = {f"{kind}_{name}": value for name, value in row.items() if name not in UNTOLD}
                rows.append({"fold": fold.number, "epoch": row["epoch"], **values})
    columns = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in columns} for row in rows]


def _notes(tuned: Tuned, measures: Json) -> list[str]:
    told = [
        f"Thresholds, least size and CRF were tuned on the very {tuned.images:,} out-of-fold images that the scores "
        "with post-processing are of, which therefore are a little too good.",
        f"An image is kept in both_post_processing where its probability of salt is above {tuned.choices.keep:g}.",
    ]
    for name in ("segmentation", "both"):
        before, after = measures[name]["ap"], measures[f"{name}_post_processing"]["ap"]
        gained = f"out of fold the mean AP goes from {before:.4f} to {after:.4f}"
        told.append(f"Post-processing of {name}: {cleaned(tuned.chosen[name])}; {gained}.")
    return told


def cleaned(cleaning: Json) -> str:
    """What is done to masks, in words."""
    parts = [f"probabilities above {cleaning['threshold']:g} are salt"]
    crf = cleaning.get("crf")
    parts.append(f"a dense CRF with sigma {crf['sigma']:g} and compatibility {crf['compat']:g}" if crf else "no CRF")
    sizes = {
        "component": "parts of fewer than {} pixels are removed",
        "hole": "holes of fewer than {} pixels are filled",
        "least": "images with fewer than {} pixels of salt have none",
        "full": "images with more than {} pixels of salt are full of it",
    }
    return ", ".join(parts + [words.format(cleaning[name]) for name, words in sizes.items() if cleaning.get(name)])


def _of_folds(found: Folds) -> list[str]:
    """What the trainings had to say, each sentence once."""
    return list(dict.fromkeys(note for folds in found.values() for fold in folds for note in fold.said["notes"]))


def text(card: Json) -> str:
    """The card for people, in Markdown."""
    data, inputs = card["data"], card["config"]["inputs"]
    channels = f"{inputs['channels']} channel{'s' * (inputs['channels'] != 1)}"
    lines = [
        "# TGS salt: where the salt lies in seismic images",
        "",
        f"- Networks: {card['network']}; their logits are averaged",
        f"- Input: 101 x 101 mirrored to 128 x 128, {channels}{', the last of them the depth' * inputs['depth']}, less "
        f"{inputs['offset']:g}, divided by {inputs['scale']:g}",
        f"- Data: {data['cases']:,} images, {data['with salt']:,} with salt; fingerprint {data['fingerprint']}",
        f"- Code: revision {card['revision']}; "
        + ", ".join(f"{name} {value}" for name, value in card["versions"].items()),
        "",
        "## Each image by the fold that did not see it",
        "",
        "| variant | mean AP | 95 % interval | images |",
        "|---|---|---|---|",
    ]
    for name, row in card["metrics"][GROUP].items():
        between = "-" if row["low"] is None else f"{row['low']:.4f} to {row['high']:.4f}"
        lines.append(f"| {name} | {row['ap']:.4f} | {between} | {row['cases']:,} |")
    lines += ["", "## Folds", "", "| network | fold | epochs | learnt from | judged by | last epoch |", RULE]
    for row in card["folds"]:
        last = [f"{name} {row[name]:.4f}" for name in SHOWN if row.get(name) is not None]
        facts = [row["network"], row["fold"], row["epoch"], row["trained"], row["judged"], ", ".join(last)]
        lines.append(f"| {' | '.join(map(str, facts))} |")
    lines += ["", *[f"- Note: {note}" for note in card["notes"]]]
    return "\n".join(lines).rstrip() + "\n"
