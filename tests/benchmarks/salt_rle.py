"""How long 18,000 masks of TGS salt take to become text, and text to become masks.

OMP_NUM_THREADS=1 python -m tests.benchmarks.salt_rle
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import numpy as np

from containers.salt.rle import SIZE, Masks, decode_all, encode_all


def bodies(count: int, seed: int = 0) -> Masks:
    """Two in five with salt: discs with a ragged rim, of which every column has a run or two."""
    random = np.random.default_rng(seed)
    down, right = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    masks = np.zeros((count, SIZE, SIZE), np.bool_)
    for mask in masks[: 2 * count // 5]:
        row, column, radius = random.uniform((0, 0, 5), (SIZE, SIZE, 90))
        mask[:] = np.hypot(down - row, right - column) + random.normal(0, 1, mask.shape) < radius
    return random.permutation(masks)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--masks", type=int, default=18_000)
    args = parser.parse_args(argv)
    filled = np.random.default_rng(1).random((args.masks, SIZE, 1)) < np.linspace(0, 0.5, SIZE)
    for name, masks in (("bodies", bodies(args.masks)), ("all with bands", filled & True)):
        masks = np.ascontiguousarray(masks)
        begun = time.perf_counter()
        texts = encode_all(masks)
        encoded = time.perf_counter()
        again = decode_all(texts, texts)
        ended = time.perf_counter()
        runs = sum((text.count(" ") + 1) // 2 for text in texts)
        print(f"{name}: {len(masks):,} masks, {runs:,} runs, {sum(map(len, texts)) / 1e6:.1f} MB of text")
        print(
            f"  encode {encoded - begun:.2f} s, decode {ended - encoded:.2f} s, equal: {np.array_equal(masks, again)}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
