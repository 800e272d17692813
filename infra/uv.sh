# Finds Python, and finds or installs uv, for the scripts in this folder. Source it from the root of the checkout, with
# `say` defined.

UV_VERSION=0.13.8

find_uv() { # prints the path of the system's uv, or of one in .venv-setup, which the given Python installs
    if command -v uv >/dev/null; then
        command -v uv
        return
    fi
    local own=.venv-setup
    if [ ! -x "$own/bin/uv" ]; then
        say "installing uv $UV_VERSION"
        "$1" -m venv --clear "$own" || return
        "$own/bin/pip" install -q --disable-pip-version-check "uv==$UV_VERSION" || return
    fi
    printf '%s\n' "$own/bin/uv"
}

find_python_between() { # prints the path of the first of these Pythons that has venv and is of a version from $1 to $2
    local first=${1#3.} last=${2#3.} name
    shift 2
    for name in "$@"; do
        if command -v "$name" >/dev/null && "$name" -c "import ensurepip, sys
sys.exit(not (3, $first) <= sys.version_info[:2] <= (3, $last))" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}
