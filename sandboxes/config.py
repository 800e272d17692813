"""The base of everything that a person writes. It is here, at the bottom, so that every room can use it."""

import yaml
from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """Immutable, and without fields that it does not know: a typing error is never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_yaml(self) -> str:
        """The whole configuration, defaults included, as it could be written in a file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
