"""Print train_config.json as one line of options for train.py, quoted so that the entrypoint's `eval` gives them back.

    eval "python train.py $(python config_to_args.py)"

null, "", false and empty lists give no option, and neither do the percentages of the split, which setup.py has used.
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Mapping
from typing import Any

from config import load_config

CONFIG = "train_config.json"
SETUP_ONLY = ("train-split", "test-split")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
ESCAPED = re.compile(r"[\x00-\x1f\x7f'\\]")


def options(config: Mapping[str, Any]) -> list[str]:
    """The words that train.py is to get."""
    words: list[str] = []
    for key, value in config.items():
        if key in SETUP_ONLY or value is None or value is False or value in ("", []):
            continue
        option = f"--{key}"
        if value is True:
            words.append(option)
        elif isinstance(value, list):
            words += [option, *map(text, value)]
        elif text(value).startswith("-"):
            words.append(f"{option}={text(value)}")  # alone, argparse would take it for an option
        else:
            words += [option, text(value)]
    return words


def text(value: Any) -> str:
    """A string as it is, all else as JSON has it."""
    return value if isinstance(value, str) else json.dumps(value)


def quote(word: str) -> str:
    """For bash, on one line: what has a line break or the like becomes $'…'."""
    if "\x00" in word:
        raise SystemExit(f"error: {CONFIG} has a zero byte in {word!r}, which no program can be given; take it out")
    try:
        word.encode()
    except UnicodeEncodeError:
        raise SystemExit(f"error: {CONFIG} has half a character in {word!r}; write it whole") from None
    if not CONTROL.search(word):
        return shlex.quote(word)
    return "$'" + ESCAPED.sub(lambda found: f"\\{ord(found[0]):03o}", word) + "'"


def main() -> int:
    line = " ".join(map(quote, options(load_config())))
    sys.stdout.buffer.write(line.encode() + b"\n")  # UTF-8, whatever the container's locale is
    return 0


if __name__ == "__main__":
    sys.exit(main())
