"""The configuration of a comparison of costs."""

from pydantic import ConfigDict, Field

from flows.config.fields import STORE, Store
from sandboxes.config import Config
from tasks.costs.measures import Measure, Prompts


class CostConfig(Config):
    """Which results are compared by what they cost, and what a cost is counted in."""

    model_config = ConfigDict(allow_inf_nan=False)

    sets: tuple[str, ...] = Field(description="One to eight sample sets (names or unique prefixes) or CSV files")
    verdicts: str | None = Field(default=None, description="Verdict set of the stored sets; empty: the latest of each")
    store: Store = STORE
    by: str | None = Field(
        default=None,
        min_length=1,
        description="Compare what this way of picking delivers of stored sets; empty: coverage",
    )
    measure: Measure | None = Field(
        default=None, description="What a cost is counted in; empty: dollars where every set has a price, else tokens"
    )
    reach: float | None = Field(default=None, gt=0, le=1, description="Find the cheapest way to solve this share")
    budget: float | None = Field(default=None, gt=0, description="Find the best use of this cost for all problems")
    prices: str | None = Field(default=None, min_length=1, description="File of prices, before the bundled ones")
    prompts: Prompts | None = Field(
        default=None,
        description="Whether a prompt counts for `each` sample, `once` per problem, or is `cached` by the first sample;"
        " empty: each, and once in FLOPs",
    )
    batch: bool = Field(default=False, description="Count dollars at the price of batches")
    configs: dict[str, str] = Field(
        default_factory=dict, description="The config.json of the model of each set, by set, for FLOPs"
    )
    parameters: dict[str, int] = Field(
        default_factory=dict, description="The parameters that a token passes through, by set; empty: from its config"
    )
    output: str | None = Field(default=None, min_length=1, description="Folder or URL to write figures and tables to")
