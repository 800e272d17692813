"""Tables of answers, one row a sample or one row a problem, and the scores of their samples, from anybody's files.

Rows of samples have `problem`, `answer` and `correct`, and may have `sample` (its index), `tokens`, `logprob`, `passed`
(whether it passed the public tests) and scores. Rows of problems are those of Qwen2.5-Math's evaluation: lists `pred`
(answers), `score` (whether each is correct) and `pred_score` (the reward model's scores).

Scores may be in separate files, with `problem`, `sample` and the scores by name. They are paired with the answers
by problem and index, never by position.
"""

import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, Field, create_model

from tasks.errors import UserError
from tasks.files.rows import first_row, read_rows, rows
from tasks.files.schema import RowModel, Where

EXAMPLE = '{"problem": "1", "sample": 0, "answer": "42", "correct": true, "score": 0.7}'
_WIDE = '{"idx": 0, "pred": ["42", "41"], "score": [true, false], "pred_score": [[1.5], [0.25]]}'
_SCORES = '{"problem": "1", "sample": 0, "score": 0.7}'

SCORE = "score"
"""The score that is read by default."""
LOGPROB_SUM, LOGPROB_MEAN = "logprob_sum", "logprob_mean"
"""Scores from the log-probabilities of samples: their sum over the tokens, and the mean."""

_VERDICTS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}
_PLACES = {"problem", "problem_id", "idx", "sample", "index", "epoch", "seed"}
_OUTCOMES = {"answer", "correct", "passed", "pred", "score", "pred_score"}
_USAGE = {"logprob", "tokens", "prompt_tokens", "cached_prompt_tokens", "seconds", "dollars"}

_Id = Annotated[str | int, Field(validation_alias=AliasChoices("problem", "problem_id"))]
_Index = Annotated[int | None, Field(validation_alias=AliasChoices("sample", "index"), strict=False)]


class _Row(RowModel):
    problem: _Id
    sample: _Index = None
    answer: str | int | float | None
    correct: bool
    passed: bool | None = None
    tokens: Annotated[int | None, Field(strict=False)] = None
    logprob: float | None = None


class _WideRow(RowModel):
    idx: Annotated[str | int, Field(validation_alias=AliasChoices("idx", "problem", "problem_id"))]
    pred: list[str | None]
    score: list[bool]
    pred_score: list[float | list[float]] | None = None


class _ScoreRow(RowModel):
    problem: _Id
    sample: Annotated[int, Field(validation_alias=AliasChoices("sample", "index"), strict=False)]


@dataclass(slots=True)
class AnsweredProblem:
    """The samples of one problem. The lists have one entry a sample, in the order of the files; None where a sample has
    no value. `scores` are by name."""

    problem_id: str
    places: list[Where | str] = field(default_factory=list)
    samples: list[int | None] = field(default_factory=list)
    answers: list[str | None] = field(default_factory=list)
    correct: list[bool] = field(default_factory=list)
    passed: list[bool | None] = field(default_factory=list)
    scores: dict[str, list[float | None]] = field(default_factory=dict)
    without_tokens: set[int] = field(default_factory=set)
    """Positions of samples that have no tokens, and so no mean over them."""

    def add(
        self,
        where: Where | str,
        sample: int | None,
        answer: str | float | None,
        correct: bool,
        scores: Mapping[str, float | None],
        *,
        passed: bool | None = None,
    ) -> None:
        """Append a sample; a blank answer counts as no answer."""
        before = len(self.samples)
        self.places.append(where)
        self.samples.append(sample)
        # Samples with the same answer share one text: there may be millions.
        self.answers.append(None if answer is None else sys.intern(str(answer).strip()) or None)
        self.correct.append(correct)
        self.passed.append(passed)
        for name in scores:
            if name not in self.scores:
                self.scores[name] = [None] * before
        for name, column in self.scores.items():
            column.append(scores.get(name))

    def extend(
        self,
        where: Where | str,
        samples: Sequence[int | None],
        answers: Iterable[str | None],
        correct: Sequence[bool],
        scores: Mapping[str, Sequence[float | None]],
        *,
        passed: Sequence[bool | None],
    ) -> None:
        """As `add`, for samples that are in one place; scores that none of them has need not be given."""
        before, size = len(self.samples), len(samples)
        self.places += [where] * size
        self.samples += samples
        self.answers += [None if answer is None else sys.intern(answer.strip()) or None for answer in answers]
        self.correct += correct
        self.passed += passed
        for name in scores:
            if name not in self.scores:
                self.scores[name] = [None] * before
        for name, column in self.scores.items():
            column.extend(scores[name] if name in scores else [None] * size)


CONFIDENCES = ("confidence_mean", "confidence_lowest_group", "confidence_bottom_groups", "confidence_tail")
"""Scores that samples may have from when they were drawn (DeepConf: Fu et al. 2025)."""


def scores_by_logprob(logprob: float | None, tokens: int | None) -> dict[str, float | None]:
    """The scores of a sample by its log-probability."""
    mean = logprob / tokens if logprob is not None and tokens else None
    return {LOGPROB_SUM: logprob, LOGPROB_MEAN: mean}


def rank_last(problems: Iterable[AnsweredProblem], names: Sequence[str]) -> int:
    """Give samples without tokens, which have no mean over tokens, the lowest one of all: they are not picked before
    others, and still count as samples. Returns how many got one of the scores `names`."""
    every = list(problems)
    if not any(problem.without_tokens for problem in every):
        return 0
    lowest = {
        name: min(known)
        for name in names
        if (known := [each for problem in every for each in problem.scores.get(name, ()) if each is not None])
    }
    ranked = 0
    for problem in every:
        for at in problem.without_tokens:
            columns = {name: problem.scores[name] for name in lowest if name in problem.scores}
            lacking = [name for name, column in columns.items() if column[at] is None]
            for name in lacking:
                columns[name][at] = lowest[name]
            ranked += bool(lacking)
    return ranked


def ranked_last_note(ranked: int) -> str:
    """What to say of samples that `rank_last` ranked."""
    return (
        f"Samples without tokens ({ranked:,}) have neither a mean log-probability nor a confidence: by these they are"
        " picked last."
    )


def verdict_columns(paths: Sequence[Path]) -> list[str]:
    """The columns of tables of samples, other than those that this format defines, whose every value is 0 or 1, or
    true or false, and that have both; in order of appearance.

    Raises:
        UserError: a file cannot be read.
    """
    known = _PLACES | _OUTCOMES | _USAGE
    seen: dict[str, set[float]] = {}
    refused: set[str] = set()
    total: Counter[str] = Counter()
    samples = 0
    for path in paths:
        for _, row in rows(path):
            samples += 1
            for name, value in (row if isinstance(row, dict) else {}).items():
                if name in known or name in refused:
                    continue
                number = _as_verdict(value)
                if number is None:
                    refused.add(name)
                    continue
                seen.setdefault(name, set()).add(number)
                total[name] += 1
    return [
        name for name, values in seen.items() if name not in refused and len(values) == 2 and total[name] == samples
    ]


def _as_verdict(value: object) -> float | None:
    """0 or 1; None where a value is not a verdict."""
    if isinstance(value, str):
        return _VERDICTS.get(value.lower())
    return float(value) if isinstance(value, bool | int | float) and value in {0, 1} else None


def read_answers(
    paths: Sequence[Path],
    score_files: Sequence[Path] = (),
    score_names: Sequence[str] = (),
    verdict_names: Sequence[str] = (),
) -> list[AnsweredProblem]:
    """The answers in some files, by problem in order of appearance.

    Args:
        paths: files of answers.
        score_files: files of their scores.
        score_names: the columns that are scores; by default `score`, if a file has it. `logprob_sum` and
            `logprob_mean` come from `logprob` and `tokens`, where every sample has these. A sample without tokens has
            no mean, and gets the lowest one (`rank_last`).
        verdict_names: columns of `verdict_columns`, which become scores of 0 and 1.

    Raises:
        UserError: a file cannot be read, a row is malformed, a sample occurs twice or has two scores of one name, or a
            score is NaN or infinite, is missing for some samples, or is of an unknown sample.
    """
    problems: dict[str, AnsweredProblem] = {}
    for path in paths:
        if isinstance(first_row(path).get("pred"), list):
            _wide(path, problems, score_names)
        else:
            _long(path, problems, score_names, verdict_names)
    if not problems:
        raise UserError(f"{', '.join(map(str, paths))}: no answers; a row looks like {EXAMPLE}")
    return completed(problems, score_files, (*score_names, *verdict_names))


def completed(
    problems: dict[str, AnsweredProblem], score_files: Sequence[Path] = (), score_names: Sequence[str] = ()
) -> list[AnsweredProblem]:
    """Answers by problem, with the scores in some files.

    Raises:
        UserError: as `read_answers` does.
    """
    _refuse_repeated(problems.values())
    for path in score_files:
        _add_scores(path, problems, score_names or (SCORE,))
    _check_passed(problems.values())
    rank_last(problems.values(), (LOGPROB_MEAN,))
    _check_scores(problems.values(), score_names)
    return list(problems.values())


def _long(
    path: Path, problems: dict[str, AnsweredProblem], score_names: Sequence[str], verdict_names: Sequence[str]
) -> None:
    names = [name for name in score_names or (SCORE,) if name not in {LOGPROB_SUM, LOGPROB_MEAN}]
    model = _with_scores(_Row, names, verdict_names)
    for where, row in read_rows(path, model, EXAMPLE):
        name = str(row.problem)
        problem = problems.get(name) or problems.setdefault(name, AnsweredProblem(name))
        logprob = None if row.logprob is None else _finite(row.logprob, where, "logprob")
        scores = _scores(row, names, where) | scores_by_logprob(logprob, row.tokens)
        scores |= {name: _as_verdict(getattr(row, f"verdict_{at}")) for at, name in enumerate(verdict_names)}
        if row.tokens == 0:
            problem.without_tokens.add(len(problem.samples))
        problem.add(where, row.sample, row.answer, row.correct, scores, passed=row.passed)


def _wide(path: Path, problems: dict[str, AnsweredProblem], score_names: Sequence[str]) -> None:
    name = "pred_score"
    if score_names and name not in score_names:
        name = ""
    for where, row in read_rows(path, _WideRow, _WIDE):
        for column, values in (("score", row.score), ("pred_score", row.pred_score)):
            if values is not None and len(values) != len(row.pred):
                raise UserError(f"{where}: {column}: has {len(values)} values for {len(row.pred)} answers in pred")
        problem = problems.setdefault(str(row.idx), AnsweredProblem(str(row.idx)))
        if problem.samples:
            raise UserError(f"{where}: problem {problem.problem_id!r} occurs twice; {problem.places[0]} has it, too")
        for index, (answer, correct) in enumerate(zip(row.pred, row.score, strict=True)):
            scores: dict[str, float | None] = {}
            if name and row.pred_score is not None:
                scores[name] = _only(row.pred_score[index], where, index)
            problem.add(where, index, answer, correct, scores)


def _only(score: float | list[float], where: Where, index: int) -> float:
    """The score of a sample; rewards of several steps have to be combined before."""
    if isinstance(score, list):
        if len(score) != 1:
            raise UserError(
                f"{where}: pred_score: sample {index} has {len(score)} scores; give one: the last, the least or the "
                "product of its steps"
            )
        score = score[0]
    return _finite(score, where, "pred_score")


def _refuse_repeated(problems: Iterable[AnsweredProblem]) -> None:
    for problem in problems:
        seen: dict[int, Where | str] = {}
        for sample, where in zip(problem.samples, problem.places, strict=True):
            if sample is not None and sample in seen:
                raise UserError(
                    f"{where}: sample {sample} of problem {problem.problem_id!r} occurs twice; "
                    f"{seen[sample]} has it, too"
                )
            if sample is not None:
                seen[sample] = where


def _check_passed(problems: Iterable[AnsweredProblem]) -> None:
    """It is known of every sample whether it passed, or of none."""
    known = [each is not None for problem in problems for each in problem.passed]
    if any(known) and not all(known):
        lacking = next(problem for problem in problems if None in problem.passed)
        where = lacking.places[lacking.passed.index(None)]
        raise UserError(
            f"{where}: passed: is missing for {known.count(False):,} of {len(known):,} samples; give it for every "
            "sample or for none"
        )


def _add_scores(path: Path, problems: dict[str, AnsweredProblem], names: Sequence[str]) -> None:
    positions = {
        (problem.problem_id, sample): position
        for problem in problems.values()
        for position, sample in enumerate(problem.samples)
        if sample is not None
    }
    if not positions:
        raise UserError(
            f"{path}: scores are paired with answers by problem and sample, but the answers have no column `sample`; "
            f"a row looks like {EXAMPLE}"
        )
    model, found, first = _with_scores(_ScoreRow, names), set[str](), dict[tuple[str, int], Where]()
    for where, row in read_rows(path, model, _SCORES):
        key = (str(row.problem), row.sample)
        if key not in positions:
            raise UserError(
                f"{where}: there is no answer of problem {key[0]!r}, sample {key[1]}, that this could score"
            )
        if key in first:
            raise UserError(
                f"{where}: a second score for sample {key[1]} of problem {key[0]!r}; {first[key]} has the first"
            )
        first[key] = where
        problem = problems[key[0]]
        for name, score in _scores(row, names, where).items():
            if score is None:
                continue
            found.add(name)
            column = problem.scores.setdefault(name, [None] * len(problem.samples))
            if column[positions[key]] is not None:
                raise UserError(
                    f"{where}: {name}: a second score for sample {key[1]} of problem {key[0]!r}; "
                    f"{problem.places[positions[key]]} has the first"
                )
            column[positions[key]] = score
    if not found:
        raise UserError(f"{path}: has none of the scores {', '.join(names)}; name its columns with --score")


def _check_scores(problems: Iterable[AnsweredProblem], score_names: Sequence[str]) -> None:
    """Every sample has every score, or none has it; scores that nobody has are dropped."""
    every = list(problems)
    total = sum(len(problem.samples) for problem in every)
    names = {name: None for problem in every for name in problem.scores} | dict.fromkeys(score_names)
    for name in names:
        lacking = [
            (problem, position)
            for problem in every
            for position, score in enumerate(problem.scores.get(name, [None] * len(problem.samples)))
            if score is None
        ]
        if len(lacking) == total and name not in score_names:
            for problem in every:
                problem.scores.pop(name, None)
        elif lacking:
            problem, position = lacking[0]
            index = problem.samples[position]
            sample = f"sample {position if index is None else index} of problem {problem.problem_id!r}"
            if name in {LOGPROB_SUM, LOGPROB_MEAN} and name not in score_names:
                for each in every:
                    each.scores.pop(name, None)
                continue
            raise UserError(
                f"{problem.places[position]}: {sample} has no {name}; {len(lacking):,} of {total:,} samples lack it, "
                "and a way of picking by score needs every one"
            )


def _with_scores(model: type[Any], names: Sequence[str], verdicts: Sequence[str] = ()) -> type[Any]:
    """A model of rows that have scores and verdicts of these names, too. Other columns may have the names of its
    fields."""
    columns: Any = {
        f"score_{number}": (float | None, Field(default=None, validation_alias=name))
        for number, name in enumerate(names)
    } | {f"verdict_{number}": (Any, Field(default=None, validation_alias=name)) for number, name in enumerate(verdicts)}
    created: type[Any] = create_model("_ScoredRow", __base__=model, **columns)
    return created


def _scores(row: Any, names: Sequence[str], where: Where) -> dict[str, float | None]:
    found = {name: getattr(row, f"score_{number}") for number, name in enumerate(names)}
    return {name: None if score is None else _finite(score, where, name) for name, score in found.items()}


def _finite(score: float, where: Where, name: str) -> float:
    if not math.isfinite(score):
        raise UserError(f"{where}: {name}: is {score}; a score must be a finite number")
    return score
