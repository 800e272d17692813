"""What models cost: a dated table of prices, bundled with the package, which users extend with their own."""

import datetime
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator

from sandboxes.config import Config
from tasks.errors import UserError

_MAX_AGE = datetime.timedelta(days=365)
_EXAMPLE = "`prices: [{model: my-model, prompt: 0.5, completion: 1.5, date: 2026-11-01}]`"


class ModelPrice(Config):
    """What a model costs since a date: by the million tokens, by the hour of drawing, or both."""

    model_config = ConfigDict(allow_inf_nan=False)

    model: str = Field(min_length=1, description="The model's name, or the name of a set or of a file of counts")
    prompt: float | None = Field(default=None, ge=0, description="Dollars per million prompt tokens")
    completion: float | None = Field(default=None, ge=0, description="Dollars per million completion tokens")
    cached_read: float | None = Field(
        default=None, ge=0, description="Dollars per million prompt tokens read from the cache; empty: as `prompt`"
    )
    cached_write: float | None = Field(
        default=None, ge=0, description="Dollars per million prompt tokens written to the cache; empty: as `prompt`"
    )
    batch_discount: float | None = Field(
        default=None, ge=0, le=1, description="The share that batches are cheaper by; empty: there are no batches"
    )
    hour: float | None = Field(
        default=None, ge=0, description="Dollars per hour of drawing, as for a machine that you rent"
    )
    date: datetime.date = Field(description="When this price was valid")
    source: str = Field(default="", description="Where this price is published")

    @model_validator(mode="after")
    def _complete(self) -> "ModelPrice":
        if (self.prompt is None) != (self.completion is None):
            raise ValueError("prompt and completion are given together, or neither is")
        if self.prompt is None and self.hour is None:
            raise ValueError("has neither prompt and completion nor hour")
        return self

    @property
    def read(self) -> float:
        """Dollars per million prompt tokens read from the cache."""
        return (self.prompt or 0.0) if self.cached_read is None else self.cached_read

    @property
    def write(self) -> float:
        """Dollars per million prompt tokens written to the cache."""
        return (self.prompt or 0.0) if self.cached_write is None else self.cached_write

    def age_warning(self, today: datetime.date) -> str | None:
        """One line where this price is more than a year old."""
        if today - self.date <= _MAX_AGE:
            return None
        return f"The price of {self.model} is from {self.date}, more than a year ago; give today's in --prices FILE."


class PriceTable(Config):
    """A file of prices."""

    prices: tuple[ModelPrice, ...] = Field(description="The prices, one entry for each model")

    @model_validator(mode="after")
    def _once(self) -> "PriceTable":
        names = [each.model for each in self.prices]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} has two prices")
        return self


def parse_prices(text: str, where: str) -> PriceTable:
    """A table from YAML, or JSON, which is YAML too; `where` is for messages.

    Raises:
        UserError: it is not a table of prices.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{where}: broken YAML ({' '.join(str(error).split())[:200]})") from error
    if not isinstance(document, dict):
        raise UserError(f"{where}: is not a table of prices; write {_EXAMPLE}")
    try:
        return PriceTable.model_validate(document)
    except ValidationError as error:
        fault = error.errors()[0]
        field = ".".join(map(str, fault["loc"]))
        reason = str(fault.get("ctx", {}).get("error", fault["msg"]))
        place = f"{field}: " if field else ""
        raise UserError(f"{where}: {place}{reason[0].lower()}{reason[1:]}; write {_EXAMPLE}") from error


@cache
def bundled_prices() -> PriceTable:
    """The table of this package."""
    text = resources.files(__package__).joinpath("prices.yaml").read_text(encoding="utf-8")
    return parse_prices(text, "the bundled prices")


def find_price(names: Iterable[str], tables: Sequence[PriceTable]) -> ModelPrice | None:
    """The price of a model that goes by several names, the first table that has one first; None where none has."""
    wanted = list(names)
    for table in tables:
        of = {each.model: each for each in table.prices}
        for name in wanted:
            if name in of:
                return of[name]
    return None
