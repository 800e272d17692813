"""From stored verdicts, or a table of samples, to what each verifier says of each sample."""

from collections.abc import Sequence

import numpy as np

from tasks.files.answers import AnsweredProblem
from tasks.scaling.summary import percent
from tasks.selection.combined_verifiers import Signals
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, share_without

PASSED = "passed"
"""The name of the public tests as a verifier."""

MAX_WITHOUT = 0.1
"""The share of samples without its verdict up to which a verdict set is a verifier unless it is named: samples that
lack one of the verdicts are left out for all verifiers."""


def nearly_complete(samples: StoredSamples, truth: StoredVerdicts) -> tuple[list[StoredVerdicts], list[str]]:
    """The other verdict sets on the samples, without those that lack many verdicts, and these in whole sentences."""
    kept, left_out = [], []
    for each in samples.verdicts:
        if each.name == truth.name or each.from_newer_version:
            continue
        share = share_without(samples, each)
        if share <= MAX_WITHOUT:
            kept.append(each)
        else:
            lacking = f"{percent(share)} of the samples lack its verdict"
            left_out.append(f"The verdict set {each.name} ({each.label}) is left out: {lacking}.")
    return kept, left_out


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
