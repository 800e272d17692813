"""Existing samples from a file of rows, so that samples from any source can be graded and fitted.

A row has `problem_id`, `index`, `text`, and optionally any other field of `Sample`, such as `tokens` or `turns`. The
indices of a problem run from 0 without gaps.

With `format`, the files of another tool are read as they are (`tasks.importers`). What is known about how the samples
were drawn, from those files or from the provenance that `monkeys import` wrote next to its samples, is one of the set's
ingredients.
"""

import hashlib
import re
from collections.abc import Generator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from sandboxes.config import Config
from tasks.errors import UserError
from tasks.files.rows import read_rows
from tasks.files.schema import RowModel
from tasks.importers import Importer
from tasks.importers.normalise import Recorded, digest, recorded
from tasks.importers.pairing import asked, check_pairing
from tasks.importers.provenance import of_samples, read_provenance, read_questions
from tasks.importers.sample_rows import optional_values, with_optional_fields
from tasks.plugins import origin
from tasks.records import Problem, Request, Sample, Sampling

# Other tools write models and temperatures into names, which may contain dots.
_SUFFIX = re.compile(r"(\.(raw|jsonl|json|parquet|eval|gz))+$")
_EXAMPLE = '{"problem_id": "...", "index": 0, "text": "..."}'


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
            content = self._digest()
            known = read_provenance(Path(self.path), content)
            return {"engine": self.name, "samples": content, **({"provenance": known} if known else {})}
        paths, chosen = [Path(self.path)], self._importer
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

    def check(self, problems: Sequence[Problem], k: int) -> None:
        """Make sure that the file holds samples 0 to k - 1 of every problem, and that they were drawn for its question,
        where the file or its provenance says for which.

        Raises:
            UserError: the file is absent or unreadable, repeats or lacks an index, has fewer than k samples, or its
                samples are of another question.
        """
        for problem_id in (problem.id for problem in problems):
            held = self._recorded.samples.get(problem_id, {})
            n = len(held)
            absent = next((index for index in range(n) if index not in held), None)
            if absent is not None:
                raise UserError(
                    f"engine.path: {self.path} lacks index {absent} of problem {problem_id!r} (it has {n} samples"
                    f" up to index {max(held)}); indices must run from 0 without gaps"
                )
            if n < k:
                raise UserError(
                    f"engine.path: {self.path} has {n} samples of problem {problem_id!r}, and k is {k}; "
                    + (f"lower k to {n}" if n else "leave the problem out or add its samples")
                )
        check_pairing(self._recorded.questions, problems, f"engine.path: {self.path}")

    def open(self) -> "RecordedEngine":
        """The file as an engine."""
        return RecordedEngine(self._recorded.samples, f"recorded {self.label}")

    @cached_property
    def _recorded(self) -> Recorded:
        return self._own() if self.format is None else recorded(self._importer, [Path(self.path)], self.ids)

    @cached_property
    def _importer(self) -> Importer:
        from tasks.importers.formats import importer  # for those who import

        return importer(self.format or "", [Path(self.path)])

    def _own(self) -> Recorded:
        samples: dict[str, dict[int, Sample]] = {}
        questions = read_questions(Path(self.path))
        for where, row in read_rows(Path(self.path), _Row, _EXAMPLE, option="engine.path"):
            of_problem = samples.setdefault(row.problem_id, {})
            if row.index in of_problem:
                raise UserError(
                    f"{where}: index {row.index} of problem {row.problem_id!r} occurs twice; indices must be unique"
                )
            of_problem[row.index] = Sample(row.problem_id, row.index, row.text, **optional_values(row))
            if row.problem_id not in questions and (row.question is not None or row.prompt is not None):
                questions[row.problem_id] = asked(row.question, row.prompt) or ""
        return Recorded(samples, questions)

    def _digest(self) -> str:
        try:
            with Path(self.path).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UserError(
                f"engine.path: {self.path}: cannot be read ({error.strerror}); give a file of rows like {_EXAMPLE}"
            ) from error


class RecordedEngine:
    """Returns samples from memory."""

    deterministic = True
    max_concurrent_calls = 1

    def __init__(self, samples: dict[str, dict[int, Sample]], version: str) -> None:
        self.version = version
        self._samples = samples

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:  # noqa: ARG002
        """Yield every requested sample, one request at a time. Sampling parameters do not apply to recorded samples."""
        for request in requests:
            of_problem = self._samples[request.problem_id]
            yield [of_problem[index] for index in range(request.start, request.stop)]

    def cancel(self) -> None:
        """Nothing to cancel: samples come from memory."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None


@with_optional_fields
class _Row(RowModel):
    problem_id: str
    index: Annotated[int, Field(ge=0)]
    text: str
    question: str | None = None
    prompt: str | None = None
