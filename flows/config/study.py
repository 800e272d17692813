"""The configuration of a study: sweeps of several models, which are compared."""

from pydantic import ConfigDict, Field, model_validator

from flows.config.sweep import SweepConfig
from sandboxes.config import Config

MAX_SWEEPS = 8


class StudyConfig(Config):
    """Sweeps of one dataset with several models, or any others, which are run one after another and then compared."""

    model_config = ConfigDict(hide_input_in_errors=True)

    sweeps: tuple[SweepConfig, ...] = Field(
        min_length=2,
        max_length=MAX_SWEEPS,
        description="Two to eight sweeps with one store; the first is the reference",
    )

    @model_validator(mode="after")
    def _one_store(self) -> "StudyConfig":
        stores = sorted({each.store for each in self.sweeps})
        if len(stores) > 1:
            raise ValueError(f"the sweeps of a study must share one store; these have {' and '.join(stores)}")
        return self

    @property
    def label(self) -> str:
        """The models, for the name of the flow run."""
        return ", ".join(dict.fromkeys(each.engine.label for each in self.sweeps))
