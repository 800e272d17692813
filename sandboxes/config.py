"""The base class of all configurations. It is in this package, below all others, so that every package can use it."""

import yaml
from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """An immutable model that rejects unknown fields, so that a mistyped name is never silently ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_yaml(self) -> str:
        """The whole configuration as YAML, including defaults."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
