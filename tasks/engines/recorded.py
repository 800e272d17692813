"""Existing samples from a file of rows, so that samples from any source can be graded and fitted.

A row has `problem_id`, `index`, `text`, and optionally any other field of `Sample`, such as `tokens` or `turns`. The
indices of a problem run from 0 without gaps.

With `format`, the files of another tool are read as they are (`tasks.importers`). What is known about how the samples
were drawn, from those files or from the provenance that `monkeys import` wrote next to its samples, is one of the set's
ingredients.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from pydantic import Field

from sandboxes.config import Config
from tasks.errors import SamplingCancelledError, UserError
from tasks.importers import Importer
from tasks.importers.pairing import check_pairing
from tasks.importers.provenance import of_samples, read_provenance, read_questions
from tasks.plugins import origin
from tasks.records import Problem, Request, Sample, Sampling

if TYPE_CHECKING:
    from tasks.engines.recordings.recording import Recording

# Other tools write models and temperatures into names, which may contain dots.
_SUFFIX = re.compile(r"(\.(raw|jsonl|json|parquet|eval|gz))+$")


class RecordedConfig(Config):
    """Samples from a file instead of a model."""

    name: Literal["recorded"] = "recorded"
    path: str = Field(description="JSONL, Parquet or CSV file of rows: problem_id, index, text (also .gz)")
    format: str | None = Field(
        default=None, description="Another tool's files at the path: auto, or a format of `monkeys import`; empty: rows"
    )
    ids: str | None = Field(
        default=None,
        description="Only with format: template for problem ids, such as gsm8k/{row:04d}; {id} is the tool's id, {row}"
        " the zero-based row; empty: the tool's ids",
    )

    @property
    def label(self) -> str:
        """What result sets are named after: the file."""
        name = Path(self.path).name
        return name.split(".")[0] if self.format is None else _SUFFIX.sub("", name)

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:  # noqa: ARG002
        """A hash of the file, and what is known about how its samples were drawn.

        Raises:
            UserError: the file cannot be read, or `ids` is given without `format`.
        """
        if self.format is None:
            if self.ids is not None:
                raise UserError("engine.ids: needs engine.format; rows with a problem_id already have their ids")
            content = self._recording.contents.digest
            known = read_provenance(Path(self.path), content)
            return {"engine": self.name, "samples": content, **({"provenance": known} if known else {})}
        chosen = self._importer
        plugin = origin(chosen)
        known = {
            "format": chosen.name,
            **({"plugin": plugin} if plugin else {}),
            **of_samples(chosen.provenance([Path(self.path)], None)),
        }
        return {
            "engine": self.name,
            "samples": self._recording.contents.digest,
            "provenance": known | ({} if self.ids is None else {"ids": self.ids}),
        }

    def check(self, problems: Sequence[Problem], k: int) -> None:
        """Make sure that the file holds samples 0 to k - 1 of every problem, and that they were drawn for its question,
        where the file or its provenance says for which.

        Raises:
            UserError: the file is absent or unreadable, repeats or lacks an index, has fewer than k samples, or its
                samples are of another question.
        """
        contents = self._recording.contents
        for problem_id in (problem.id for problem in problems):
            held = contents.held.get(problem_id)
            n = held.samples if held else 0
            if held is not None and held.absent is not None:
                raise UserError(
                    f"engine.path: {self.path} lacks index {held.absent} of problem {problem_id!r} (it has {n} samples"
                    f" up to index {held.highest}); indices must run from 0 without gaps"
                )
            if n < k:
                raise UserError(
                    f"engine.path: {self.path} has {n} samples of problem {problem_id!r}, and k is {k}; "
                    + (f"lower k to {n}" if n else "leave the problem out or add its samples")
                )
        of_provenance = read_questions(Path(self.path)) if self.format is None else {}
        check_pairing({**contents.questions, **of_provenance}, problems, f"engine.path: {self.path}")

    def open(self) -> "RecordedEngine":
        """The file as an engine."""
        return RecordedEngine(self._recording.open(), f"recorded {self.label}")

    @cached_property
    def _recording(self) -> "Recording":
        from tasks.engines.recordings.recording import Recording  # numpy, for those who need it

        return Recording(Path(self.path), None if self.format is None else self._importer, self.ids)

    @cached_property
    def _importer(self) -> Importer:
        from tasks.importers.formats import importer  # for those who import

        return importer(self.format or "", [Path(self.path)])


class SampleSource(Protocol):
    """Existing samples."""

    def samples(self, problem_id: str, start: int, stop: int) -> Iterator[Sequence[Sample]]:
        """Samples [start, stop) of a problem, in order, about a megabyte at a time. Raises UserError if they cannot be
        read."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


class RecordedEngine:
    """Returns samples that exist already."""

    deterministic = True
    max_concurrent_calls = 1

    def __init__(self, source: SampleSource, version: str) -> None:
        self.version = version
        self._source = source
        self._cancelled = False

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:  # noqa: ARG002
        """Yield every requested sample, in order. Sampling parameters do not apply to recorded samples.

        Raises:
            UserError: the file has changed or cannot be read.
            SamplingCancelledError: `cancel` was called, or the engine was closed.
        """
        for request in requests:
            self._continue()
            for batch in self._source.samples(request.problem_id, request.start, request.stop):
                yield batch
                self._continue()

    def _continue(self) -> None:
        if self._cancelled:
            raise SamplingCancelledError("reading recorded samples was cancelled")

    def cancel(self) -> None:
        """End all calls with the next megabyte, which takes milliseconds."""
        self._cancelled = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.cancel()
        self._source.close()
