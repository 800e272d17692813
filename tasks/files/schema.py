"""Rows, lines and entries that others wrote: the form that they must have, and one line on what is wrong with one."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, BinaryIO, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tasks.errors import UserError


class RowModel(BaseModel):
    """What is read of something; what else it has is left alone."""

    # Built when first needed: every command imports the configs next to it.
    model_config = ConfigDict(extra="ignore", strict=True, defer_build=True)


AnyRow = TypeVar("AnyRow", bound=RowModel)


def parse_row(where: str, data: Any, model: type[AnyRow], thing: str, example: str) -> AnyRow:
    """Something in the form that it must have.

    Args:
        where: the words that say where it is.
        data: what was found there.
        model: what it must have.
        thing: what it is called: a row, a line, an entry.
        example: how one looks.

    Raises:
        UserError: it has another form; names the field.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or f"the {thing}"
        # The names of our classes say nothing to a person.
        message = re.sub(r" or instance of \w+$", "", first["msg"][0].lower() + first["msg"][1:])
        article = "an" if thing[0] in "aeiou" else "a"
        raise UserError(f"{where}: {field}: {message}; {article} {thing} looks like {example}") from error


def parquet_rows(where: str, stream: BinaryIO, at_once: int = 64) -> Iterator[tuple[int, Any]]:
    """The rows of a Parquet file, numbered from 1, `at_once` of them in memory.

    Raises:
        UserError: it is torn, or another kind of file.
    """
    import pyarrow as pa  # 0.2 s that only readers of Parquet should pay
    import pyarrow.parquet as pq

    try:
        batches = pq.ParquetFile(stream).iter_batches(batch_size=at_once)
        yield from enumerate(chain.from_iterable(batch.to_pylist() for batch in batches), start=1)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{where} is not a whole Parquet file ({reason})") from error
