"""Put together what prediction needs: plans, weights, what to clean, and the model card; verified, as a whole.

    python -m workflow.scripts.amos.artifact --plan-folder scratch/amos/plan --task 1 \\
        --trained scratch/amos/trained/fold_0 scratch/amos/trained/fold_1 \\
        --validated scratch/amos/validated_0.json scratch/amos/validated_1.json --output results/amos/artifact
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.kit.errors import UserError, reports_errors
from containers.kit.files import read_json, replacing_tree, write_json, write_text
from workflow.scripts.amos import bundle, card, cleaning, judge, plan, train
from workflow.scripts.slipway.revision import revision

CARD, CARD_TEXT = "card.json", "card.md"
ROOT = Path(__file__).parents[3]


def matching(trained: Sequence[Mapping[str, Any]], validated: Sequence[Path]) -> list[dict[str, Any]]:
    """The validations in the order of the folds, each of the very weights that are there."""
    found = {path: read_json(path) for path in validated}
    ordered = []
    for fold in trained:
        own = [(path, content) for path, content in found.items() if content["fold"] == fold["fold"]]
        if not own:
            raise UserError(f"--validated has nothing of fold {fold['fold']}; validate it")
        path, content = own[0]
        if content["weights"] != fold["sha256"]:
            raise UserError(f"{path} is of other weights than those of fold {fold['fold']}; validate it again")
        ordered.append(content)
    return ordered


@reports_errors
def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plan-folder", type=Path, required=True, help="what plan wrote")
    parser.add_argument("--trained", type=Path, nargs="+", required=True, help="folders of the folds")
    parser.add_argument("--validated", type=Path, nargs="+", required=True, help="what validate wrote of each")
    parser.add_argument("--task", type=int, choices=(1, 2), required=True, help="1 is CT alone, 2 is CT and MR")
    parser.add_argument("--output", type=Path, required=True, help="folder to replace with the model")
    args = parser.parse_args(argv)
    record = plan.read(args.plan_folder)
    if record["task"] != args.task:
        raise UserError(
            f"--task is {args.task}, but {args.plan_folder} was planned for task {record['task']}; plan again"
        )
    folders = sorted(args.trained, key=lambda path: int(read_json(path / train.RECORD)["fold"]))
    folds = [read_json(path / train.RECORD) for path in folders]
    validated = matching(folds, args.validated)
    rules = cleaning.learn(judge.seen(validated))
    plans = read_json(args.plan_folder / "plans.json")
    made = card.make(record, plans, folds, validated, rules, revision(ROOT))
    with replacing_tree(args.output) as folder:
        bundle.assemble(
            folder, args.plan_folder, folders, {organ: rule.min_volume_mm3 for organ, rule in rules.items()}
        )
        write_json(folder / CARD, made)
        write_text(folder / CARD_TEXT, card.text(made))
        bundle.verify(folder)
    cleaned = sum(rule.min_volume_mm3 > 0 for rule in rules.values())
    dsc = made["metrics"]["out_of_fold_dsc"][card.MEAN]["dsc"]
    told = "-" if dsc is None else f"{dsc:.3f}"
    print(f"{args.output}: {len(folds)} folds, verified; out-of-fold mean DSC {told}; {cleaned} organs are cleaned")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
