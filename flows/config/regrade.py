"""What a person writes to have a stored set graded again."""

from pydantic import ConfigDict, Field

from flows.config.choices import DatasetConfig, GraderConfig, SandboxConfig
from flows.config.fields import STORE, Store, WithOldNames, in_order
from sandboxes.bubblewrap import BubblewrapConfig


class RegradeConfig(WithOldNames):
    """Which stored set is graded again, by which grader, within which limits."""

    model_config = ConfigDict(hide_input_in_errors=True, json_schema_extra=in_order)

    samples: str = Field(min_length=1, description="The sample set: its name, or a unique start of it")
    dataset: DatasetConfig = Field(
        description="Where the problems of the set come from, with their gold answers or tests"
    )
    grader: GraderConfig | None = Field(
        default=None, description="How samples are graded; empty: the usual grader of the dataset"
    )
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")
    against: str | None = Field(default=None, description="The verdict set to compare with; empty: the latest other")
    max_changes: int = Field(default=20, ge=0, description="How many changed samples to list")
    store: Store = STORE
