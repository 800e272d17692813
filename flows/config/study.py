"""What a person writes to have several models swept and compared."""

from pydantic import ConfigDict, Field, model_validator

from flows.config.sweep import SweepConfig
from sandboxes.config import Config

MAX_SWEEPS = 8


class StudyConfig(Config):
    """Sweeps that belong together, such as one dataset with several models: run one after another, then compared."""

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
            raise ValueError(f"the sweeps of a study share a store; these have {' and '.join(stores)}")
        return self

    @property
    def label(self) -> str:
        """What it studies, for people."""
        return ", ".join(dict.fromkeys(each.engine.label for each in self.sweeps))
