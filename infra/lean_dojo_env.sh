#!/usr/bin/env bash
# Installs LeanDojo for `prover: lean_dojo` in a separate environment, .venv-lean-dojo (about 330 MB), unless it is there.
# LeanDojo needs Ray and Python 3.9 to 3.12; the project's main environment stays free of both. Lean itself is installed
# with elan. To use it in a sweep:
#   grader: {name: proof, prover: {name: lean_dojo, python: .venv-lean-dojo/bin/python, project: ../mathlib4}}
# Exits with 3 if LeanDojo cannot be installed on this machine; the last line says why.
set -euo pipefail
cd "$(dirname "$0")/.."

LEAN_DOJO="lean-dojo==4.20.0"
NAME=.venv-lean-dojo

say() { printf '%s\n' "lean-dojo: $*" >&2; }
cannot() { say "$*"; exit 3; }

. infra/uv.sh

command -v git >/dev/null || cannot "LeanDojo needs git: install it"
stamp="$NAME/ready-$LEAN_DOJO"
if [ ! -e "$stamp" ]; then
    python=$(find_python_between 3.9 3.12 python3.12 python3.11 python3.10 python3) || cannot "Python 3.9 to 3.12 is needed, with venv"
    uv=$(find_uv "$python") || cannot "uv could not be installed"
    export UV_PYTHON_DOWNLOADS=never UV_HTTP_TIMEOUT=600
    unset VIRTUAL_ENV
    say "installing $LEAN_DOJO in $NAME (330 MB; a minute with an empty cache)"
    "$uv" venv --quiet --clear --python "$python" "$NAME"
    "$uv" pip install --quiet --python "$NAME/bin/python" "$LEAN_DOJO" || cannot "$LEAN_DOJO could not be installed"
    CACHE_DIR=$(mktemp -d) "$NAME/bin/python" -c 'import lean_dojo' || cannot "$LEAN_DOJO does not import on this machine"
    touch "$stamp"
fi
say "ready: $LEAN_DOJO"
