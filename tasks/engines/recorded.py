"""Samples that already exist, from a JSONL or Parquet file, so that anybody's samples can be verified and fitted.

A row is `problem_id`, `index`, `text`, and optionally `prompt_tokens`, `tokens`, `logprob`, `finish_reason`. Indices of
a problem run from 0 without a gap: sample i of a recorded file is as fixed as sample i of a model.

With `format`, the files of another tool are read as they are (`tasks.importers`). What is known of how the samples were
drawn, from those files or from the provenance that `monkeys import` wrote next to its samples, is part of what the set
depends on.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Generator, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StrictInt

from sandboxes.config import Config
from tasks.errors import UserError
from tasks.files.schema import RowModel, parse_row
from tasks.importers.provenance import of_samples, read_provenance
from tasks.plugins import origin
from tasks.records import Request, Sample, Sampling

# Other tools write models and temperatures into names, which may contain dots.
_SUFFIX = re.compile(r"(\.(raw|jsonl|json|parquet|eval|gz))+$")
_GOOD_ROW = '{"problem_id": "...", "index": 0, "text": "..."}'


class RecordedConfig(Config):
    """Samples from a file instead of a model."""

    name: Literal["recorded"] = "recorded"
    path: str = Field(description="JSONL (also .gz) or Parquet file of rows: problem_id, index, text")
    format: str | None = Field(
        default=None, description="Another tool's files at the path: auto, or a format of `monkeys import`; empty: rows"
    )
    ids: str | None = Field(
        default=None,
        description="With a format: template for problem ids, such as gsm8k/{row:04d}; {id} is the tool's id, {row} the"
        " zero-based row; empty: the tool's ids",
    )

    @property
    def label(self) -> str:
        """What result sets are called after."""
        name = Path(self.path).name
        return name.split(".")[0] if self.format is None else _SUFFIX.sub("", name)

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:  # noqa: ARG002
        """The file's content, and what is known of how it was once drawn: other content is another set."""
        if self.format is None:
            if self.ids is not None:
                raise UserError("engine.ids: goes with engine.format; rows of problem_id have their own")
            content = hashlib.sha256(self._bytes()).hexdigest()
            known = read_provenance(Path(self.path), content)
            return {"engine": self.name, "samples": content, **({"provenance": known} if known else {})}
        from tasks.importers.formats import importer  # for those who import
        from tasks.importers.normalise import digest

        paths = [Path(self.path)]
        chosen = importer(self.format, paths)
        plugin = origin(chosen)
        known = {
            "format": chosen.name,
            **({"plugin": plugin} if plugin else {}),
            **of_samples(chosen.provenance(paths, None)),
        }
        return {
            "engine": self.name,
            "samples": digest(paths),
            "provenance": known | ({} if self.ids is None else {"ids": self.ids}),
        }

    def check(self, problem_ids: Sequence[str], k: int) -> None:
        """Make sure that the file holds samples 0 to k - 1 of every problem.

        Raises:
            UserError: absent, not readable, a duplicate or missing index, or fewer than k samples.
        """
        for problem_id in problem_ids:
            held = self._samples.get(problem_id, {})
            n = len(held)
            absent = next((index for index in range(n) if index not in held), None)
            if absent is not None:
                raise UserError(
                    f"engine.path: {self.path} lacks index {absent} of problem {problem_id!r} (it holds {n} samples"
                    f" up to index {max(held)}); indices run from 0 without a gap"
                )
            if n < k:
                raise UserError(
                    f"engine.path: {self.path} holds {n} samples of problem {problem_id!r}, and k is {k}; "
                    + (f"lower k to {n}" if n else "take the problem out or add its samples")
                )

    def open(self) -> "RecordedEngine":
        """The file as an engine."""
        return RecordedEngine(self._samples, f"recorded {self.label}")

    @cached_property
    def _samples(self) -> dict[str, dict[int, Sample]]:
        return self._own() if self.format is None else self._imported(self.format)

    def _imported(self, format_: str) -> dict[str, dict[int, Sample]]:
        from tasks.importers.formats import importer  # for those who import
        from tasks.importers.normalise import samples

        paths = [Path(self.path)]
        return samples(importer(format_, paths), paths, self.ids)

    def _own(self) -> dict[str, dict[int, Sample]]:
        samples: dict[str, dict[int, Sample]] = {}
        for where, row in self._rows():
            sample = _sample(self.path, where, row)
            of_problem = samples.setdefault(sample.problem_id, {})
            if sample.index in of_problem:
                raise UserError(
                    f"engine.path: {self.path}, {where}: index {sample.index} of problem {sample.problem_id!r}"
                    " occurs twice; each index may occur once"
                )
            of_problem[sample.index] = sample
        return samples

    def _rows(self) -> Iterator[tuple[str, Any]]:
        if self.path.endswith(".parquet"):
            yield from _parquet_rows(self.path, self._bytes())
            return
        data = self._bytes()
        if self.path.endswith(".gz"):
            try:
                data = gzip.decompress(data)
            except (OSError, EOFError) as error:
                raise UserError(f"engine.path: {self.path} is not a whole gzip file ({error})") from error
        for number, line in enumerate(data.split(b"\n"), start=1):
            if line.strip():
                try:
                    yield f"line {number}", json.loads(line)
                except ValueError as error:
                    raise UserError(
                        f"engine.path: {self.path}, line {number}: broken JSON ({error}); a line looks like {_GOOD_ROW}"
                    ) from error

    def _bytes(self) -> bytes:
        try:
            return Path(self.path).read_bytes()
        except OSError as error:
            raise UserError(
                f"engine.path: {self.path} cannot be read ({error.strerror}); give a JSONL or Parquet file of samples"
            ) from error


class RecordedEngine:
    """Answers requests from memory."""

    deterministic = True
    max_concurrent_calls = 1

    def __init__(self, samples: dict[str, dict[int, Sample]], version: str) -> None:
        self.version = version
        self._samples = samples

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:  # noqa: ARG002
        """Every requested sample, a problem at a time. Sampling parameters say nothing about what is recorded."""
        for request in requests:
            of_problem = self._samples[request.problem_id]
            yield [of_problem[index] for index in range(request.start, request.stop)]

    def cancel(self) -> None:
        """Nothing to end: an answer from memory takes no time."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None


class _Row(RowModel):
    # Tools write counts as 9.0, too.
    model_config = ConfigDict(strict=False)

    problem_id: str
    index: Annotated[StrictInt, Field(ge=0)]
    text: str
    prompt_tokens: int | None = None
    tokens: int | None = None
    logprob: float | None = None
    finish_reason: str | None = None
    cached_prompt_tokens: int | None = None


def _sample(path: str, where: str, row: Any) -> Sample:
    try:
        valid = parse_row(f"engine.path: {path}, {where}", row, _Row, "row", _GOOD_ROW)
        valid.text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"engine.path: {path}, {where}: text is not valid Unicode ({error.reason})") from error
    return Sample(**valid.model_dump())


def _parquet_rows(path: str, data: bytes) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa  # 0.2 s that only Parquet readers should pay
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowInvalid, OSError) as error:
        raise UserError(f"engine.path: {path} is not a Parquet file ({' '.join(str(error).split())})") from error
    for number, row in enumerate(table.to_pylist()):
        yield f"row {number}", row
