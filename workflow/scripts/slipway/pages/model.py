"""The model card: what was trained on what, and how good it is, with the interval that the number of cases allows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflow.scripts.slipway.pages.html import Html, code, facts, joined, tag

Json = Mapping[str, Any]
HOLDOUT, OUT_OF_FOLD = "On cases that no training saw", "Each case by the fold that did not see it"
UNSEEN = "On pictures that were not learnt from"
GROUPS = {
    "holdout": HOLDOUT,
    "out_of_fold": OUT_OF_FOLD,
    "holdout_dsc": f"{HOLDOUT}, by the container: DSC",
    "holdout_nsd": f"{HOLDOUT}, by the container: NSD",
    "training_dsc": "On cases that were trained on, by the container: DSC",
    "training_nsd": "On cases that were trained on, by the container: NSD",
    "out_of_fold_dsc": f"{OUT_OF_FOLD}: DSC",
    "out_of_fold_nsd": f"{OUT_OF_FOLD}: NSD",
    "photos_top1": "On the ImageNet photos that chose the network: top-1",
    "photos_top5": "On the ImageNet photos that chose the network: top-5",
    "objectnet_torch": "On ObjectNet's images, by the torch container",
    "objectnet_onnx": "On ObjectNet's images, by the onnx container",
    "holdout_ap": "On held-out images: mean AP",
    "out_of_fold_ap": "Each image by the folds that did not see it: mean AP",
    "agrigaia_platform": "As the platform reads it from the container's log",
    "agrigaia_container": f"{UNSEEN}, by the container",
    "agrigaia_container_labels": f"{UNSEEN}, by the container: each label",
    "agrigaia_here": f"{UNSEEN}, trained on this host without the container",
    "agrigaia_here_labels": f"{UNSEEN}, trained on this host without the container: each label",
}
MEASURES = {
    "severe": "AUC severe among positives",
    "covid": "AUC COVID-19",
    "classifier_post_processing": "classifier, post-processed",
    "segmentation_post_processing": "segmentation, post-processed",
    "both_post_processing": "both, post-processed",
}
COLUMNS = {
    "network": "Network",
    "fold": "Fold",
    "epoch": "Epoch",
    "auc_severe": "AUC severe",
    "auc_covid": "AUC COVID-19",
    "dice": "Pseudo Dice",
    "accuracy": "Accuracy",
    "auc": "AUC salt",
    "ap": "Mean AP",
    "train_loss": "Training loss",
    "val_loss": "Validation loss",
    "seconds": "Seconds",
}
KEPT = {"cases", "holdout"}
BESIDE_THE_VALUE = {"low", "high", "cases", "positives", "note"}


def section(card: Json) -> Html:
    data, metrics, folds = card.get("data") or {}, card.get("metrics") or {}, card.get("folds") or []
    scored = not data and not folds  # a card that holds a score alone
    return tag(
        "section",
        tag("h2", "Score" if scored else "Model"),
        facts(
            ("Network", _network(card)),
            ("Data", _data(data)),
            ("Data fingerprint", data.get("fingerprint") and code(data["fingerprint"])),
            ("Code revision", card.get("revision") and code(card["revision"])),
            ("Made with", ", ".join(f"{name} {value}" for name, value in (card.get("versions") or {}).items())),
        ),
        *[_group(name, measures) for name, measures in metrics.items() if measures],
        None
        if metrics
        else tag("p", "The training is not finished: these are the best weights so far.", class_="lead"),
        _folds(folds) if folds else None,
        *[tag("p", f"Note: {note}", class_="quiet") for note in card.get("notes") or []],
        id="score" if scored else "model",
    )


def _network(card: Json) -> str:
    if card.get("network"):
        return str(card["network"])
    train = (card.get("config") or {}).get("train") or {}
    folds = len(card.get("folds") or [])
    name = train.get("model") or train.get("network") or ""
    return name and name + (f", {folds} folds averaged" if folds > 1 else "")


def _data(data: Json) -> str:
    if "cases" not in data:
        return ""
    strata = [f"{count} {name}" for name, count in data.items() if isinstance(count, int) and name not in KEPT]
    told = f"{data['cases']} cases" + (f" ({', '.join(strata)})" if strata else "")
    return told + (f", {data['holdout']} of them kept from all training" if data.get("holdout") else "")


def _group(name: str, measures: Json) -> Html:
    titles = ("Measure", "Value", "95 % interval", "", "Cases")
    return tag(
        "article",
        tag("h3", GROUPS.get(name, name)),
        tag(
            "table",
            tag("thead", tag("tr", *[tag("th", title, scope="col") for title in titles])),
            tag("tbody", *[_measure(key, measure) for key, measure in measures.items()]),
            class_="measures",
        ),
    )


def _measure(name: str, measure: Json) -> Html:
    kind, value = next(((key, value) for key, value in measure.items() if key not in BESIDE_THE_VALUE), ("", None))
    low, high, cases = measure.get("low"), measure.get("high"), measure.get("cases")
    drawn = (
        None
        if value is None or low is None or high is None
        else whisker(value, low, high, 0.5 if kind == "auc" else None)
    )
    note = measure.get("note")
    positives = measure.get("positives")
    return tag(
        "tr",
        tag("th", MEASURES.get(name, name), tag("span", note, class_="note") if note else None, scope="row"),
        tag("td", "–" if value is None else tag("strong", f"{value:.3f}"), data_label="Value"),
        tag("td", f"{low:.3f} to {high:.3f}" if drawn else "–", data_label="95 % interval"),
        tag("td", drawn, class_="whisker"),
        tag("td", cases, f", {positives} positive" if positives is not None else None, data_label="Cases"),
    )


def whisker(value: float, low: float, high: float, chance: float | None) -> Html:
    """The interval on a scale from 0 to 1, with chance marked where the measure knows it."""
    place = lambda share: f"{4 + 132 * min(1.0, max(0.0, share)):.1f}"  # noqa: E731
    return tag(
        "svg",
        tag("line", x1="4", x2="136", y1="10", y2="10", class_="axis"),
        None if chance is None else tag("line", x1=place(chance), x2=place(chance), y1="4", y2="16", class_="axis"),
        tag("line", x1=place(low), x2=place(high), y1="10", y2="10", class_="range"),
        tag("circle", cx=place(value), cy="10", r="4", class_="dot"),
        viewBox="0 0 140 20",
        role="img",
        aria_label=f"{value:.3f} within {low:.3f} to {high:.3f} on a scale from 0 to 1",
    )


def _folds(folds: list[Json]) -> Html:
    known = [key for key in COLUMNS if any(row.get(key) is not None for row in folds)]
    return tag(
        "article",
        tag("h3", "Folds, each at the epoch that is used"),
        tag(
            "table",
            tag("thead", tag("tr", *[tag("th", COLUMNS[key], scope="col") for key in known])),
            tag("tbody", *[joined(tag("tr", *[_cell(key, row.get(key)) for key in known])) for row in folds]),
            class_="folds",
        ),
    )


def _cell(key: str, value: Any) -> Html:
    shown = "–" if value is None else f"{value:.3f}" if isinstance(value, float) else value
    return tag("td", shown, data_label=COLUMNS[key])
