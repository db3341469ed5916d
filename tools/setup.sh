#!/usr/bin/env bash
# The Python environment in .venv, exactly as envs/lock.txt says. A second run with the same lock does nothing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
source tools/common.sh

stamp=.venv/slipway.lock
if [ -x .venv/bin/snakemake ] && cmp -s envs/lock.txt "$stamp"; then exit 0; fi

python=""
for name in "${PYTHON:-}" python3.11 python3 python; do
    if [ -n "$name" ] && "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        python=$name
        break
    fi
done
[ -n "$python" ] || die "Python 3.11 is not on PATH; install it, or name it: PYTHON=/path/to/python3.11 ./slipway setup"
"$python" -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv

say "setting up .venv from envs/lock.txt (about two minutes, once)"
rm -rf .venv # without the stamp it is half made
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r envs/lock.txt
cp envs/lock.txt "$stamp"
say "ready: source .venv/bin/activate, then snakemake --list"
