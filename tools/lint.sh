#!/usr/bin/env bash
# Everything that reads the code without running it. Stops at the first complaint.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
PATH=$PWD/.venv/bin:$PATH # snakefmt looks for a helper of its own there
set -x
ruff check .
ruff format --check .
mypy
for architecture in containers/agrigaia/architectures/*/; do # flat modules: what lies side by side in a template is checked so
    name=$(basename "$architecture")
    (cd containers/agrigaia && MYPYPATH=common:training:export:architectures/$name mypy --config-file= --cache-dir=../../.mypy_cache/"$name" \
        --strict --allow-untyped-calls --ignore-missing-imports --explicit-package-bases common/*.py export/*.py training/*.py "architectures/$name"/*.py)
done
snakefmt --check Snakefile workflow/rules
snakemake --lint
