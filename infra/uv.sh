# The uv that the scripts next to this use; to be sourced from the root of the checkout, where `say` is defined.

UV_VERSION=0.13.8

find_uv() { # the system's uv where there is one, else our own in .venv-setup, installed by this Python
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
