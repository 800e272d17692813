"""The configuration of regrading a stored set."""

from pydantic import ConfigDict, Field

from flows.config.choices import DatasetConfig, GraderConfig, SandboxConfig
from flows.config.fields import STORE, Store, WithOldNames, in_order
from sandboxes.bubblewrap import BubblewrapConfig


class RegradeConfig(WithOldNames):
    """The stored set to grade again, with which grader and in which sandbox."""

    model_config = ConfigDict(hide_input_in_errors=True, json_schema_extra=in_order)

    samples: str = Field(min_length=1, description="The sample set: its name or hash, or a unique prefix of either")
    dataset: DatasetConfig = Field(
        description="The dataset that the set was drawn from, with its gold answers or tests"
    )
    grader: GraderConfig | None = Field(
        default=None, description="How samples are graded; empty: the dataset's default grader"
    )
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")
    against: str | None = Field(default=None, description="The verdict set to compare with; empty: the latest other")
    max_changes: int = Field(default=20, ge=0, description="How many changed samples to list")
    store: Store = STORE
