"""The words of objectnet_eval.py's command line: the template's, and ours."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from containers.kit import cpus
from containers.kit.errors import UserError
from containers.objectnet.settings import Backend, Mode, Precision, Predict, Tta

DEFAULTS = Predict()
TRUTHS = {"t": True, "true": True, "1": True, "yes": True, "f": False, "false": False, "0": False, "no": False}
STATUSES = """\
exit status:
    0  a row for every photo
    1  an error, which is told in one sentence; rows that were written are kept
    2  a word of the command line that is not known
    3  a row for every photo, but some could not be read, and their rows name nothing (-1)
  143  stopped by SIGTERM; the rows so far are kept, and the same command goes on where this one ended
"""


def parser(summary: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="objectnet_eval.py",
        description=summary,
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument(
        "images_dir",
        metavar="images-dir",
        type=Path,
        help="folder with the photos, *.png, in folders of its own or not",
    )
    made.add_argument("output_file", metavar="output-file", type=Path, help="CSV to write; it must not be there yet")
    made.add_argument(
        "model_class_name",
        metavar="model-class-name",
        help="class in model/model_description.py, timm:NAME, or a name of torchvision's",
    )
    made.add_argument(
        "model_checkpoint",
        metavar="model-checkpoint",
        type=Path,
        help="its weights (.safetensors, .pth), or an .onnx file",
    )
    made.add_argument("--workers", type=int, metavar="N", help="threads that decode photos (default: one a CPU)")
    made.add_argument("--gpus", type=int, metavar="N", help="GPUs to use, 0 for the CPU (default: all)")
    made.add_argument(
        "--batch_size",
        type=int,
        metavar="N",
        default=DEFAULTS.batch_size,
        help="photos at a time, for each GPU or for the CPU (default: %(default)s)",
    )
    made.add_argument(
        "--softmax",
        metavar="T/F",
        default=str(DEFAULTS.softmax),
        help="whether confidences are probabilities, or as the network gives them (default: %(default)s)",
    )
    made.add_argument(
        "--convert_outputs_mode",
        choices=get_args(Mode),
        default=DEFAULTS.convert_outputs_mode,
        help="merge: ImageNet's classes of one object count together, others not; 1: as the template, each class on "
        "its own, -1 for one that is no object of ObjectNet's; 0: the network's classes are ObjectNet's "
        "(default: %(default)s)",
    )
    made.add_argument(
        "--tta",
        choices=get_args(Tta),
        default=DEFAULTS.tta,
        help="flip: the mean with the mirror image (default: %(default)s)",
    )
    made.add_argument(
        "--temperature",
        type=float,
        metavar="X",
        default=DEFAULTS.temperature,
        help="what logits are divided by (default: %(default)s)",
    )
    made.add_argument(
        "--precision",
        choices=get_args(Precision),
        default=DEFAULTS.precision,
        help="auto: bf16 on a GPU that is made for it, else fp32 (default: %(default)s)",
    )
    made.add_argument(
        "--backend",
        choices=get_args(Backend),
        default=DEFAULTS.backend,
        help="auto: torch on a GPU; on the CPU ONNX Runtime, where model.onnx lies beside the checkpoint "
        "(default: %(default)s)",
    )
    return made


def truth(word: str) -> bool:
    if word.lower() not in TRUTHS:
        raise UserError(f"--softmax {word} is neither true nor false; write T or F")
    return TRUTHS[word.lower()]


def checked(args: argparse.Namespace) -> list[str]:
    """Refuse what cannot be; put in what follows from the machine, and say what was changed."""
    notes = []
    args.softmax = truth(args.softmax)
    for flag, least in (("workers", 1), ("gpus", 0), ("batch_size", 1)):
        value = getattr(args, flag)
        if value is not None and value < least:
            raise UserError(f"--{flag} {value} is too few; give at least {least}")
    if not 0 < args.temperature < float("inf"):
        raise UserError(f"--temperature {args.temperature:g} is no use; give a number above 0")
    there = cpus.available()
    if args.workers is not None and args.workers > there:
        notes.append(f"--workers {args.workers} is more than there are CPUs; {there} it is")
    args.workers = min(args.workers or there, there)
    if not args.output_file.absolute().parent.is_dir():
        raise UserError(f"output-file {args.output_file} lies in no folder; make {args.output_file.absolute().parent}")
    if args.output_file.is_dir():
        raise UserError(f"output-file {args.output_file} is a folder; name a file")
    return notes
