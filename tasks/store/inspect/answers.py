"""The answers, verdicts and scores of a stored set, without its texts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from tasks.errors import UserError
from tasks.files.answers import AnsweredProblem, scores_by_logprob
from tasks.files.schema import Where
from tasks.records import Verdict
from tasks.store import Store
from tasks.store.annotations import ScoreFooter, check_same_samples
from tasks.store.blocks import Block
from tasks.store.inspect.catalog import StoredAnnotations, StoredSamples, StoredVerdicts
from tasks.store.inspect.counts import latest_summary
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.samples import read_sample_columns
from tasks.store.schema import CorruptObjectError

_LOST = "were lost to failures of the infrastructure"
_NOT_GRADED = "are not graded yet"
_NOT_BY_ALL = "lack the verdict of one of the verifiers"


@dataclass(slots=True)
class StoredAnswers:
    """The graded samples of a set, by problem; `notes` are whole sentences on what was left out."""

    problems: list[AnsweredProblem]
    notes: list[str] = field(default_factory=list)


def stored_answers(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts,
    verifiers: Mapping[str, StoredVerdicts] | None = None,
) -> StoredAnswers:
    """Every graded sample with its answer and scores: log-probabilities where all samples have them, and each set of
    scores that is complete. `verifiers` are other verdict sets by name: they become scores, 1 for correct and else 0,
    and samples that lack one of these verdicts are left out.

    Where an adaptive budget stopped problems by their outcomes, or no report says how the samples were drawn, only
    those that all problems have are taken: the others would bias what is estimated from them.

    Raises:
        UserError: the set was sampled in solve mode, or an object is damaged.
    """
    others = verifiers or {}
    reports = (latest_summary(store, samples, each) for each in (verdicts, *others.values()))
    summary = next((each for each in reports if each is not None), None)
    if summary is not None and summary.solving is not None:
        raise UserError(
            f"{samples.name} was last sampled in solve mode: how many samples a problem has depends on their verdicts; "
            "run its sweep with a uniform budget"
        )
    score_sets = _by_name([each for each in samples.scores if not each.from_newer_version])
    annotations: list[tuple[StoredAnnotations[Any], Mapping[str, str]]] = [
        (verdicts, {"verdict": "verdict", "answer": "answer", "passed": "passed"}),
        *((each, {"score": name}) for name, each in score_sets.items()),
        *((each, {"verdict": name}) for name, each in others.items()),
    ]
    for objects in (samples.objects, *(each.objects for each, _ in annotations)):
        for damaged, reason in objects.faults.items():
            raise UserError(f"store: {store.url(damaged)} cannot be read: {reason}; `monkeys check` says more")
    problems: dict[str, AnsweredProblem] = {}
    left_out = dict.fromkeys((_LOST, _NOT_GRADED, _NOT_BY_ALL), 0)
    for block, _ in samples.in_order:
        key = samples.objects.key(block)
        try:
            for row in _rows(store, key, block, annotations):
                if row["verdict"] in {None, Verdict.INFRASTRUCTURE}:
                    left_out[_NOT_GRADED if row["verdict"] is None else _LOST] += 1
                    continue
                if any(row[name] in {None, Verdict.INFRASTRUCTURE} for name in others):
                    left_out[_NOT_BY_ALL] += 1
                    continue
                problem = problems.setdefault(row["problem_id"], AnsweredProblem(row["problem_id"]))
                scores = {name: row[name] for name in score_sets} | scores_by_logprob(row["logprob"], row["tokens"])
                scores |= {name: float(row[name] == Verdict.CORRECT) for name in others}
                correct = row["verdict"] == Verdict.CORRECT
                where = Where(key, "sample", row["index"])
                problem.add(where, row["index"], row["answer"], correct, scores, passed=row["passed"])
        except CorruptObjectError as error:
            raise UserError(
                f"store: {store.url(error.key)} cannot be read: {error.reason}; `monkeys check` says more"
            ) from error
    found = list(problems.values())
    if not found:
        raise UserError(f"{samples.name} has no graded samples yet; run its sweep, or `monkeys regrade`")
    notes = [f"{number:,} samples {why}: they are left out." for why, number in left_out.items() if number]
    if summary is not None and summary.stopping is not None:
        notes.append(
            f"The budget was adaptive: of every problem only the first {_cut(found):,} samples are used, since how "
            "many more it has depends on their verdicts."
        )
    elif summary is None and len({len(problem.samples) for problem in found}) > 1:
        notes.append(
            f"No report says how many samples of each problem were to be drawn: of every problem only the first "
            f"{_cut(found):,} are used."
        )
    notes += [*_without_incomplete_scores(found), *_without_incomplete_passed(found)]
    return StoredAnswers(found, notes)


def _by_name(score_sets: Sequence[StoredAnnotations[ScoreFooter]]) -> dict[str, StoredAnnotations[ScoreFooter]]:
    """Sets of scores by their scorers' names, or by their own where several are by one scorer."""
    scorers = [str(each.ingredients.get("scorer", each.name)) for each in score_sets]
    return {
        each.name if scorers.count(scorer) > 1 else scorer: each
        for scorer, each in zip(scorers, score_sets, strict=True)
    }


def _rows(
    store: Store,
    key: str,
    block: Block,
    annotations: Sequence[tuple[StoredAnnotations[Any], Mapping[str, str]]],
) -> Iterator[dict[str, Any]]:
    """The samples of a block with columns of their annotations, under other names; None where there is none."""
    with store.open(key) as file:
        table = read_sample_columns(file, key, (*SAMPLE_KEY, "tokens", "logprob"))
    columns = {name: table[name] for name in table.column_names}
    for each, names in annotations:
        found = each.table(store, block, (*SAMPLE_KEY, *names))
        if found is not None:
            check_same_samples(table, found, each.objects.key(block))
        for column, name in names.items():
            columns[name] = pa.nulls(table.num_rows) if found is None else found[column]
    yield from pa.table(columns).to_pylist()


def _cut(problems: Sequence[AnsweredProblem]) -> int:
    """Keep the first samples of each problem, as many as all have, and return their number."""
    fewest = min(len(problem.samples) for problem in problems)
    for problem in problems:
        for column in (problem.places, problem.samples, problem.answers, problem.correct, problem.passed):
            del column[fewest:]
        for values in problem.scores.values():
            del values[fewest:]
    return fewest


def _without_incomplete_passed(problems: Sequence[AnsweredProblem]) -> list[str]:
    """Remove whether samples passed the public tests where that is known of some only, with a note."""
    known = [each is not None for problem in problems for each in problem.passed]
    if all(known) or not any(known):
        return []
    for problem in problems:
        problem.passed = [None] * len(problem.passed)
    return [
        f"Whether samples passed the public tests is left out: it is not known of {known.count(False):,} of"
        f" {len(known):,} samples."
    ]


def _without_incomplete_scores(problems: Sequence[AnsweredProblem]) -> list[str]:
    """Remove the scores that some samples lack; a note on each that others have."""
    notes = []
    total = sum(len(problem.samples) for problem in problems)
    for name in {name: None for problem in problems for name in problem.scores}:
        missing = sum(score is None for problem in problems for score in problem.scores[name])
        if missing:
            for problem in problems:
                del problem.scores[name]
            if missing < total:
                notes.append(f"The score {name} is left out: {missing:,} of {total:,} samples lack it.")
    return notes
