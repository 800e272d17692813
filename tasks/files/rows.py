"""Rows of a dataset, from a file in the forms that datasets ship in, or from the Hugging Face hub.

A file may be JSON lines (.jsonl, also .gz), a JSON list (.json), Parquet or CSV; of a folder of such files, as the hub
ships them, those of the split and of the dataset's configurations are read, in the order of their names. Paths may be
URLs that fsspec knows, such as s3://bucket/gsm8k/test.parquet: workers on other machines find these too. Every row is
checked, and what is wrong with one is said with file, line and field.
"""

import codecs
import gzip
import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from pydantic import BaseModel

from tasks.errors import UserError
from tasks.files.schema import AnyRow, parquet_rows, parse_row

_KINDS = (".jsonl", ".jsonl.gz", ".json", ".json.gz", ".parquet", ".csv", ".csv.gz")
_SPLITS = {"train", "test", "validation", "valid", "dev", "prompt"}
_SURROGATE = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Hub:
    """A dataset of the Hugging Face hub: its name, and its configurations, read one after another."""

    name: str
    configs: tuple[str | None, ...] = (None,)


class Source(NamedTuple):
    """Where the rows of one split are: a path, or else the hub. `field` is the config field that names the path; `what`
    is what it wants, where that is not the split of the hub's dataset."""

    path: str | None
    hub: Hub
    split: str
    field: str = "dataset.path"
    what: str = ""

    @property
    def name(self) -> str:
        """The source in a message."""
        return self.hub.name if self.path is None else self.path


def read(source: Source, model: type[AnyRow], example: str, *, may_be_empty: bool = False) -> Iterator[AnyRow]:
    """The rows of a source in order.

    Args:
        source: where they are.
        model: what a row must have.
        example: how a row looks, for messages.
        may_be_empty: whether no row at all is right, too.

    Raises:
        UserError: nothing can be read there, or a row is malformed; one line that says what to do.
    """
    none = not may_be_empty
    for where, data in _from_hub(source) if source.path is None else _from_path(source, source.path):
        none = False
        yield _checked(f"{source.field}: {where}", data, model, example)
    if none:
        raise UserError(f"{source.field}: {source.name} holds no rows; a row looks like {example}")


def row_error(source: Source, number: int, field: str, message: str) -> UserError:
    """What to raise where the row at this position (from 0) is well-formed, yet cannot be used."""
    return UserError(f"{source.field}: {source.name}, row {number + 1}: {field}: {message}")


def _checked(where: str, data: Any, model: type[AnyRow], example: str) -> AnyRow:
    row = parse_row(where, data, model, "row", example)
    for field, value in row:
        if any(_SURROGATE.search(text) for text in _texts(value)):
            raise UserError(f"{where}: {field}: is not valid Unicode (a lone surrogate)")
    return row


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, BaseModel):
        for _, inner in value:
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _from_path(source: Source, path: str) -> Iterator[tuple[str, Any]]:
    import fsspec  # not needed to say what a config is

    from tasks.files.remote import options_for, storage_faults

    try:
        system, root = fsspec.url_to_fs(path, **options_for(path))
        files = _of_split(sorted(system.find(root)), root, source) if system.isdir(root) else [root]
        if not files:
            raise UserError(f"{source.field}: {path} holds no {source.split} files ({', '.join(_KINDS)})")
        for file in files:
            with system.open(file, "rb") as stream:
                yield from _rows(source, path if file == root else file, stream)
    except storage_faults(EOFError, ValueError, ImportError) as error:
        if isinstance(error, UserError):
            raise
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise UserError(f"{source.field}: {path} cannot be read ({reason}); give {_wanted(source)}") from error


def _of_split(files: Sequence[str], root: str, source: Source) -> list[str]:
    """Those of a folder's files that hold the split; where the folder has the dataset's configurations, of these
    alone. Of what has no splits, all files that name none."""
    within = {file: PurePosixPath(file.removeprefix(root).lstrip("/")) for file in files}
    named = {file: _split(path) for file, path in within.items() if path.name.lower().endswith(_KINDS)}
    found = [file for file, split in named.items() if split == source.split]
    if source.what and not found:
        found = [file for file, split in named.items() if split is None]
    order = {config: number for number, config in enumerate(source.hub.configs)}
    if not {path.parts[0] for path in within.values()} & order.keys():
        return found
    of_configs = [file for file in found if within[file].parts[0] in order]
    return sorted(of_configs, key=lambda file: order[within[file].parts[0]])


def _split(path: PurePosixPath) -> str | None:
    """The split that the file's name, or else the nearest folder, names."""
    for part in reversed(path.parts):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in _SPLITS:
                return word
    return None


def _wanted(source: Source) -> str:
    return source.what or f"the {source.split} split of {source.hub.name} as a {_listed(_KINDS)} file"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]


def _rows(source: Source, path: str, stream: Any) -> Iterator[tuple[str, Any]]:
    """The rows of one file with the words that say where they are."""
    path_lower = path.lower()
    if path_lower.endswith(".parquet"):
        rows = parquet_rows(f"{source.field}: {path}", stream)
        yield from ((f"{path}, row {number}", row) for number, row in rows)
        return
    if path_lower.endswith(".gz"):
        stream = gzip.GzipFile(fileobj=stream)
    plain = path_lower.removesuffix(".gz")
    if plain.endswith(".csv"):
        yield from _csv_rows(source, path, stream)
    elif plain.endswith(".json"):
        yield from _json_rows(source, path, stream.read())
    else:
        yield from _lines(source, path, stream)


def _json_rows(source: Source, path: str, data: bytes) -> Iterator[tuple[str, Any]]:
    """The rows of a JSON list, or of what has only its name: JSON lines."""
    if data.lstrip().startswith(b"{") and len(lines := data.splitlines()) > 1 and _is_whole(lines[0]):
        yield from _lines(source, path, lines)
        return
    listed = _json(source, path, data)
    if not isinstance(listed, list):
        raise UserError(f"{source.field}: {path}: holds no list of rows")
    yield from ((f"{path}, row {number}", row) for number, row in enumerate(listed, start=1))


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(source: Source, path: str, lines: Iterable[bytes]) -> Iterator[tuple[str, Any]]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, _json(source, where, line)


def _json(source: Source, where: str, data: bytes) -> Any:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError(f"{source.field}: {where}: is UTF-16; save it as UTF-8")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{source.field}: {where}: broken JSON ({error})") from error


def _csv_rows(source: Source, path: str, stream: Any) -> Iterator[tuple[str, Any]]:
    import csv
    import io

    # Questions may be longer than the module's own bound of 128 KiB.
    csv.field_size_limit(1 << 30)
    # Excel marks what it writes.
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    rows = csv.DictReader(text, strict=True)
    try:
        for row in rows:
            # Surplus values have no name, and missing ones no value.
            yield f"{path}, line {rows.line_num}", {name: row[name] for name in row if name and row[name] is not None}
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{source.field}: {path}, line {rows.line_num + 1}: broken CSV ({error})") from error
    finally:
        text.detach()


def _from_hub(source: Source) -> Iterator[tuple[str, Any]]:
    hub = source.hub
    try:
        import datasets  # an extra
    except ImportError as error:
        raise UserError(
            f"{source.field}: no file is named, and the hub needs the extra `hub` (`uv sync --extra hub`); install it,"
            f" or set {source.field} to {_wanted(source)}"
        ) from error
    # Its warnings of every new try would be all that one sees; the error says it once.
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    number = 0
    for config in hub.configs:
        try:
            rows: Iterable[Any] = datasets.load_dataset(hub.name, config, split=source.split)
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(
                f"{source.field}: the Hugging Face hub did not give {hub.name} ({reason}); set {source.field} to"
                f" {_wanted(source)}"
            ) from error
        for row in rows:
            number += 1
            yield f"{hub.name}, row {number}", row
