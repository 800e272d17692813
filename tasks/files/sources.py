"""Where the rows of a dataset are: a file, a folder of files, or the Hugging Face hub.

Of a folder, as the hub ships them, the files of the split and of the dataset's configurations are read, in the order of
their names. A path may be a URL that fsspec knows, such as s3://bucket/gsm8k/test.parquet, so that workers on other
machines can read it.
"""

import logging
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from tasks.errors import UserError
from tasks.files.rows import KINDS, read_rows_in
from tasks.files.schema import AnyRow, Where, parse_row

_SPLITS = {"train", "test", "validation", "valid", "dev", "prompt"}


@dataclass(frozen=True, slots=True)
class Hub:
    """A dataset of the Hugging Face hub: its name, and its configurations, read one after another."""

    name: str
    configs: tuple[str | None, ...] = (None,)


class Source(NamedTuple):
    """Where the rows of one split are: a path, or else the hub. `field` is the config field that names the path; `what`
    describes what the path should name, if not the split of the hub's dataset."""

    path: str | None
    hub: Hub
    split: str
    field: str = "dataset.path"
    what: str = ""

    @property
    def name(self) -> str:
        """The source in a message."""
        return self.hub.name if self.path is None else self.path


def read(
    source: Source, model: type[AnyRow], example: str, *, may_be_empty: bool = False
) -> Iterator[tuple[Where, AnyRow]]:
    """The rows of a source in order, each with its place.

    Args:
        source: where they are.
        model: the fields that a row must have.
        example: a good row, for messages.
        may_be_empty: whether a source without rows is valid.

    Raises:
        UserError: nothing can be read there, or a row is malformed; one line that says what to do.
    """
    rows = _from_hub(source, model, example) if source.path is None else _from_path(source, source.path, model, example)
    empty = True
    for row in rows:
        empty = False
        yield row
    if empty and not may_be_empty:
        raise UserError(f"{source.field}: {source.name} has no rows; a row looks like {example}")


def row_error(where: Where, field: str, message: str) -> UserError:
    """The error for a row that is well-formed, yet cannot be used."""
    return UserError(f"{where}: {field}: {message}")


def _from_path(source: Source, path: str, model: type[AnyRow], example: str) -> Iterator[tuple[Where, AnyRow]]:
    import fsspec  # not needed to say what a config is

    from tasks.files.remote import options_for, storage_faults

    try:
        system, root = fsspec.url_to_fs(path, **options_for(path))
        files = _of_split(sorted(system.find(root)), root, source) if system.isdir(root) else [root]
        if not files:
            raise UserError(f"{source.field}: {path} has no {source.split} files ({', '.join(KINDS)})")
        for file in files:
            name = path if file == root else file
            with system.open(file, "rb") as stream:
                yield from read_rows_in(stream, name, f"{source.field}: {name}", model, example)
    except storage_faults(EOFError, zlib.error, ValueError, ImportError) as error:
        if isinstance(error, UserError):
            raise
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:200]
        raise UserError(f"{source.field}: {path}: cannot be read ({reason}); give {_wanted(source)}") from error


def _of_split(files: Sequence[str], root: str, source: Source) -> list[str]:
    """The files of a folder that contain the split. If the folder has the dataset's configurations, only their files
    count. For a source without splits, all files whose names contain none."""
    within = {file: PurePosixPath(file.removeprefix(root).lstrip("/")) for file in files}
    named = {file: _split(path) for file, path in within.items() if path.name.lower().endswith(KINDS)}
    found = [file for file, split in named.items() if split == source.split]
    if source.what and not found:
        found = [file for file, split in named.items() if split is None]
    order = {config: number for number, config in enumerate(source.hub.configs)}
    if not {path.parts[0] for path in within.values()} & order.keys():
        return found
    of_configs = [file for file in found if within[file].parts[0] in order]
    return sorted(of_configs, key=lambda file: order[within[file].parts[0]])


def _split(path: PurePosixPath) -> str | None:
    """The split in the file's name, or else in that of the nearest folder."""
    for part in reversed(path.parts):
        for word in re.split(r"[^a-z]+", part.lower()):
            if word in _SPLITS:
                return word
    return None


def _wanted(source: Source) -> str:
    return source.what or f"the {source.split} split of {source.hub.name} as a {_listed(KINDS)} file"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " or " + names[-1]


def _from_hub(source: Source, model: type[AnyRow], example: str) -> Iterator[tuple[Where, AnyRow]]:
    hub = source.hub
    try:
        import datasets  # an extra
    except ImportError as error:
        raise UserError(
            f"{source.field}: no file is named, and the hub needs the extra `hub` (`make extra-hub`); install it,"
            f" or set {source.field} to {_wanted(source)}"
        ) from error
    # Its warnings about every retry would hide the error, which says it once.
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
            where = Where(f"{source.field}: {hub.name}", "row", number)
            yield where, parse_row(where, row, model, example)
