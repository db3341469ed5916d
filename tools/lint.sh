#!/usr/bin/env bash
# Everything that reads the code without running it. Stops at the first complaint.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
bin=$PWD/.venv/bin
set -x
"$bin/ruff" check .
"$bin/ruff" format --check .
"$bin/mypy"
"$bin/snakefmt" --check Snakefile workflow/rules
"$bin/snakemake" --lint
