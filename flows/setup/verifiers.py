"""From a stored set, or a table of samples, to what its verifiers say of each sample."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.errors import UserError
from tasks.files.answers import LOGPROB_MEAN, LOGPROB_SUM, AnsweredProblem, read_answers, verdict_columns
from tasks.report.verifiers.signals import PASSED, add_passed, named_apart, nearly_complete, signals
from tasks.selection.combined_verifiers import Signals
from tasks.store.inspect.answers import stored_answers
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, find
from tasks.store.inspect.opening import open_store

CORRECT = "correct"


class Verified(NamedTuple):
    """Samples by problem with what each verifier says of them, the name of the truth, and whole sentences on what was
    left out."""

    truth: str
    problems: tuple[Signals, ...]
    notes: tuple[str, ...] = ()


def from_store(url: str, name: str, truth: str, verifiers: Sequence[str]) -> Verified:
    """The verdict sets on the samples of one set, whether samples passed the public tests, and its scores.

    Args:
        url: the store.
        name: the sample set.
        truth: the verdict set that is taken for the truth.
        verifiers: the other verdict sets, and `passed`; empty: all that are nearly complete.

    Raises:
        UserError: a set is not there, there is no other verdict, a set is named twice, or the samples were drawn in
            solve mode.
    """
    with open_store(url) as store:
        found = find(store, name)
        right = _named(found, truth)
        others = [_named(found, each) for each in verifiers if each != PASSED]
        left_out: list[str] = []
        if not verifiers:
            others, left_out = nearly_complete(found, right)
        every = [right.name, *(each.name for each in others)]
        repeated = [each for each in every if every.count(each) > 1]
        if repeated:
            raise UserError(f"--verifier: {repeated[0]} is named twice, or is the truth")
        by_name = named_apart(right, others)
        read = stored_answers(store, found, right, by_name)
    names = [*_passed(read.problems, verifiers, found.name), *by_name]
    if not names:
        if left_out:
            raise UserError(
                f"{found.name}: no verdict set is complete enough to compare: {' '.join(left_out)} `monkeys regrade` "
                "completes it; --verifier uses it as it is"
            )
        raise UserError(f"{found.name} has no other verdicts than {right.name}; `monkeys regrade` adds some")
    return Verified(right.label, signals(read.problems, names), (*left_out, *read.notes))


def from_tables(paths: Sequence[Path], truth: str, verifiers: Sequence[str]) -> Verified:
    """Columns of tables of answers: `correct` is the truth; `passed`, and columns of 0 and 1, are verdicts, and `score`
    and other columns that are named are scores.

    Args:
        paths: the tables.
        truth: `correct`.
        verifiers: columns; empty: `passed`, `score` and every column of 0 and 1.

    Raises:
        UserError: a file cannot be read, a column is missing, or no column is a verifier.
    """
    if truth != CORRECT:
        raise UserError(f"--truth {truth}: in a table the truth is the column `{CORRECT}`; write --truth {CORRECT}")
    binary = verdict_columns(paths)
    named = [each for each in verifiers if each != PASSED]
    verdicts = [each for each in named if each in binary] if verifiers else binary
    read = read_answers(paths, (), [each for each in named if each not in binary], verdicts)
    _passed(read, verifiers, ", ".join(map(str, paths)))
    names = verifiers or [name for name in (read[0].scores) if name not in {LOGPROB_SUM, LOGPROB_MEAN}]
    if not names:
        raise UserError(
            f"{', '.join(map(str, paths))}: there is no verifier; name its column with --verifier, or add `{PASSED}`"
        )
    accepting = [name for name in names if all({0.0, 1.0}.issuperset(each.scores[name]) for each in read)]
    found = [f"Columns of 0 and 1 are taken for verdicts: {', '.join(binary)}."] if binary and not verifiers else []
    return Verified(CORRECT, signals(read, accepting), tuple(found))


def _passed(problems: Sequence[AnsweredProblem], verifiers: Sequence[str], where: str) -> list[str]:
    """The name of the public tests, where they are known and wanted as a verifier; adds them to the scores."""
    if verifiers and PASSED not in verifiers:
        return []
    if add_passed(problems):
        return [PASSED]
    if PASSED in verifiers:
        raise UserError(f"--verifier {PASSED}: {where}: it is not known which samples passed the public tests")
    return []


def _named(samples: StoredSamples, name: str) -> StoredVerdicts:
    found = samples.graded_by(name)
    if found is None:
        raise UserError(f"{samples.name} is not graded yet; run its sweep, or `monkeys regrade`")
    return found
