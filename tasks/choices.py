"""The type of a field with which users choose an implementation by its name: built in, or of a plug-in."""

from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from tasks.plugins import load


def choices(role: str, built_in: Any, protocol: type, *validators: BeforeValidator) -> Any:
    """The type of a role's field: a union of the built-in classes and of the plug-ins that can be used.

    Args:
        role: a key of `tasks.plugins.GROUPS`.
        built_in: the union of the built-in classes.
        protocol: what each must implement.
        validators: what changes a value before it is read.
    """
    classes = get_args(built_in)
    plugins = load(role, protocol, [get_args(each.model_fields["name"].annotation)[0] for each in classes])
    union = reduce(or_, [*classes, *(each.target for each in plugins if each.fault is None)])
    return Annotated[(union, Field(discriminator="name"), BeforeValidator(_named), _Form(), *validators)]


def _named(value: Any) -> Any:
    """`dataset: programs` is short for `dataset: {name: programs}`."""
    return {"name": value} if isinstance(value, str) else value


class _Form:
    """Makes the schema of a choice `anyOf`, for which the Prefect UI shows fields (for `oneOf`, a text box for JSON),
    and titles each alternative by its name."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema.pop("discriminator", None)
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        for choice in schema["anyOf"]:
            chosen = handler.resolve_ref_schema(choice)
            chosen["title"] = chosen["properties"]["name"]["const"]
        return schema
