"""The optional fields of a sample in rows of files: what `monkeys import` and `monkeys export` write, and what
`engine: recorded` and the format `plain` read.

They are derived from `Sample`: a field that it gets is read and written without a change here. A row is flat, as the
store's tables are: of a record that a sample holds, each field is one of the row's, called after both.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from typing import Annotated, Any, NamedTuple, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, create_model
from pydantic_core import SchemaValidator, core_schema

from tasks.files.schema import AnyRow, RowModel
from tasks.records import Sample

MAX_INDEX = 2**31 - 1
"""The highest index that a sample can have: the store has 32 bits for it."""

Index = Annotated[int, Field(ge=0, le=MAX_INDEX)]
Row = dict[str, Any]
"""The values of a row by field, without those that it leaves out."""


def with_optional_fields(model: type[AnyRow]) -> type[AnyRow]:
    """The model of a row, with the optional fields of a sample in addition."""
    added = _model_fields(Sample)
    return create_model(
        model.__name__, __base__=model, __module__=model.__module__, **{name: added[name] for name in OPTIONAL}
    )


def optional_values(row: RowModel) -> dict[str, Any]:
    """What a row of such a model says about its sample: the values of the optional fields of `Sample`."""
    values = row.__dict__
    return _unflattened(
        {name: _records(Sample, name, values[name]) if name in _LISTS else values[name] for name in OPTIONAL}
    )


@cache
def row_parser() -> Callable[[bytes], Row]:
    """Reads a row of `problem_id`, `index`, `text` and optional fields, as JSON: the values that it has. Raises
    ValueError for whatever a model of `with_optional_fields` refuses.

    The values are checked by pydantic's parser itself: with a model in between, it takes three times as long.
    """
    schemas = {}
    for each in _FLAT:
        kind = Index if each.name == "index" else _read_as(each.hint)
        if each.name in _LISTS:
            kind = Annotated[kind, AfterValidator(partial(_records, Sample, each.name))]
        schema: core_schema.CoreSchema = TypeAdapter(kind).core_schema
        schemas[each.name] = core_schema.typed_dict_field(schema, required=each.default is MISSING)
    strict = core_schema.CoreConfig(strict=True)
    return SchemaValidator(core_schema.typed_dict_schema(schemas, extra_behavior="ignore", config=strict)).validate_json


def columns_of(rows: Sequence[Row]) -> dict[str, list[Any]]:
    """The values of rows of `row_parser` by field, of those fields that a row has."""
    held = set().union(*rows)
    required = {each.name: [row[each.name] for row in rows] for each in _FLAT if each.default is MISSING}
    return required | {
        name: [row.get(name, default) for row in rows] for name, default in _DEFAULTS.items() if name in held
    }


def optional_values_of(sample: object) -> dict[str, Any]:
    """What is known about a sample, by field of its row; `sample` has the optional fields of `Sample`."""
    values: dict[str, Any] = {}
    for field in fields(Sample):
        if field.default is MISSING:
            continue
        value = getattr(sample, field.name)
        if field.name not in _HELD:
            values[field.name] = value
        elif value is not None:
            values |= {f"{field.name}_{each.name}": getattr(value, each.name) for each in fields(value)}
    return {name: value for name, value in values.items() if value != _DEFAULTS[name]}


def optional_document(sample: object) -> dict[str, Any]:
    """As `optional_values_of`, as JSON."""
    return {name: _json(value) for name, value in optional_values_of(sample).items()}


class _Flat(NamedTuple):
    """A field of a row."""

    name: str
    hint: Any
    default: Any


def _flat(record: Any, prefix: str = "") -> Iterator[_Flat]:
    for each in fields(record):
        hint = _hints(record)[each.name]
        held = _held(hint)
        if held is None:
            yield _Flat(prefix + each.name, hint, each.default)
        else:
            yield from _flat(held, f"{prefix}{each.name}_")


def _unflattened(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of fields of a sample, from those of a row."""
    if _OF_HELD.isdisjoint(values):
        return dict(values)
    found = {name: value for name, value in values.items() if name not in _OF_HELD}
    for name, record in _HELD.items():
        parts = {each.name: values.get(f"{name}_{each.name}") for each in fields(record)}
        found[name] = None if all(value is None for value in parts.values()) else record(**parts)
    return found


def _model_fields(record: Any) -> dict[str, Any]:
    return {name: (_read_as(hint), ... if default is MISSING else default) for name, hint, default in _flat(record)}


def _read_as(hint: Any) -> Any:
    """The type that a row has for a field of a record."""
    inner = _item(hint)
    if inner is not None:
        model: Any = create_model(f"{inner.__name__}Row", __base__=RowModel, **_model_fields(inner))
        return Annotated[list[model], BeforeValidator(_listed)]
    if int in get_args(hint):
        # Tools write whole numbers as 9.0, too; the store has 32 bits for them.
        return Annotated[hint, Field(strict=False, ge=-MAX_INDEX, le=MAX_INDEX)]
    return Annotated[hint, BeforeValidator(_not_nan)] if float in get_args(hint) else hint


def _listed(value: Any) -> Any:
    """A list is null where it is empty, and JSON in a text where a table has it as a column."""
    if not value:
        return []
    try:
        return json.loads(value) if isinstance(value, str) else value
    except RecursionError as error:
        raise ValueError("broken JSON (nested too deep)") from error


def _not_nan(value: Any) -> Any:
    """pandas writes NaN for a number that is not known."""
    return None if isinstance(value, float) and math.isnan(value) else value


def _records(record: type, name: str, value: Any) -> Any:
    """A value of a row, with records instead of the rows that stand for them."""
    if not isinstance(value, list):
        return value
    inner = _item(_hints(record)[name])
    return tuple(
        inner(**{field: _records(inner, field, found) for field, found in row.__dict__.items()}) for row in value
    )


def _not_default(record: type, values: dict[str, Any]) -> dict[str, Any]:
    """The values that differ from the field's default, as JSON."""
    defaults = _defaults(record)
    return {name: _json(value) for name, value in values.items() if name not in defaults or value != defaults[name]}


def _json(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    return [
        _not_default(type(each), {field.name: getattr(each, field.name) for field in fields(each)}) for each in value
    ]


def _item(hint: Any) -> Any:
    """The record of which a field holds a tuple; None for any other field."""
    found = get_args(hint)[0] if get_origin(hint) is tuple else None
    return found if is_dataclass(found) else None


def _held(hint: Any) -> Any:
    """The record that a field holds, or None in its place; None for any other field."""
    found = next((each for each in get_args(hint) if is_dataclass(each)), None)
    return None if get_origin(hint) is tuple else found


def _defaults(record: Any) -> dict[str, Any]:
    return {each.name: each.default for each in fields(record) if each.default is not MISSING}


@cache
def _hints(record: type) -> dict[str, Any]:
    return get_type_hints(record)


_FLAT = tuple(_flat(Sample))
_DEFAULTS = {each.name: each.default for each in _FLAT if each.default is not MISSING}
_HELD = {name: held for name, hint in _hints(Sample).items() if (held := _held(hint)) is not None}
_LISTS = tuple(name for name, hint in _hints(Sample).items() if _item(hint) is not None)

OPTIONAL = tuple(_DEFAULTS)
"""The names of the fields that a row need not have."""

_OF_HELD = frozenset(OPTIONAL) - _hints(Sample).keys()
