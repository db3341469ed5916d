"""nnU-Net's own predictor and ours, one after the other on the same case: memory, time, and how many labels agree.

    python -m tests.benchmarks.amos_predict --shape 128 256 256 --patch 32 128 128 --features 4

Each runs in a process of its own. The network is random, small and untrained, so that the case ends in minutes on two
cores; what it says is noise, in which two predictors agree less easily than on organs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from containers.kit import memory

WHO = ("nnunet", "ours")


def prepare(folder: Path, args: argparse.Namespace) -> None:
    """The model, and one CT as int16."""
    from tests.amos_predict import parts

    described = parts.architecture(args.network, args.features, args.stages)
    parts.make(
        folder / "model",
        folds=args.folds,
        classes=args.classes,
        architecture=described,
        patch_size=args.patch,
        spacing=args.network_spacing,
    )
    z, y, x = args.shape
    soft = parts.image((max(1, z // 4), max(1, y // 4), max(1, x // 4)))
    voxels = np.empty(args.shape, np.int16)
    noise = np.random.default_rng(0)
    for index in range(z):
        plane = soft[min(index // 4, len(soft) - 1)].repeat(4, 0).repeat(4, 1)
        voxels[index] = np.pad(plane, ((0, y - len(plane)), (0, x - plane.shape[1])), mode="edge")
        voxels[index] += noise.integers(-20, 20, (y, x), np.int16)
    parts.save(folder / "image.nii.gz", voxels, (args.spacing[0], args.spacing[1], args.spacing[2]))


def predict(who: str, folder: Path, args: argparse.Namespace) -> None:
    """In a process of its own: what it makes, and what that took."""
    import torch

    torch.set_num_threads(args.threads)
    image, begun = folder / "image.nii.gz", (time.monotonic(), time.process_time())
    if who == "nnunet":
        from tests.amos_predict.reference import nnunet_labels

        begun = time.monotonic(), time.process_time()
        labels = nnunet_labels(folder / "model", image, args.mirror, args.step)
        expected = 0
    else:
        from containers.amos import volume
        from containers.amos.estimate import need
        from containers.amos.model import load
        from containers.amos.predictor import Options, segment

        begun = time.monotonic(), time.process_time()
        options = Options(mirror=args.mirror, step=args.step, limit=int(args.limit * memory.GIB))
        model, head = load(folder / "model"), volume.head(image)
        expected = need(head.shape, head.itemsize, head.spacing, model, options).total
        scan = volume.read(image)
        labels = segment(scan.voxels, scan.spacing, model, options, title=who)
    took = {"seconds": time.monotonic() - begun[0], "cpu": time.process_time() - begun[1], "peak": memory.peak()}
    np.save(folder / f"{who}.npy", labels)
    (folder / f"{who}.json").write_text(json.dumps({**took, "expected": expected}))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", type=int, nargs=3, default=[500, 512, 512], help="voxels: z, y, x")
    parser.add_argument("--spacing", type=float, nargs=3, default=[2.0, 0.7, 0.7], help="mm, of the image")
    parser.add_argument("--network-spacing", type=float, nargs=3, default=[2.0, 0.7, 0.7], help="mm")
    parser.add_argument("--patch", type=int, nargs=3, default=[48, 192, 192], help="voxels")
    parser.add_argument("--classes", type=int, default=16)
    parser.add_argument("--network", choices=["PlainConvUNet", "ResidualEncoderUNet"], default="PlainConvUNet")
    parser.add_argument("--features", type=int, default=4, help="of the first stage")
    parser.add_argument("--stages", type=int, default=4)
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--step", type=float, default=0.5)
    parser.add_argument("--mirror", action="store_true")
    parser.add_argument("--limit", type=float, default=0.0, help="GiB that ours may take; 0: what there is")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", choices=WHO, help="run one of the two")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    words = list(sys.argv[1:] if argv is None else argv)
    args = parser.parse_args(words)
    if args.child:
        predict(args.child[0], Path(args.child[1]), args)
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, args)
        chosen = [args.only] if args.only else list(WHO)
        for who in chosen:
            command = [sys.executable, "-m", "tests.benchmarks.amos_predict", *words, "--child", who, name]
            subprocess.run(command, check=True)
            found = json.loads((folder / f"{who}.json").read_text())
            estimate = f", estimated {found['expected'] / memory.GIB:.2f} GiB" if found["expected"] else ""
            times = f"{found['seconds']:8.1f} s, {found['cpu']:.1f} s of CPUs"
            print(f"{who:7} {times}, peak {found['peak'] / memory.GIB:.2f} GiB{estimate}", flush=True)
        if len(chosen) == 2:
            theirs, ours = (np.load(folder / f"{who}.npy", mmap_mode="r") for who in WHO)
            equal = np.mean([float((a == b).mean()) for a, b in zip(theirs, ours, strict=True)])
            print(f"equal labels: {equal:.6%} of {theirs.size} voxels, {len(np.unique(ours))} classes among them")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
