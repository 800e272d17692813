"""What a person writes to have results compared."""

import yaml
from pydantic import BaseModel, ConfigDict, Field

from flows.config.fields import STORE, Store


class CompareConfig(BaseModel):
    """Which results are compared, and where the page is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: tuple[str, ...] = Field(
        description="Two to eight sample sets (names, or unique starts) or CSV files; the first is the reference"
    )
    verdicts: str | None = Field(default=None, description="Verdict set of the stored sets; empty: the latest of each")
    store: Store = STORE
    output: str | None = Field(default=None, min_length=1, description="Folder or URL of the page; empty: in the store")

    def to_yaml(self) -> str:
        """The whole configuration, defaults included, as it could be written in a file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
