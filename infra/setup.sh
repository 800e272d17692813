#!/usr/bin/env bash
# Prepares a Debian or Ubuntu machine for this checkout: the locked environment in .venv, and bubblewrap. Skips what is
# already installed. Needs Python 3.11 to 3.14, and root only to install a missing package.
#   infra/setup.sh              for sweeps
#   infra/setup.sh --develop    for sweeps and tests
#   infra/setup.sh --extra X    for sweeps with an extra of pyproject.toml; packages that are already installed stay
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "setup: $*" >&2; }
fail() { say "$*"; exit 2; }

install_package() { # arguments: a Debian package, and why it is needed
    command -v apt-get >/dev/null || fail "$1 is missing ($2); install it with this system's package manager"
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "$1 is missing ($2); ask an administrator for: apt-get install $1"
        as_root=(sudo)
    fi
    say "installing $1 ($2)"
    "${as_root[@]}" apt-get install -y -qq "$1" >/dev/null 2>&1 && return
    "${as_root[@]}" apt-get update -qq >/dev/null || fail "apt-get update failed; $1 is needed ($2)"
    "${as_root[@]}" apt-get install -y -qq "$1" >/dev/null || fail "$1 could not be installed ($2)"
}

find_python() { # prints the path of the interpreter itself: given a pyenv shim, uv would create the environment again
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        "$name" -c 'import sys
sys.exit(print(sys._base_executable) if (3, 11) <= sys.version_info[:2] < (3, 15) else 1)' 2>/dev/null && return
    done
    fail "Python 3.11 to 3.14 is needed; Debian 12, Ubuntu 24.04 and newer releases have it as python3"
}

. infra/uv.sh

python=$(find_python)
command -v uv >/dev/null || "$python" -c 'import ensurepip, venv' 2>/dev/null ||
    install_package python3-venv "python -m venv needs it"
uv=$(find_uv "$python")
say "installing the environment of uv.lock (about a minute with an empty cache)"
groups=(--no-dev)
[ "${1:-}" = --develop ] && groups=()
[ "${1:-}" = --extra ] && groups+=(--extra "$2")
env -u VIRTUAL_ENV UV_PYTHON_DOWNLOADS=never "$uv" sync --frozen --quiet --inexact --python "$python" "${groups[@]}"
command -v bwrap >/dev/null || install_package bubblewrap "the sandbox for programs"
say "ready: .venv/bin/monkeys --help"
