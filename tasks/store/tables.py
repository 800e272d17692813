"""Blocks as Parquet (zstd), with a fixed schema and a checksum of their content in the footer.

A verdict object carries the checksum of the samples that it judged. A reader that finds another one refuses it.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from tasks.engines import Sample
from tasks.graders import Judgement, Verdict

_FOOTER = b"monkeys"
_SAMPLES = pa.schema(
    [
        ("problem_id", pa.string()),
        ("index", pa.int32()),
        ("text", pa.string()),
        ("prompt_tokens", pa.int32()),
        ("tokens", pa.int32()),
        ("logprob", pa.float64()),
        ("finish_reason", pa.string()),
    ]
)
_VERDICTS = pa.schema(
    [
        ("problem_id", pa.string()),
        ("index", pa.int32()),
        ("verdict", pa.string()),
        ("detail", pa.string()),
        ("cpu_s", pa.float64()),
        ("wall_s", pa.float64()),
    ]
)


class CorruptObjectError(ValueError):
    """An object that is torn, damaged, or not what its key says."""


@dataclass(frozen=True, slots=True)
class SampleFooter:
    """What a block of samples says of itself: checksum of its content, who drew it, when (UTC), in how long (s), and
    how many tokens where the engine knew."""

    checksum: str
    tokens: int | None
    engine: str
    drawn_at: str
    seconds: float


@dataclass(frozen=True, slots=True)
class VerdictFooter:
    """What a block of verdicts says of itself. `judged` is the checksum of the samples; `infrastructure` counts the
    samples that no sandbox managed to judge, and that are owed again."""

    judged: str
    sandbox: str
    judged_at: str
    seconds: float
    infrastructure: int


def checksum(samples: Iterable[Sample]) -> str:
    """SHA-256 over what verdicts depend on: problem, index and text of each sample, in order of storage."""
    total = hashlib.sha256()
    for sample in samples:
        for part in (sample.problem_id, str(sample.index), sample.text):
            data = part.encode()
            total.update(len(data).to_bytes(8, "big"))
            total.update(data)
    return total.hexdigest()


def write_samples(samples: Sequence[Sample], footer: SampleFooter) -> bytes:
    """A block of samples as an object."""
    return _to_parquet(_SAMPLES, [asdict(sample) for sample in samples], asdict(footer))


def read_samples(data: bytes) -> tuple[list[Sample], SampleFooter]:
    """The samples of an object, in order.

    Raises:
        CorruptObjectError: the object is torn, or its content does not have the checksum that it carries.
    """
    table = _from_parquet(data)
    footer = SampleFooter(**_footer(table.schema.metadata))
    samples = [Sample(**row) for row in table.to_pylist()]
    if checksum(samples) != footer.checksum:
        raise CorruptObjectError("its samples do not have the checksum that they were stored with")
    return samples, footer


def sample_footer(file: BinaryIO) -> SampleFooter:
    """What a block of samples says of itself; reads the footer only, and raises CorruptObjectError without one."""
    return SampleFooter(**_footer(_metadata(file)))


def write_verdicts(judgements: Sequence[Judgement], footer: VerdictFooter) -> bytes:
    """A block of verdicts as an object."""
    rows = [{**asdict(judgement), "verdict": judgement.verdict.value} for judgement in judgements]
    return _to_parquet(_VERDICTS, rows, asdict(footer))


def read_verdicts(data: bytes) -> tuple[list[Judgement], VerdictFooter]:
    """The verdicts of an object, in order; raises CorruptObjectError where it is torn."""
    table = _from_parquet(data)
    judgements = [Judgement(**{**row, "verdict": Verdict(row["verdict"])}) for row in table.to_pylist()]
    return judgements, VerdictFooter(**_footer(table.schema.metadata))


def verdict_footer(file: BinaryIO) -> VerdictFooter:
    """What a block of verdicts says of itself; reads the footer only, and raises CorruptObjectError without one."""
    return VerdictFooter(**_footer(_metadata(file)))


def _to_parquet(schema: pa.Schema, rows: list[dict[str, Any]], footer: dict[str, Any]) -> bytes:
    table = pa.Table.from_pylist(rows, schema=schema.with_metadata({_FOOTER: json.dumps(footer).encode()}))
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", write_page_checksum=True)
    return sink.getvalue()


def _from_parquet(data: bytes) -> pa.Table:
    try:
        return pq.read_table(pa.BufferReader(data), page_checksum_verification=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptObjectError(f"it is torn or damaged ({' '.join(str(error).split())})") from error


def _metadata(file: BinaryIO) -> dict[bytes, bytes] | None:
    try:
        return dict(pq.read_schema(file).metadata or {})
    except (pa.ArrowInvalid, OSError) as error:
        raise CorruptObjectError(f"it is torn or damaged ({' '.join(str(error).split())})") from error


def _footer(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    if not metadata or _FOOTER not in metadata:
        raise CorruptObjectError("it is a Parquet file, but none of ours")
    return dict(json.loads(metadata[_FOOTER]))
