"""What may become of stored objects: bytes, footers and rows that are not what they should be."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from tasks.store.samples import checksum

ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(
        ["", "1.0", "1.7", "9.9", "2026-11-29T08:00:00", "0001-01-01T00:00:00+00:00", "\x1b[2J", "\ud800"]
    )
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NESTED = '{"a":' * 30_000
"""JSON that is nested too deeply for any parser."""


def footer_of(data: bytes) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(pq.read_schema(io.BytesIO(data)).metadata[b"monkeys"])
    return about


def rewritten(data: bytes, footer: dict[str, Any] | bytes | None = None, table: pa.Table | None = None) -> bytes:
    """An object with another footer or other rows, with page checksums that hold, in the row groups that it had."""
    parquet = pq.ParquetFile(io.BytesIO(data))
    found = parquet.read() if table is None else table
    about = footer_of(data) if footer is None else footer
    encoded = about if isinstance(about, bytes) else json.dumps(about).encode()
    sink = io.BytesIO()
    rows = max(1, parquet.metadata.row_group(0).num_rows)
    pq.write_table(
        found.replace_schema_metadata({b"monkeys": encoded}), sink, row_group_size=rows, write_page_checksum=True
    )
    return sink.getvalue()


def with_checksum(data: bytes) -> bytes:
    """A block of samples whose footer has the checksum of its rows, whatever these are, if they have one."""
    table = pq.ParquetFile(io.BytesIO(data)).read()
    try:
        return rewritten(data, footer_of(data) | {"checksum": checksum(table)}, table)
    except (KeyError, AttributeError, TypeError, ValueError):
        return data


@st.composite
def other_bytes(draw: st.DrawFn, data: bytes, others: list[bytes]) -> bytes:
    at = draw(st.integers(0, max(0, len(data) - 1)))
    kind = draw(st.sampled_from(["flip", "cut", "insert", "any", "other", "zeros"]))
    if kind == "flip" and data:
        return data[:at] + bytes([data[at] ^ draw(st.integers(1, 255))]) + data[at + 1 :]
    if kind == "cut":
        return data[:at]
    if kind == "insert":
        return data[:at] + draw(st.binary(min_size=1, max_size=8)) + data[at:]
    if kind == "other":
        return draw(st.sampled_from(others))
    return draw(st.binary(max_size=64)) if kind == "any" else data[:at] + bytes(len(data) - at)


@st.composite
def other_footer(draw: st.DrawFn, data: bytes) -> bytes:
    about = footer_of(data)
    kind = draw(st.sampled_from(["change", "drop", "add", "any", "nested", "counts"]))
    if kind == "any":
        return rewritten(data, json.dumps(draw(ANYTHING)).encode())
    if kind == "nested":
        return rewritten(data, NESTED.encode())
    name = draw(st.sampled_from(sorted(about)))
    if kind == "drop":
        about.pop(name)
    elif kind == "add":
        about |= {draw(st.text(max_size=5)): draw(ANYTHING), "schema": draw(st.sampled_from(["1.0", "1.7"]))}
    elif kind == "counts" and isinstance(about.get("counts"), dict):
        about["counts"] |= {draw(st.sampled_from(["correct", "wrong", "unheard_of", ""])): draw(st.integers(-3, 99))}
    else:
        about[name] = draw(ANYTHING)
    return rewritten(data, about)


@st.composite
def other_rows(draw: st.DrawFn, data: bytes) -> bytes:
    table = pq.ParquetFile(io.BytesIO(data)).read()
    at = draw(st.integers(0, table.num_columns - 1))
    name, values = table.column_names[at], table.column(at).to_pylist()
    row = draw(st.integers(0, table.num_rows - 1))
    kind = draw(st.sampled_from(["null", "nulls", "value", "type", "drop", "rename", "twice", "order", "fewer", "add"]))
    if kind in {"null", "value"}:
        values[row] = (
            None if kind == "null" else draw(st.sampled_from(values) | st.text(max_size=3) | st.integers(-2, 9))
        )
        table = _with(table, at, name, values, table.schema.types[at])
    elif kind == "nulls":
        table = _with(table, at, name, [None] * table.num_rows, table.schema.types[at])
    elif kind == "type":
        types = [pa.int64(), pa.binary(), pa.list_(pa.int8()), pa.string(), pa.timestamp("us"), pa.float32(), pa.null()]
        type_ = draw(st.sampled_from(types))
        table = _with(table, at, name, [None] * table.num_rows, type_)
    elif kind == "drop":
        table = table.drop_columns([name])
    elif kind == "rename":
        table = table.rename_columns(
            [*table.column_names[:at], draw(st.text(max_size=4)), *table.column_names[at + 1 :]]
        )
    elif kind == "twice":
        table = table.append_column(name, table.column(at))
    elif kind == "order":
        table = table.take(draw(st.permutations(range(table.num_rows))))
    elif kind == "fewer":
        table = table.slice(0, row)
    else:
        table = table.append_column("weather", pa.array(["sun"] * table.num_rows))
    changed = rewritten(data, table=table)
    return with_checksum(changed) if "checksum" in footer_of(data) and draw(st.booleans()) else changed


def _with(table: pa.Table, at: int, name: str, values: list[Any], type_: pa.DataType) -> pa.Table:
    """A table with other values in a column, if they fit its type."""
    try:
        column = pa.array(values, type_)
    except (pa.ArrowException, TypeError, OverflowError, UnicodeEncodeError):
        column = pa.nulls(len(values), type_)
    return table.set_column(at, pa.field(name, type_), column)


def other_json(data: bytes) -> st.SearchStrategy[bytes]:
    """Documents such as `set.json` with a field changed, and what is not a document at all."""
    document = json.loads(data)

    def changed(name: str, value: Any) -> bytes:
        return json.dumps(document | {name: value}).encode()

    names = st.sampled_from([*document, "limits", "sampling"])
    return st.builds(changed, names, ANYTHING) | other_bytes(data, [b"", b"{", b"[]", b"{}", b"\xff", NESTED.encode()])
