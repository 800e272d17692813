"""What `monkeys pick` and `monkeys predictions` let people choose by name."""

from pydantic import Field

from flows.config.choices import DatasetConfig, GraderConfig, SelectorConfig
from sandboxes.config import Config


class ChosenSelector(Config):
    """A way of picking one of k samples."""

    selector: SelectorConfig = Field(description="How one of k samples is picked")


class ChosenEquality(Config):
    """How answers are compared."""

    grader: GraderConfig = Field(description="The grader that says which answers are the same")


class ChosenDataset(Config):
    """The dataset that a stored set was drawn from."""

    dataset: DatasetConfig = Field(description="The dataset, with how it is read")
