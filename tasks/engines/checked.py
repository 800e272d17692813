"""Checks what an engine returns against what was requested, before anything is stored."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing

from tasks.engines import Engine
from tasks.engines.wrapped import WrappedEngine
from tasks.errors import EngineFailedError
from tasks.records import Request, Sample, Sampling


class CheckedEngine(WrappedEngine):
    """Draws with the inner engine, and fails in one line if that returns what its Protocol does not allow. `label`
    names the engine in messages."""

    def __init__(self, engine: Engine, label: str) -> None:
        super().__init__(engine)
        self._label = label

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """See `Engine`.

        Raises:
            EngineFailedError: a sample was not requested, was returned twice, or is missing at the end.
        """
        missing: dict[str, set[int]] = {}
        for each in requests:
            missing.setdefault(each.problem_id, set()).update(range(each.start, each.stop))
        requested = sum(map(len, missing.values()))
        with closing(self._engine.sample(requests, sampling)) as batches:
            for batch in batches:
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
