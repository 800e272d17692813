# Finds or installs uv for the scripts in this folder. Source it from the root of the checkout, with `say` defined.

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
