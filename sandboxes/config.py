"""The base of everything that a person writes. It is here, at the bottom, so that every room can use it."""

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Immutable, and without fields that it does not know: a typing error is never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")
