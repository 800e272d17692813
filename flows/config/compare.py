"""The configuration of a comparison."""

from pydantic import Field

from flows.config.fields import STORE, Store
from sandboxes.config import Config


class CompareConfig(Config):
    """Which results are compared, and where the page is written."""

    sets: tuple[str, ...] = Field(
        description="Two to eight sample sets (names or unique prefixes) or CSV files; the first is the reference"
    )
    verdicts: str | None = Field(default=None, description="Verdict set of the stored sets; empty: the latest of each")
    store: Store = STORE
    output: str | None = Field(
        default=None, min_length=1, description="Folder or URL to write the page to; empty: the store"
    )
