"""Write what is known about a submission on one page that can be kept, sent and printed.

    python -m workflow.scripts.report --challenge stoic --title "STOIC2021" \
        --verdict results/stoic/train/verdict.json results/stoic/predict/verdict.json \
        --manifest results/stoic/STOICTrain.manifest.json results/stoic/STOICAlgorithm.manifest.json \
        --card results/stoic/artifact/card.json --data scratch/stoic/raw/fingerprint.json \
        --output results/stoic/report.html

The page needs no other file, no network and no script. What is left out of the command is left out of the page.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, write_text
from workflow.scripts.slipway.pages import archives, curves, data, history, model, pictures, verdicts
from workflow.scripts.slipway.pages.html import Html, joined, mark, reading, tag

STYLE = Path(__file__).with_name("slipway") / "pages" / "style.css"
NO_NETWORK = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
Json = Mapping[str, Any]


def problems(tested: Mapping[str, Json], saved: Sequence[tuple[Path, Json]]) -> list[str]:
    """All that stands between this submission and the organisers, a sentence each."""
    failed = [f"{name}: {verdict['reason']}" for name, verdict in tested.items() if verdict["status"] != "PASS"]
    found = []
    for name, verdict in tested.items():
        of_image = [(path, manifest) for path, manifest in saved if manifest["image"] == verdict["image"]]
        if not of_image and verdict["status"] == "PASS":
            found.append(f"{name} is not saved yet.")
        for path, manifest in of_image:
            archive = path.parent / manifest["archive"]
            if manifest["image_id"] != verdict["image_id"]:
                found.append(f"{archive.name} holds another image than the {name} that was tested; save it again.")
            elif not archive.is_file() or archive.stat().st_size != manifest["size"]:
                found.append(f"{archive.name} does not lie there as it was saved; save {name} again.")
    return failed + found


def page(title: str, challenge: str, missing: Sequence[str], warnings: int, sections: Sequence[Html | None]) -> Html:
    ready = not missing
    word = "PASS" if ready else "FAIL"
    first = "Every image passed, and every archive holds the very image that did." if ready else missing[0]
    told = f"{warnings} warning{'s' * (warnings != 1)} to read before you send it." if warnings and ready else None
    body = tag(
        "body",
        tag(
            "header",
            tag("p", f"Slipway · {challenge}", class_="eyebrow"),
            tag("h1", title),
            tag(
                "div",
                mark(word),
                tag(
                    "div",
                    tag("p", "Ready to submit" if ready else "Not ready", class_="headline"),
                    tag("p", first),
                    *[tag("p", problem) for problem in missing[1:]],
                    tag("p", told) if told else None,
                ),
                class_=f"banner {word.lower()}",
                role="status",
            ),
        ),
        tag("main", *sections),
    )
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=NO_NETWORK),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title}: {'ready to submit' if ready else 'not ready'}"),
        tag("style", Html(STYLE.read_text(encoding="utf-8"))),
    )
    return joined(Html("<!doctype html>\n"), tag("html", head, body, lang="en"), "\n")


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    tested: dict[str, Json] = {}
    sections: list[Html | None] = []
    for text in args.verdict:
        name, path = _named(text)
        with reading(path, "a verdict"):
            verdict = read_json(path)
            name = name or verdict["image"]
            sections.append(verdicts.section(name, verdict))
            tested[name] = verdict
    saved = []
    for path in args.manifest:
        with reading(path, "the manifest of an archive"):
            manifest = read_json(path)
            archives.section([manifest])
            saved.append((path, manifest))
    if saved:
        sections.append(archives.section([manifest for _, manifest in saved]))
    for path in args.data:
        with reading(path, "the fingerprint of raw data"):
            sections.append(data.section(read_json(path)))
    for path in args.card:
        with reading(path, "a model card"):
            card = read_json(path)
            sections.append(model.section(card))
            sections.append(pictures.section(card, path.parent))
            if card.get("history"):
                sections.append(curves.section(history.of_card(path, card)))
    sections += [curves.section(history.read(path)) for path in args.metrics]
    missing = problems(tested, saved)
    warnings = sum(verdict["warnings"] for verdict in tested.values())
    write_text(args.output, page(args.title, args.challenge, missing, warnings, sections))
    print(f"{args.output}: {f'not ready: {missing[0]}' if missing else 'ready to submit'}")
    return 0


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if equals and not name:
        raise UserError(f"--verdict {text} has no image before the '='; write NAME=FILE or the file alone")
    return (name, Path(path)) if equals else ("", Path(text))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--challenge", required=True, help="its name in the configuration")
    parser.add_argument("--title", required=True, help="the page's title")
    parser.add_argument(
        "--verdict", nargs="+", action="extend", required=True, metavar="[NAME=]FILE", help="verdict.json of each image"
    )
    for flag, what in (
        ("--manifest", "manifest of each saved archive"),
        ("--data", "fingerprint of the raw data"),
        ("--card", "the model card as JSON"),
        ("--metrics", "metrics.csv of the training"),
    ):
        parser.add_argument(flag, nargs="*", action="extend", type=Path, default=[], metavar="FILE", help=what)
    parser.add_argument("--output", type=Path, required=True, help="the page to write")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
