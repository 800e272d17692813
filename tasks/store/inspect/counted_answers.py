"""Which answers count where how many samples a problem has depends on what they are."""

from collections.abc import Mapping, Sequence
from operator import eq
from typing import Any

from tasks.files.answers import AnsweredProblem
from tasks.scaling.summary import SweepSummary


def that_count(
    answered: Mapping[str, AnsweredProblem], summary: SweepSummary | None, *, planned: Mapping[str, int] | None
) -> tuple[list[AnsweredProblem], list[str]]:
    """The problems with those of their samples that can be taken without bias, in order of index, and what was left
    out, in whole sentences.

    An adaptive budget stops a problem by its outcomes, and one that stops at settled votes by its answers: only samples
    of the first round are taken, which every problem was sure to get. How many all problems happen to have depends on
    the outcomes, too. Without a report nobody knows how the samples were drawn, and those that all problems have are
    taken.

    Args:
        answered: by problem; samples are removed from them.
        summary: of the report on the samples; None without one.
        planned: under a uniform budget, the index of each problem below which reports planned its samples: others are
            left out, since another budget may have drawn them, depending on what was drawn before. None keeps all.
    """
    for problem in answered.values():
        # Blocks of later samples may have been read first.
        _keep(problem, sorted(range(len(problem.samples)), key=lambda at: problem.samples[at] or 0))
    if summary is None:
        unequal = len({len(problem.samples) for problem in answered.values()}) > 1
        why = (
            "No report says how many samples of each problem were to be drawn: of every problem only the first {} are"
            " used."
        )
        return _cut(answered, why if unequal else None)
    stops_by = _stops_by(summary)
    if stops_by is not None:
        _keep_below(answered, dict.fromkeys(answered, summary.planned))
        return _cut(answered, stops_by)
    if planned is None:
        return _with_samples(answered), []
    others = _keep_below(answered, planned)
    note = f"{others:,} samples are not counted by the set's latest report: they are left out; run its sweep again."
    return _with_samples(answered), [note] if others else []


def _stops_by(summary: SweepSummary) -> str | None:
    """What to say where the budget stopped problems by what their samples are."""
    if summary.voting is not None:
        return (
            "The budget stopped at settled votes: of every problem only the first {} samples are used, since how many"
            " more it has depends on their answers."
        )
    if summary.stopping is not None:
        return (
            "The budget was adaptive: of every problem only the first {} samples are used, since how many more it has"
            " depends on their verdicts."
        )
    return None


def _keep_below(answered: Mapping[str, AnsweredProblem], below: Mapping[str, int]) -> int:
    """Keep the samples with an index below their problem's, and return the number of the others."""
    others = 0
    for problem_id, problem in answered.items():
        kept = [
            at for at, index in enumerate(problem.samples) if index is not None and index < below.get(problem_id, 0)
        ]
        others += len(problem.samples) - len(kept)
        _keep(problem, kept)
    return others


def _cut(answered: Mapping[str, AnsweredProblem], why: str | None) -> tuple[list[AnsweredProblem], list[str]]:
    """Keep the first samples of each problem, as many as all have; why, with their number."""
    found = _with_samples(answered)
    fewest = min((len(problem.samples) for problem in found), default=0)
    for problem in found:
        _keep(problem, range(fewest))
    return found, [why.format(f"{fewest:,}")] if why and found else []


def _with_samples(answered: Mapping[str, AnsweredProblem]) -> list[AnsweredProblem]:
    return [problem for problem in answered.values() if problem.samples]


def _keep(problem: AnsweredProblem, positions: Sequence[int]) -> None:
    """Keep the samples at these positions, in this order."""
    if len(positions) == len(problem.samples) and all(map(eq, positions, range(len(positions)))):
        return
    columns: list[list[Any]] = [problem.places, problem.samples, problem.answers, problem.correct, problem.passed]
    for column in (*columns, *problem.scores.values()):
        column[:] = [column[position] for position in positions]
