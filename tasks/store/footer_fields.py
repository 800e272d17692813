"""The types of a footer's fields: pydantic checks them when a footer is read."""

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field

from tasks.records import Verdict

_LATEST_YEAR = 9_000


def _time(text: str) -> str:
    """An ISO 8601 time with a time zone, in a year with which one can calculate."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None or not 1970 <= found.year <= _LATEST_YEAR:
        raise ValueError("a time in UTC was expected")
    return text


def _verdict(text: str) -> str:
    return Verdict(text).value


Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Dollars = Annotated[float, Field(ge=0, le=1e12)]
Time = Annotated[str, AfterValidator(_time)]
VerdictName = Annotated[str, AfterValidator(_verdict)]
