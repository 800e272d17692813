"""Small JSON documents in the store, which may hold anything by the time they are read."""

from typing import Any

from pydantic_core import from_json


def json_object(data: bytes) -> dict[str, Any]:
    """The JSON object that these bytes are.

    Raises:
        ValueError: they are not UTF-8, not JSON, nested too deeply, or a value of another type, as the message says in
            one line.
    """
    found = from_json(data, allow_inf_nan=False)
    if not isinstance(found, dict):
        raise ValueError(f"a JSON object was expected, not a {type(found).__name__}")  # noqa: TRY004 - it is the data
    return found
