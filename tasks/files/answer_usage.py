"""Counts and usage from a table of answers: one row a sample, with what it used."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import AliasChoices, Field

from tasks.costs.usage import UsageByProblem
from tasks.errors import UserError
from tasks.files.rows import first_row, read_rows
from tasks.files.schema import RowModel
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.estimators import Counts

_EXAMPLE = '{"problem": "1", "answer": "42", "correct": true, "tokens": 120, "prompt_tokens": 60}'
_Whole = Annotated[int | None, Field(strict=False, ge=0)]


class _Row(RowModel):
    problem: Annotated[str | int, Field(validation_alias=AliasChoices("problem", "problem_id"))]
    correct: bool
    prompt_tokens: _Whole = None
    cached_prompt_tokens: _Whole = None
    tokens: _Whole = None
    seconds: Annotated[float | None, Field(strict=False, ge=0, allow_inf_nan=False)] = None
    dollars: Annotated[float | None, Field(strict=False, ge=0, allow_inf_nan=False)] = None


class AnswersUsage(NamedTuple):
    """The counts of a table of answers, and what its samples used."""

    counts: Counts
    usage: UsageByProblem


def is_answer_table(path: Path) -> bool:
    """Whether a file has one row a sample, with its answer.

    Raises:
        UserError: it cannot be read.
    """
    return path.is_file() and {"answer", "correct"} <= first_row(path).keys()


def read_answer_usage(path: Path) -> AnswersUsage:
    """The samples of each problem, those that are correct, and the sums of what they used; None for a column that some
    sample lacks.

    Raises:
        UserError: the file cannot be read, a row is malformed, or there is none.
    """
    rows: dict[str, list[_Row]] = {}
    for _, row in read_rows(path, _Row, _EXAMPLE):
        rows.setdefault(str(row.problem), []).append(row)
    if not rows:
        raise UserError(f"{path}: no answers; a row looks like {_EXAMPLE}")
    groups = list(rows.values())
    prompts = [[row.prompt_tokens for row in of_problem] for of_problem in groups]
    prompt = _sums(prompts)
    shared = prompt is not None and all(len(set(of_problem)) == 1 for of_problem in prompts)
    samples: Ints = np.array([len(of_problem) for of_problem in groups], dtype=np.int64)
    return AnswersUsage(
        Counts.of(list(rows), samples, [sum(row.correct for row in of_problem) for of_problem in groups]),
        UsageByProblem(
            tuple(rows),
            samples,
            prompt=_whole(prompt),
            cached=_whole(_sums([[row.cached_prompt_tokens for row in each] for each in groups])),
            completion=_whole(_sums([[row.tokens for row in each] for each in groups])),
            shared_prompt=_whole(None if prompt is None or not shared else prompt / samples),
            seconds=_sums([[row.seconds for row in each] for each in groups]),
            dollars=_sums([[row.dollars for row in each] for each in groups]),
        ),
    )


def _sums(values: Sequence[Sequence[float | None]]) -> Floats | None:
    known = [[each for each in of_problem if each is not None] for of_problem in values]
    if any(len(some) < len(every) for some, every in zip(known, values, strict=True)):
        return None
    return np.array([sum(each) for each in known], dtype=np.float64)


def _whole(values: Floats | None) -> Ints | None:
    return None if values is None else values.round().astype(np.int64)
