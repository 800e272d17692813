"""The optional fields of a sample in rows of files: what `monkeys import` and `monkeys export` write, and what
`engine: recorded` and the format `plain` read.

They are derived from `Sample`: a field that it gets is read and written without a change here.
"""

import json
import math
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, create_model
from pydantic_core import SchemaValidator, core_schema

from tasks.files.schema import AnyRow, RowModel
from tasks.records import Sample

OPTIONAL = tuple(each.name for each in fields(Sample) if each.default is not MISSING)
"""The names of the fields that a sample need not have."""

MAX_INDEX = 2**31 - 1
"""The highest index that a sample can have: the store has 32 bits for it."""

Index = Annotated[int, Field(ge=0, le=MAX_INDEX)]


def with_optional_fields(model: type[AnyRow]) -> type[AnyRow]:
    """The model of a row, with the optional fields of a sample in addition."""
    return create_model(model.__name__, __base__=model, __module__=model.__module__, **_model_fields(Sample, OPTIONAL))


def optional_values(row: RowModel) -> dict[str, Any]:
    """What a row of such a model says about its sample: the values of the optional fields of `Sample`."""
    values = row.__dict__
    return {name: _records(Sample, name, values[name]) if name in _NESTED else values[name] for name in OPTIONAL}


@cache
def sample_parser() -> Callable[[bytes], Sample]:
    """Makes a sample from a row of `problem_id`, `index`, `text` and optional fields, as JSON. It raises ValueError for
    whatever a model of `with_optional_fields` refuses.

    The sample is made by pydantic's parser itself: with a model in between, it takes three times as long.
    """
    hints, defaults = _hints(Sample), _defaults(Sample)
    arguments = []
    for name, hint in hints.items():
        kind = Index if name == "index" else _read_as(hint)
        if name in _NESTED:
            kind = Annotated[kind, AfterValidator(partial(_records, Sample, name))]
        schema: core_schema.CoreSchema = TypeAdapter(kind).core_schema
        if name in defaults:
            schema = core_schema.with_default_schema(schema, default=defaults[name])
        arguments.append(core_schema.dataclass_field(name, schema))
    of_sample = core_schema.dataclass_schema(
        Sample,
        core_schema.dataclass_args_schema("Sample", arguments, extra_behavior="ignore"),
        list(hints),
        slots=True,
        config=core_schema.CoreConfig(strict=True),
    )
    return SchemaValidator(of_sample).validate_json


def optional_document(sample: object) -> dict[str, Any]:
    """What is known about a sample, as JSON; `sample` has the optional fields of `Sample`."""
    return _not_default(Sample, {name: getattr(sample, name) for name in OPTIONAL})


def _model_fields(record: type, names: tuple[str, ...]) -> dict[str, Any]:
    defaults = _defaults(record)
    return {name: (_read_as(_hints(record)[name]), defaults.get(name, ...)) for name in names}


def _read_as(hint: Any) -> Any:
    """The type that a row has for a field of a record."""
    inner = _item(hint)
    if inner is not None:
        names = tuple(each.name for each in fields(inner))
        model: Any = create_model(f"{inner.__name__}Row", __base__=RowModel, **_model_fields(inner, names))
        return Annotated[list[model], BeforeValidator(_listed)]
    if int in get_args(hint):
        # Tools write whole numbers as 9.0, too.
        return Annotated[hint, Field(strict=False)]
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


def _defaults(record: Any) -> dict[str, Any]:
    return {each.name: each.default for each in fields(record) if each.default is not MISSING}


@cache
def _hints(record: type) -> dict[str, Any]:
    return get_type_hints(record)


_NESTED = tuple(name for name in OPTIONAL if _item(_hints(Sample)[name]) is not None)
