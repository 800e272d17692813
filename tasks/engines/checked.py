"""Checks what an engine returns against what was requested, before anything is stored."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

import numpy as np

from tasks.engines import Engine
from tasks.engines.wrapped import WrappedEngine
from tasks.errors import EngineFailedError
from tasks.records import Request, Sample, Sampling
from tasks.store.sample_columns import SampleColumns


class CheckedEngine(WrappedEngine):
    """Draws with the inner engine, and fails in one line if that returns what its Protocol does not allow. `label`
    names the engine in messages."""

    def __init__(self, engine: Engine, label: str) -> None:
        super().__init__(engine)
        self._label = label

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:
        """See `Engine`.

        Raises:
            EngineFailedError: a sample was not requested, was returned twice, has no text, or is missing at the end.
        """
        missing: dict[str, set[int]] = {}
        for each in requests:
            missing.setdefault(each.problem_id, set()).update(range(each.start, each.stop))
        requested = sum(map(len, missing.values()))
        with closing(self._engine.sample(requests, sampling)) as batches:
            for batch in batches:
                if not (isinstance(batch, SampleColumns) and _strike_off(batch, missing)):
                    for sample in batch:
                        self._check(sample, missing)
                yield batch
        absent = sum(map(len, missing.values()))
        if absent:
            raise EngineFailedError(f"{self._label} returned {requested - absent:,} of {requested:,} samples")

    def _check(self, sample: object, missing: Mapping[str, set[int]]) -> None:
        """Strike a sample off what is missing."""
        if not isinstance(sample, Sample) or not isinstance(sample.text, str):
            raise EngineFailedError(f"{self._label} returned {type(sample).__name__}, not a Sample with a text")
        try:
            missing[sample.problem_id].remove(sample.index)
        except KeyError as error:
            raise EngineFailedError(
                f"{self._label} returned sample {sample.index} of problem {sample.problem_id!r}, which was not"
                " requested or had been returned before"
            ) from error


def _strike_off(batch: SampleColumns, missing: Mapping[str, set[int]]) -> bool:
    """Strike all samples off what is missing; False, and none is, where they are not all missing, each once, or where
    one has no problem, index or text."""
    # Read as numbers, a null would be 0: the first problem, or index 0.
    if any(batch.table[column].null_count for column in ("problem_id", "index", "text")):
        return False
    number_of = {problem_id: number for number, problem_id in enumerate(missing)}
    numbers, indices = batch.positions(number_of), batch.indices
    found = {number: indices[numbers == number].tolist() for number in np.unique(numbers).tolist()}
    of_problem = [(missing[problem_id], found[number]) for problem_id, number in number_of.items() if number in found]
    if -1 in found or any(len(set(given)) < len(given) or not wanted.issuperset(given) for wanted, given in of_problem):
        return False
    for wanted, given in of_problem:
        wanted.difference_update(given)
    return True
