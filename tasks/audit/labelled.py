"""Samples whose truth is known: gold answers as samples give them, a dataset's own solutions, and labelled files."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.files.schema import RowModel
from tasks.files.sources import Hub, Source, read
from tasks.records import AnswerCheck, Problem

_EXAMPLE = '{"problem_id": "...", "text": "...", "correct": true}'
GOLD, RIGHT, WRONG, LABELLED = "gold answers", "known right", "known wrong", "labelled"


class Known(NamedTuple):
    """A sample of a problem, whether it is correct, and where that is known from."""

    problem_id: str
    text: str
    correct: bool
    source: str


class _Row(RowModel):
    problem_id: str
    text: str
    correct: bool


def gold(problems: Iterable[Problem]) -> Iterator[Known]:
    """The gold answers as a sample would give them: with MATH's closing sentence, and after `####`."""
    for problem in problems:
        if isinstance(problem.check, AnswerCheck):
            answer = problem.check.answer
            closing = f"Final Answer: The final answer is ${answer}$. I hope it is correct."
            yield Known(problem.id, f"{closing}\n#### {answer}", True, GOLD)


def solutions(dataset: Dataset, problems: Iterable[Problem], each: int) -> Iterator[Known]:
    """What the dataset itself says is right, and what it says is wrong; the first `each` of both for a problem."""
    wanted = {problem.id for problem in problems}
    taken: Counter[tuple[str, bool]] = Counter()
    for solution in dataset.solutions():
        kind = (solution.problem_id, solution.correct)
        if solution.problem_id in wanted and taken[kind] < each:
            taken[kind] += 1
            yield Known(solution.problem_id, solution.text, solution.correct, RIGHT if solution.correct else WRONG)


def labelled(path: str, problems: Iterable[Problem], field: str) -> Iterator[Known]:
    """The samples of a file of `{"problem_id", "text", "correct"}`, those of other problems left out.

    Raises:
        UserError: it cannot be read, or none of its samples is of these problems.
    """
    wanted = {problem.id for problem in problems}
    source = Source(path, Hub("labelled samples"), "test", field, what=f"a file of rows like {_EXAMPLE}")
    none = True
    for _, row in read(source, _Row, _EXAMPLE):
        if row.problem_id in wanted:
            none = False
            yield Known(row.problem_id, row.text, row.correct, LABELLED)
    if none:
        raise UserError(
            f"{field}: {path} has no sample of any of the {len(wanted):,} problems; are the ids the task's?"
        )


def by_source(samples: Iterable[Known]) -> dict[str, Sequence[Known]]:
    """The samples by where their truth is known from, in the order in which they come."""
    found: dict[str, list[Known]] = {}
    for sample in samples:
        found.setdefault(sample.source, []).append(sample)
    return dict(found)
