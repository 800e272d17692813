#!/usr/bin/env bash
# Installs Rocq (Debian calls it coq) with its checker, and Coquelicot, which some statements of miniF2F need.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "provers: $*" >&2; }

packages=(coq libcoq-coquelicot)
if command -v coqc >/dev/null && command -v coqchk >/dev/null; then
    [ -d "$(coqc -where)/user-contrib/Coquelicot" ] && { say "ready: Rocq $(coqc --print-version | cut -d' ' -f1)"; exit 0; }
fi
command -v apt-get >/dev/null || { say "install Rocq with this system's package manager, or with opam"; exit 2; }
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { say "ask an administrator for: apt-get install ${packages[*]}"; exit 2; }
    as_root=(sudo)
fi
say "installing ${packages[*]}"
"${as_root[@]}" apt-get install -y -qq "${packages[@]}" >/dev/null 2>&1 || {
    "${as_root[@]}" apt-get update -qq >/dev/null
    "${as_root[@]}" apt-get install -y -qq "${packages[@]}" >/dev/null
} || { say "${packages[*]} could not be installed"; exit 2; }
say "ready: Rocq $(coqc --print-version | cut -d' ' -f1)"
