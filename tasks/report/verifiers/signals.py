"""From stored verdicts, or a table of samples, to what each verifier says of each sample."""

from collections.abc import Sequence

import numpy as np

from tasks.files.answers import AnsweredProblem
from tasks.selection.combined_verifiers import Signals
from tasks.store.inspect.catalog import StoredVerdicts

PASSED = "passed"
"""The name of the public tests as a verifier."""


def named_apart(truth: StoredVerdicts, others: Sequence[StoredVerdicts]) -> dict[str, StoredVerdicts]:
    """Verdict sets by grader and version, or by their own names where these are not unique."""
    labels = [truth.label, *(each.label for each in others)]
    return {each.name if labels.count(each.label) > 1 else each.label: each for each in others}


def add_passed(problems: Sequence[AnsweredProblem]) -> bool:
    """Make the public tests a score of 0 or 1 among the others, and say whether it is known which samples passed."""
    if any(None in problem.passed for problem in problems):
        return False
    for problem in problems:
        problem.scores[PASSED] = [float(bool(each)) for each in problem.passed]
    return True


def signals(problems: Sequence[AnsweredProblem], verdicts: Sequence[str]) -> tuple[Signals, ...]:
    """The samples of each problem; the scores with the names in `verdicts` are verdicts, 1 for accepted."""
    return tuple(
        Signals(
            each.problem_id,
            np.array(each.correct, dtype=np.bool_),
            {name: np.array(each.scores[name], dtype=np.float64) == 1 for name in verdicts},
            {name: np.array(values, dtype=np.float64) for name, values in each.scores.items() if name not in verdicts},
        )
        for each in problems
    )
