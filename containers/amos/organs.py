"""The organs of AMOS22, numbered and spelt as in the organisers' dataset.json."""

from __future__ import annotations

ORGANS = {
    1: "spleen",
    2: "right kidney",
    3: "left kidney",
    4: "gall bladder",
    5: "esophagus",
    6: "liver",
    7: "stomach",
    8: "arota",  # so spelt there
    9: "postcava",
    10: "pancreas",
    11: "right adrenal gland",
    12: "left adrenal gland",
    13: "duodenum",
    14: "bladder",
    15: "prostate/uterus",
}
LABELS = {"background": 0, **{name: number for number, name in ORGANS.items()}}
LAST = max(ORGANS)
