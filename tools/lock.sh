#!/usr/bin/env bash
# Write envs/lock.txt anew: envs/requirements.txt and all that it needs, at the versions that pip would choose today.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
source tools/common.sh

[ -x .venv/bin/pip ] || die "no .venv; run ./slipway setup first"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
.venv/bin/pip install --quiet --dry-run --ignore-installed --report "$work/report.json" -r envs/requirements.txt
{
    echo "# Made by tools/lock.sh from envs/requirements.txt; edit that file. Versions without a local part, so that torch fits CPU and GPU."
    .venv/bin/python - "$work/report.json" <<'PYTHON'
import json
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
pins = {item["metadata"]["name"]: item["metadata"]["version"].split("+")[0] for item in report["install"]}
for name in sorted(pins, key=str.lower):
    if not name.lower().startswith(("nvidia-", "cuda-")) and name.lower() != "triton":  # torch pins these itself
        print(f"{name}=={pins[name]}")
PYTHON
} >"$work/lock.txt"
mv "$work/lock.txt" envs/lock.txt
say "envs/lock.txt holds $(grep -c == envs/lock.txt) packages"
