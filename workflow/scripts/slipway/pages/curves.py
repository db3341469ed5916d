"""Learning curves as drawings within the page: thin lines are folds, the strong one is their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workflow.scripts.slipway.pages.history import Point, Series, ticks
from workflow.scripts.slipway.pages.html import Html, tag

WIDTH, HEIGHT = 300, 210
LEFT, RIGHT, TOP, BOTTOM = 34, 8, 10, 34
# Title, and its columns with the words for them; the second column of a chart is drawn dashed.
CHARTS: tuple[tuple[str, dict[str, str]], ...] = (
    ("Loss", {"val_loss": "validation", "train_loss": "training"}),
    ("Pseudo Dice of the validation patches", {"dice": "validation"}),
    ("AUC severe", {"auc_severe": "validation"}),
    ("AUC COVID-19", {"auc_covid": "validation"}),
    ("Loss of the classifier", {"classifier_val_loss": "validation", "classifier_train_loss": "training"}),
    ("AUC salt, of the classifier", {"classifier_auc": "validation"}),
    ("Loss of the segmentation", {"segmentation_val_loss": "validation", "segmentation_train_loss": "training"}),
    ("Mean AP of the segmentation", {"segmentation_ap": "validation"}),
    ("Accuracy", {"accuracy": "validation"}),
    ("mAP@.5:.95", {"map": "validation"}),
)


@dataclass(frozen=True)
class _Frame:
    """Where a value is on the drawing."""

    low: Point
    high: Point

    def place(self, point: Point) -> Point:
        shares = [
            (value - low) / (high - low) if high > low else 0.5
            for value, low, high in zip(point, self.low, self.high, strict=True)
        ]
        return LEFT + shares[0] * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - shares[1] * (HEIGHT - TOP - BOTTOM)


def section(history: Mapping[str, Series]) -> Html | None:
    drawn = []
    for title, columns in CHARTS:
        known = {name: history[name] for name in columns if name in history}
        if known:
            drawn.append(_chart(title, columns, known))
    if not drawn:
        return None
    several = any(len(series.folds) > 1 for series in history.values())
    words = "Each thin line is a fold, the strong one their mean; a dot is a fold's best epoch." if several else None
    return tag(
        "section",
        tag("h2", "Learning curves"),
        tag("p", words, class_="quiet") if words else None,
        tag("div", *drawn, class_="charts"),
        id="curves",
    )


def _chart(title: str, names: Mapping[str, str], known: Mapping[str, Series]) -> Html:
    frame = _frame(title, [point for series in known.values() for point in series.points])
    chance = frame.place((frame.low[0], 0.5))[1] if _is_auc(title) else None
    keys = [tag("span", _sample(turn), names[name], class_="key") for turn, name in enumerate(names) if name in known]
    return tag(
        "figure",
        tag("figcaption", tag("strong", title), *(keys if len(names) > 1 else [])),
        tag(
            "svg",
            *_axes(frame),
            None
            if chance is None
            else tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{chance:.1f}", y2=f"{chance:.1f}", class_="chance"),
            *[
                part
                for turn, name in enumerate(names)
                if name in known
                for part in _lines(frame, known[name], turn, best=_is_auc(title))
            ],
            viewBox=f"0 0 {WIDTH} {HEIGHT}",
            role="img",
            aria_label=f"{title}: {_told(names, known)}",
        ),
    )


def _is_auc(title: str) -> bool:
    return title.startswith("AUC")


def _frame(title: str, points: Sequence[Point]) -> _Frame:
    epochs, values = [point[0] for point in points], [point[1] for point in points]
    if _is_auc(title):
        return _Frame((min(epochs), min(0.45, *values)), (max(epochs), 1.0))
    room = 0.06 * (max(values) - min(values)) or 0.1
    return _Frame((min(epochs), min(values) - room), (max(epochs), max(values) + room))


def _axes(frame: _Frame) -> list[Html]:
    parts = []
    levels = ticks(frame.low[1], frame.high[1], 6)
    digits = max(len(f"{value:g}".partition(".")[2]) for value in levels)
    for value in levels:
        y = frame.place((frame.low[0], value))[1]
        parts.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=f"{y:.1f}", y2=f"{y:.1f}", class_="grid"))
        parts.append(tag("text", f"{value:.{digits}f}", x=LEFT - 6, y=f"{y + 3.5:.1f}", text_anchor="end"))
    for value in ticks(frame.low[0], frame.high[0], 7):
        if value == int(value):
            x = frame.place((value, frame.low[1]))[0]
            parts.append(tag("text", f"{value:g}", x=f"{x:.1f}", y=HEIGHT - BOTTOM + 15, text_anchor="middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(tag("text", "epoch", x=f"{middle:g}", y=HEIGHT - 4, text_anchor="middle"))
    return parts


def _lines(frame: _Frame, series: Series, turn: int, *, best: bool) -> list[Html]:
    kind = f"series{turn}"
    mean = series.mean
    thin = "fold" if mean else "mean"
    parts = [_line(frame, fold, f"{kind} {thin}") for fold in series.folds]
    if mean:
        parts.append(_line(frame, mean, f"{kind} mean"))
    if best:
        for fold in series.folds:
            x, y = frame.place(max(fold, key=lambda point: point[1]))
            parts.append(tag("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="2.5", class_=f"{kind} best"))
    return parts


def _line(frame: _Frame, points: Sequence[Point], kind: str) -> Html:
    places = [frame.place(point) for point in points]
    if len(places) == 1:  # a line of one point is not drawn
        return tag("circle", cx=f"{places[0][0]:.1f}", cy=f"{places[0][1]:.1f}", r="3", class_=f"{kind} best")
    return tag("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in places), class_=kind)


def _sample(turn: int) -> Html:
    line = tag("line", x1="0", x2="22", y1="4", y2="4", class_=f"series{turn} mean")
    return tag("svg", line, viewBox="0 0 22 8", class_="sample", aria_hidden="true")


def _told(names: Mapping[str, str], known: Mapping[str, Series]) -> str:
    """The drawing in words: where each line ends."""
    ends = []
    for name, series in known.items():
        last = [fold[-1][1] for fold in series.folds]
        ends.append(f"{names[name]} ends at " + " and ".join(f"{value:.3f}" for value in last))
    return "; ".join(ends)
