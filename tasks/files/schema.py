"""The form that a row must have, and one line on what is wrong with one that does not have it."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import UserError


class RowModel(BaseModel):
    """The fields that are read of a row; any others are ignored."""

    # Built when first needed: every command imports the configs next to it.
    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)

    unicode: ClassVar[bool] = True
    """Whether its texts must be valid Unicode, which is what can be stored as UTF-8: no lone surrogates."""


AnyRow = TypeVar("AnyRow", bound=RowModel)


class Where(NamedTuple):
    """The place of a row, such as line 3 of a file. It is formatted only when it is shown: there are millions."""

    file: str
    unit: str
    number: int

    def __str__(self) -> str:
        return f"{self.file}, {self.unit} {self.number}"


def parse_row(
    where: object, data: Any, model: type[AnyRow], example: str, *, thing: str = "row", as_text: bool = False
) -> AnyRow:
    """A value as a row.

    Args:
        where: its place; `str(where)` begins the message.
        data: the value.
        model: the fields that it must have.
        example: a good row, for the message.
        thing: what a person calls it, if not a row.
        as_text: whether all of its values are texts, as in CSV; an empty one is then no value where one may be absent.

    Raises:
        UserError: a field is missing, has another type, or is not valid Unicode.
    """
    try:
        if as_text:
            required = _required(model)
            row = model.model_validate_strings({name: data[name] for name in data if data[name] or name in required})
        else:
            row = model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or f"the {thing}"
        # The names of our classes mean nothing to a person.
        message = re.sub(r" or instance of \w+$", "", first["msg"][0].lower() + first["msg"][1:])
        raise UserError(f"{where}: {field}: {message}; a {thing} looks like {example}") from error
    for field, value in row if model.unicode else ():
        # A cell of CSV was decoded from UTF-8, which cannot hold lone surrogates; JSON in one can have them escaped.
        if not (as_text and isinstance(value, str)) and not all(map(_is_unicode, _texts(value))):
            raise UserError(f"{where}: {field}: is not valid Unicode (a lone surrogate)")
    return row


@cache
def _required(model: type[RowModel]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if field.is_required())


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
