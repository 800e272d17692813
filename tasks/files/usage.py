"""What samples used, from a table of counts that has more columns than those of the counts."""

from pathlib import Path

import numpy as np

from tasks.costs.usage import UsageByProblem
from tasks.errors import UserError
from tasks.files.counts import counts_text
from tasks.scaling.arrays import Floats, Ints
from tasks.scaling.counts_csv import line_of, read_counts, table
from tasks.scaling.estimators import Counts

USAGE_COLUMNS = ("prompt_tokens", "cached_prompt_tokens", "tokens", "seconds", "dollars")
"""The sums over the samples of a problem that a table may give, as stored samples name them."""
_MAX_NUMBER = 1e15


def read_counts_and_usage(file: Path) -> tuple[Counts, UsageByProblem]:
    """The counts of a CSV file and what its samples used, for the problems that have samples.

    A prompt is taken for shared by the samples of a problem where `prompt_tokens` is a multiple of `samples` for every
    problem.

    Raises:
        UserError: the file cannot be read, or a value is not a number of at least 0.
    """
    text = counts_text(file)
    counts = read_counts(text, str(file)).graded()
    n = dict(zip(counts.problem_ids, counts.n.tolist(), strict=True))
    reader = table(text)
    names = [name for name in USAGE_COLUMNS if name in (reader.fieldnames or ())]
    values: dict[str, list[float]] = {name: [] for name in names}
    for row in reader:
        if (row["problem"] or "") in n:
            for name in names:
                values[name].append(_number(row[name], f"{file}, line {line_of(row, reader)}: {name}"))
    prompt = _whole(values.get("prompt_tokens"))
    shared = None if prompt is None or (prompt % counts.n).any() else prompt // counts.n
    return counts, UsageByProblem(
        counts.problem_ids,
        counts.n,
        prompt=prompt,
        cached=_whole(values.get("cached_prompt_tokens")),
        completion=_whole(values.get("tokens")),
        shared_prompt=shared,
        seconds=_real(values.get("seconds")),
        dollars=_real(values.get("dollars")),
    )


def _whole(values: list[float] | None) -> Ints | None:
    return None if values is None else np.array(values).round().astype(np.int64)


def _real(values: list[float] | None) -> Floats | None:
    return None if values is None else np.array(values, dtype=np.float64)


def _number(text: str | None, where: str) -> float:
    try:
        number = float((text or "").strip())
    except ValueError:
        number = float("nan")
    if not 0 <= number <= _MAX_NUMBER:
        raise UserError(f"{where} is {(text or '')[:60]!r}; it must be a number of at least 0")
    return number
