"""What a block of samples consists of: its columns and its footer."""

import json
from dataclasses import dataclass

import pyarrow as pa
from pydantic import TypeAdapter

from tasks.records import Confidence, Sample, Turn
from tasks.store.footer_fields import Count, Seconds, Time
from tasks.store.identity import canonical
from tasks.store.parquet import Column, Footer, Layout


@dataclass(frozen=True, slots=True)
class SampleFooter(Footer):
    """What a block of samples says about itself: the checksum of its content, what drew it, when (UTC), in how many
    seconds, and how many tokens where the engine knew. `reproducible` is the engine's promise to draw the same samples
    again (`tasks.engines.Engine.deterministic`)."""

    checksum: str
    tokens: Count | None
    engine: str
    drawn_at: Time
    seconds: Seconds
    reproducible: bool | None = None


_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_turns = TypeAdapter(tuple[Turn, ...])


def _encode_turns(turns: tuple[Turn, ...]) -> str | None:
    """JSON: compact below zstd, and it may get further fields."""
    return _dumps(canonical(turns)) if turns else None


def decode_turns(text: str | None) -> tuple[Turn, ...]:
    """The turns in a value of the column `turns`; fields that a newer version added are ignored.

    Raises:
        ValueError: it is not a list of turns.
    """
    return _turns.validate_json(text, strict=True) if text else ()


LAYOUT = Layout(
    Sample,
    (
        Column("problem_id", pa.string()),
        Column("index", pa.int32()),
        Column("text", pa.string()),
        Column("prompt_tokens", pa.int32(), nullable=True),
        Column("tokens", pa.int32(), nullable=True),
        Column("logprob", pa.float64(), nullable=True),
        Column("finish_reason", pa.string(), nullable=True),
        Column("cached_prompt_tokens", pa.int32(), optional=True),
        Column("turns", pa.string(), optional=True, encode=_encode_turns, decode=decode_turns),
        Column("confidence_mean", pa.float64(), optional=True),
        Column("confidence_lowest_group", pa.float64(), optional=True),
        Column("confidence_bottom_groups", pa.float64(), optional=True),
        Column("confidence_tail", pa.float64(), optional=True),
        Column("confidence_top", pa.int32(), optional=True),
        Column("confidence_window", pa.int32(), optional=True),
    ),
    SampleFooter,
    held=("confidence", Confidence),
)
