"""The verifiers of a sweep's samples: the public tests, and other verdict sets, against the sweep's own verdicts."""

from collections.abc import Mapping

from tasks.errors import UserError
from tasks.report.verifiers.signals import PASSED, add_passed, named_apart, nearly_complete, signals
from tasks.scaling.summary import SweepSummary
from tasks.selection.verifier_summary import VerifierSummary, summarise_verifiers
from tasks.store.inspect.answers import read_answers
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, find
from tasks.sweep.sweep import Sweep

PENALTY = 1.0
"""What a wrong submission costs in a report, where a right one is worth 1."""


def verifiers_of(sweep: Sweep, summary: SweepSummary, below: Mapping[str, int]) -> VerifierSummary | str | None:
    """What comes of submitting samples that a verifier accepts. The truth is the verdict set that the sweep names, or
    else its own verdicts.

    Args:
        sweep: what has been drawn and graded.
        summary: its summary.
        below: for each of its problems, the index below which samples count.

    Returns:
        Why it cannot be computed, in one sentence; None where there is no other verdict set that is nearly complete
        and it is not known which samples passed the public tests, or where the budget gives no curves.
    """
    if not summary.gives_coverage or not summary.samples:
        return None
    samples = find(sweep.samples.store, sweep.samples.identity.name)
    own = sweep.grading.verdicts.identity.name
    try:
        truth = samples.graded_by(own if sweep.truth is None else sweep.truth)
    except UserError as error:
        return f"Verifiers are not compared: truth: {error}; `monkeys regrade` adds verdict sets."
    return None if truth is None else _compared(sweep, samples, truth, summary, below)


def _compared(
    sweep: Sweep, samples: StoredSamples, truth: StoredVerdicts, summary: SweepSummary, below: Mapping[str, int]
) -> VerifierSummary | str | None:
    complete, left_out = nearly_complete(samples, truth)
    others = named_apart(truth, complete)
    if not others and not sweep.grading.grader.runs_code:
        return None
    try:
        read = read_answers(sweep.samples.store, samples, truth, [], summary=summary, below=below, verifiers=others)
    except UserError as error:
        return f"What verifiers deliver could not be computed: {error}"
    names = [*([PASSED] if add_passed(read.problems) else []), *others]
    if not names:
        return None
    found = signals(read.problems, names)
    return summarise_verifiers(truth.label, found, penalty=PENALTY, notes=[*left_out, *read.notes])
