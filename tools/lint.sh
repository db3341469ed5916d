#!/usr/bin/env bash
# Everything that reads the code without running it. Stops at the first complaint.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
PATH=$PWD/.venv/bin:$PATH # snakefmt looks for a helper of its own there
set -x
ruff check .
ruff format --check .
mypy
(cd containers/agrigaia/common && MYPYPATH=. mypy --config-file= --cache-dir=../../../.mypy_cache --strict --ignore-missing-imports --explicit-package-bases ./*.py)
snakefmt --check Snakefile workflow/rules
snakemake --lint
