"""Addresses of servers and keys for them, as people write them. Nothing heavy is imported here."""

import os
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from tasks.errors import UserError


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Urls = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One URL, or several."""


def check_urls(urls: tuple[str, ...], key_field: str) -> tuple[str, ...]:
    """The URLs as they are; `key_field` is where the name of a key's variable belongs.

    Raises:
        ValueError: one contains credentials, or is not the URL of a server.
    """
    for url in urls:
        parts = urlsplit(url)
        if parts.username is not None or parts.password is not None:
            raise ValueError(f"a URL must not contain credentials; name the key's variable in {key_field}")
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is not the URL of a server; write one like http://localhost:8000/v1")
    return urls


def read_key(variable: str | None, key_field: str) -> str | None:
    """The API key in an environment variable; None if no variable is named.

    Raises:
        UserError: the variable is not set, or cannot be a key.
    """
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key:
        raise UserError(f"{key_field}: {variable} is not set; it should contain the API key")
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{key_field}: {variable} contains characters that no API key can have")
    return key
