"""Samples that are known to be correct or wrong: gold answers as a sample would give them, the dataset's own solutions,
and files of labelled samples."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from tasks.datasets import Dataset
from tasks.errors import UserError
from tasks.files.schema import RowModel
from tasks.files.sources import Hub, Source, read
from tasks.records import AnswerCheck, LabelledSample, Problem, Sample

_EXAMPLE = '{"problem_id": "...", "text": "...", "correct": true}'
GOLD, CORRECT, WRONG, LABELLED = "gold answers", "known correct", "known wrong", "labelled"
"""Where labels come from."""


class _Row(RowModel):
    problem_id: str
    text: str
    correct: bool


def gold_answers(problems: Iterable[Problem]) -> Iterator[LabelledSample]:
    """The gold answers as a sample would give them: in MATH's closing sentence, and after `####`."""
    for problem in problems:
        if isinstance(problem.check, AnswerCheck):
            answer = problem.check.answer
            closing = f"Final Answer: The final answer is ${answer}$. I hope it is correct."
            yield LabelledSample(problem.id, f"{closing}\n#### {answer}", source=GOLD)


def solutions(dataset: Dataset, problems: Iterable[Problem], limit: int) -> Iterator[LabelledSample]:
    """The dataset's own solutions: for each problem, at most `limit` correct and `limit` wrong ones."""
    wanted = {problem.id for problem in problems}
    taken: Counter[tuple[str, bool]] = Counter()
    for solution in dataset.solutions():
        kind = (solution.problem_id, solution.correct)
        if solution.problem_id in wanted and taken[kind] < limit:
            taken[kind] += 1
            source = CORRECT if solution.correct else WRONG
            yield LabelledSample(solution.problem_id, solution.text, solution.correct, source)


def labelled(path: str, problems: Iterable[Problem], field: str) -> Iterator[LabelledSample]:
    """The samples of a file of `{"problem_id", "text", "correct"}`; those of other problems are skipped.

    Raises:
        UserError: it cannot be read, or has no sample of any of these problems.
    """
    wanted = {problem.id for problem in problems}
    source = Source(path, Hub("labelled samples"), "test", field, what=f"a file of rows like {_EXAMPLE}")
    found = False
    for _, row in read(source, _Row, _EXAMPLE):
        if row.problem_id in wanted:
            found = True
            yield LabelledSample(row.problem_id, row.text, row.correct, LABELLED)
    if not found:
        raise UserError(
            f"{field}: {path} has no sample of any of the {len(wanted):,} problems; use the dataset's problem ids"
        )


def to_grade(problems: Iterable[Problem], samples: Iterable[LabelledSample]) -> list[tuple[Problem, Sample]]:
    """Each sample with its problem; its index is its position, by which the graded samples are told apart."""
    of = {problem.id: problem for problem in problems}
    return [(of[each.problem_id], Sample(each.problem_id, index, each.text)) for index, each in enumerate(samples)]


def by_source(samples: Iterable[LabelledSample]) -> dict[str, Sequence[LabelledSample]]:
    """The samples by where their labels come from; both keep their order."""
    found: dict[str, list[LabelledSample]] = {}
    for sample in samples:
        found.setdefault(sample.source, []).append(sample)
    return dict(found)
