"""Checks what an engine returns against what was requested, before anything is stored."""

from collections.abc import Collection, Generator, Sequence
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
        missing = {(each.problem_id, index) for each in requests for index in range(each.start, each.stop)}
        requested = len(missing)
        with closing(self._engine.sample(requests, sampling)) as batches:
            for batch in batches:
                for sample in batch:
                    self._check(sample, missing)
                    missing.remove((sample.problem_id, sample.index))
                yield batch
        if missing:
            raise EngineFailedError(f"{self._label} returned {requested - len(missing):,} of {requested:,} samples")

    def _check(self, sample: object, missing: Collection[tuple[str, int]]) -> None:
        if not isinstance(sample, Sample) or not isinstance(sample.text, str):
            raise EngineFailedError(f"{self._label} returned {type(sample).__name__}, not a Sample with a text")
        if (sample.problem_id, sample.index) not in missing:
            raise EngineFailedError(
                f"{self._label} returned sample {sample.index} of problem {sample.problem_id!r}, which was not"
                " requested or had been returned before"
            )
