"""The answers, verdicts and scores of a stored set, without its texts."""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.errors import UserError
from tasks.files.answers import (
    CONFIDENCES,
    LOGPROB_MEAN,
    LOGPROB_SUM,
    AnsweredProblem,
    rank_last,
    ranked_last_note,
    scores_by_logprob,
)
from tasks.files.schema import Where
from tasks.provers import UNCONFIRMED_NOTE
from tasks.records import Verdict
from tasks.scaling.summary import SweepSummary
from tasks.store import Store
from tasks.store.annotations import ScoreFooter, check_same_samples
from tasks.store.blocks import Block
from tasks.store.inspect.catalog import StoredAnnotations, StoredSamples, StoredVerdicts
from tasks.store.inspect.counted_answers import that_count
from tasks.store.inspect.counts import latest_summary, planned, reports_on_samples
from tasks.store.parquet import SAMPLE_KEY
from tasks.store.samples import read_sample_columns
from tasks.store.schema import CorruptObjectError
from tasks.store.tables import integers, rows_below

_SETTINGS = ("confidence_top", "confidence_window")
_LOST = "were lost to failures of the infrastructure"
_NOT_GRADED = "are not graded yet"
_NOT_BY_ALL = "lack the verdict of one of the verifiers"


@dataclass(slots=True)
class StoredAnswers:
    """The graded samples of a set, by problem; `notes` are whole sentences on what was left out. `score_sets` are the
    names of the scores that scorers gave; the others come from drawing."""

    problems: list[AnsweredProblem]
    notes: list[str] = field(default_factory=list)
    score_sets: tuple[str, ...] = ()


def stored_answers(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts,
    verifiers: Mapping[str, StoredVerdicts] | None = None,
) -> StoredAnswers:
    """Every graded sample with its answer and scores: log-probabilities where all samples have them, and each set of
    scores that is complete. `verifiers` are other verdict sets by name: they become scores, 1 for correct and else 0,
    and samples that lack one of these verdicts are left out.

    Samples whose number depends on what they are, and those that no report planned, are left out
    (`that_count`): they would bias what is estimated from them. A report on these verdicts alone decides where there is
    one, and else all reports on the samples.

    Raises:
        UserError: the set was sampled in solve mode, or an object is damaged.
    """
    own = latest_summary(store, samples, verdicts)
    reports = reports_on_samples(store, samples) if own is None else [own]
    summary = reports[0] if reports else None
    if summary is not None and summary.solving is not None:
        raise UserError(
            f"{samples.name} was last sampled in solve mode: how many samples a problem has depends on their verdicts; "
            "run its sweep with a uniform budget"
        )
    return read_answers(
        store,
        samples,
        verdicts,
        [each for each in samples.scores if not each.from_newer_version],
        summary=summary,
        planned_below=planned(reports),
        verifiers=verifiers,
    )


def read_answers(
    store: Store,
    samples: StoredSamples,
    verdicts: StoredVerdicts,
    scores: Sequence[StoredAnnotations[ScoreFooter]],
    *,
    summary: SweepSummary | None,
    below: Mapping[str, int] | None = None,
    planned_below: Mapping[str, int] | None = None,
    verifiers: Mapping[str, StoredVerdicts] | None = None,
) -> StoredAnswers:
    """As `stored_answers`, with these score sets.

    Args:
        store: where the set is.
        samples: the set.
        verdicts: which of its verdict sets.
        scores: which of its score sets.
        summary: what the report on the samples says of their budget; None without a report.
        below: for each problem to read, the index below which its samples count; None reads all.
        planned_below: for each problem, the index below which its samples were planned under a uniform budget: those
            that were not are left out, with a note. None keeps them.
        verifiers: other verdict sets by name, as for `stored_answers`.

    Raises:
        UserError: an object is damaged, or there is no graded sample.
    """
    score_sets, others = _by_name(scores), verifiers or {}
    annotations: list[tuple[StoredAnnotations[Any], Mapping[str, str]]] = [
        (verdicts, {"verdict": "verdict", "answer": "answer", "passed": "passed"}),
        *((each, {"score": _column(name)}) for name, each in score_sets.items()),
        *((each, {"verdict": _column(name)}) for name, each in others.items()),
    ]
    for objects in (samples.objects, *(each.objects for each, _ in annotations)):
        for damaged, reason in objects.faults.items():
            raise UserError(f"store: {store.url(damaged)} cannot be read: {reason}; `monkeys check` says more")
    problems: dict[str, AnsweredProblem] = {}
    left_out = dict.fromkeys((_LOST, _NOT_GRADED, _NOT_BY_ALL), 0)
    settings: set[tuple[int | None, int | None]] = set()
    empty: set[tuple[str, int]] = set()
    for block, _ in samples.in_order:
        if below is not None and block.start >= max(below.values(), default=0):
            continue
        key = samples.objects.key(block)
        try:
            table = _graded(_rows(store, key, block, annotations, below), others, left_out)
            settings |= _settings_in(table)
            _add(problems, key, table, [*score_sets], others)
            empty |= _without_tokens(table)
        except CorruptObjectError as error:
            raise UserError(
                f"store: {store.url(error.key)} cannot be read: {error.reason}; `monkeys check` says more"
            ) from error
    found, cut = that_count(problems, summary, planned=planned_below)
    if not found and left_out[_NOT_BY_ALL]:
        names = ", ".join([verdicts.name, *(each.name for each in others.values())])
        raise UserError(
            f"{samples.name}: no sample has a verdict in each of {names}; name fewer, or complete them with "
            "`monkeys regrade`"
        )
    if not found:
        raise UserError(f"{samples.name} has no graded samples yet; run its sweep, or `monkeys regrade`")
    notes = [f"{number:,} samples {why}: they are left out." for why, number in left_out.items() if number]
    notes += cut
    notes += [UNCONFIRMED_NOTE] if verdicts.unconfirmed else []
    notes += [
        *_without_mixed_confidences(found, settings),
        *_with_empty_samples_last(found, empty),
        *_without_incomplete_scores(found),
        *_without_incomplete_passed(found),
    ]
    return StoredAnswers(found, notes, tuple(score_sets))


def _by_name(score_sets: Sequence[StoredAnnotations[ScoreFooter]]) -> dict[str, StoredAnnotations[ScoreFooter]]:
    """Sets of scores by their scorers' names, or by their own where several are by one scorer, or where it has the name
    of a score by log-probability."""
    scorers = [str(each.ingredients.get("scorer", each.name)) for each in score_sets]
    return {
        each.name if scorers.count(scorer) > 1 or scorer in {LOGPROB_SUM, LOGPROB_MEAN, *CONFIDENCES} else scorer: each
        for scorer, each in zip(scorers, score_sets, strict=True)
    }


def _column(score: str) -> str:
    """The column of a score or a verifier: no other column has this name, whatever the scorer is called."""
    return f"score: {score}"


def _rows(
    store: Store,
    key: str,
    block: Block,
    annotations: Sequence[tuple[StoredAnnotations[Any], Mapping[str, str]]],
    below: Mapping[str, int] | None,
) -> pa.Table:
    """The samples of a block that count, with columns of their annotations under other names; None where there is
    none."""
    with store.open(key) as file:
        table = read_sample_columns(file, key, (*SAMPLE_KEY, "tokens", "logprob", *CONFIDENCES, *_SETTINGS))
    columns = {name: table[name] for name in table.column_names}
    for each, names in annotations:
        found = each.table(store, block, (*SAMPLE_KEY, *names))
        if found is not None:
            check_same_samples(table, found, each.objects.key(block))
        for column, name in names.items():
            columns[name] = pa.nulls(table.num_rows) if found is None else found[column]
    joined = pa.table(columns)
    return joined if below is None else rows_below(joined, below)


def _graded(table: pa.Table, others: Mapping[str, StoredVerdicts], left_out: dict[str, int]) -> pa.Table:
    """The rows that have a verdict, and one of each of the other verifiers; counts those that have none."""
    verdict = table["verdict"]
    lost = pc.equal(verdict.cast(pa.string()), Verdict.INFRASTRUCTURE.value).fill_null(False)
    left_out[_NOT_GRADED] += verdict.null_count
    left_out[_LOST] += pc.sum(lost).as_py() or 0
    table = table.filter(pc.and_(verdict.is_valid(), pc.invert(lost)))
    for name in others:
        given = table[_column(name)].cast(pa.string())
        table = table.filter(pc.not_equal(given, Verdict.INFRASTRUCTURE.value).fill_null(False))
    left_out[_NOT_BY_ALL] += len(lost) - verdict.null_count - (pc.sum(lost).as_py() or 0) - table.num_rows
    return table


def _settings_in(table: pa.Table) -> set[tuple[int | None, int | None]]:
    """The settings of the confidences of these samples."""
    columns = [table[name] for name in _SETTINGS]
    if all(column.null_count == table.num_rows for column in columns):
        return set()
    return set(zip(*(column.to_pylist() for column in columns), strict=True))


def _without_tokens(table: pa.Table) -> set[tuple[str, int]]:
    """The problem and the index of each sample that has none."""
    none = table.filter(pc.equal(table["tokens"], 0).fill_null(False))
    return set(zip(none["problem_id"].cast(pa.string()).to_pylist(), none["index"].to_pylist(), strict=True))


def _add(
    problems: dict[str, AnsweredProblem],
    key: str,
    table: pa.Table,
    score_sets: Sequence[str],
    others: Collection[str],
) -> None:
    """Add the samples of a block to their problems."""
    if not table.num_rows:
        return
    indices, answers, passed = (table[name].to_pylist() for name in ("index", "answer", "passed"))
    correct = _is_correct(table["verdict"])
    columns = {name: table[name] for name in CONFIDENCES} | {name: table[_column(name)] for name in score_sets}
    scores: dict[str, list[float | None]] = {
        name: column.to_pylist() for name, column in columns.items() if column.null_count < table.num_rows
    }
    if table["logprob"].null_count < table.num_rows:
        logprobs, tokens = table["logprob"].to_pylist(), table["tokens"].to_pylist()
        by_sample = [scores_by_logprob(*each) for each in zip(logprobs, tokens, strict=True)]
        scores |= {name: [each[name] for each in by_sample] for name in (LOGPROB_SUM, LOGPROB_MEAN)}
    for name in others:
        scores[name] = [float(each) for each in _is_correct(table[_column(name)])]
    for problem_id, start, stop in _problems_in(table):
        problem = problems.get(problem_id) or problems.setdefault(problem_id, AnsweredProblem(problem_id))
        problem.extend(
            Where(key, "sample", indices[start]),
            indices[start:stop],
            answers[start:stop],
            correct[start:stop],
            {name: column[start:stop] for name, column in scores.items()},
            passed=passed[start:stop],
        )


def _problems_in(table: pa.Table) -> Iterator[tuple[str, int, int]]:
    """Each problem of a table, whose rows stand together, with its first row and the one after its last."""
    ids = pc.dictionary_encode(table["problem_id"].cast(pa.string()).combine_chunks())
    codes, names = integers(ids.indices), ids.dictionary.to_pylist()
    starts = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), table.num_rows]
    for start, stop in itertools.pairwise(starts):
        yield names[codes[start]], start, stop


def _is_correct(verdicts: pa.ChunkedArray) -> list[bool]:
    found: list[bool] = pc.equal(verdicts.cast(pa.string()), Verdict.CORRECT.value).to_pylist()
    return found


def _without_mixed_confidences(
    problems: Sequence[AnsweredProblem], settings: Iterable[tuple[int | None, int | None]]
) -> list[str]:
    """Remove the confidences where samples were drawn with different settings, whose confidences cannot be compared;
    with a note."""
    mixed = sorted((top, window) for top, window in settings if top is not None and window is not None)
    if len(mixed) < 2:
        return []
    for problem in problems:
        for name in CONFIDENCES:
            problem.scores.pop(name, None)
    used = "; ".join(f"top: {top}, window: {window}" for top, window in mixed)
    return [f"The confidences are left out: they were computed with different settings ({used})."]


def _with_empty_samples_last(problems: Sequence[AnsweredProblem], empty: Collection[tuple[str, int]]) -> list[str]:
    """Give samples without tokens the lowest mean log-probability and confidence of the set, with a note."""
    if not empty:
        return []
    for problem in problems:
        named = ((problem.problem_id, index) for index in problem.samples)
        problem.without_tokens = {at for at, name in enumerate(named) if name in empty}
    ranked = rank_last(problems, (LOGPROB_MEAN, *CONFIDENCES))
    return [ranked_last_note(ranked)] if ranked else []


def _without_incomplete_passed(problems: Sequence[AnsweredProblem]) -> list[str]:
    """Remove whether samples passed the public tests where that is known of some only, with a note."""
    unknown, total = (
        sum(problem.passed.count(None) for problem in problems),
        sum(len(problem.passed) for problem in problems),
    )
    if unknown in {0, total}:
        return []
    for problem in problems:
        problem.passed = [None] * len(problem.passed)
    return [
        f"Whether samples passed the public tests is left out: it is not known of {unknown:,} of {total:,} samples."
    ]


def _without_incomplete_scores(problems: Sequence[AnsweredProblem]) -> list[str]:
    """Remove the scores that some samples lack; a note on each that others have."""
    notes = []
    total = sum(len(problem.samples) for problem in problems)
    for name in {name: None for problem in problems for name in problem.scores}:
        missing = sum(
            problem.scores[name].count(None) if name in problem.scores else len(problem.samples) for problem in problems
        )
        if missing:
            for problem in problems:
                problem.scores.pop(name, None)
            if missing < total:
                notes.append(f"The score {name} is left out: {missing:,} of {total:,} samples lack it.")
    return notes
