"""How blocks are written: what is compressed, and what that saves."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from tasks.records import Sample
from tasks.store import parquet
from tasks.store.samples import read_samples, write_samples


def samples(of_each: int, text: str = "", problem: str = "p") -> list[Sample]:
    return [
        Sample(f"{problem}{number:02}", index, f"{text}{number} {index}", 9, 5, -0.5, "stop")
        for number in range(16)
        for index in range(of_each)
    ]


def written(found: list[Sample]) -> bytes:
    return write_samples(found, "key", engine="test", drawn_at="2026-01-01T00:00:00+00:00", seconds=9.0)


def compressed(data: bytes) -> set[str]:
    """The columns that are compressed."""
    metadata: Any = pq.ParquetFile(io.BytesIO(data)).metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    return {column.path_in_schema for column in columns if column.compression == "ZSTD"}


def test_of_a_few_samples_for_each_problem_only_long_values_are_compressed() -> None:
    assert compressed(written(samples(2))) == set()
    assert compressed(written(samples(2, text="a long text " * 50))) == {"text"}
    assert compressed(written(samples(2, problem="a long name " * 50))) == {"problem_id"}
    assert compressed(written(samples(100))) >= {"problem_id", "index", "text", "tokens"}


@pytest.mark.parametrize("of_each", [1, 2, 8])
def test_a_block_of_a_few_samples_for_each_problem_is_not_larger_for_it(
    monkeypatch: pytest.MonkeyPatch, of_each: int
) -> None:
    found = samples(of_each, text="some text " * 20)
    data = written(found)
    assert read_samples(data, "key")[0] == found
    monkeypatch.setattr(parquet, "_FEW_ROWS", 0)
    assert len(data) <= len(written(found))
