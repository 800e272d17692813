"""An engine whose answers are checked against what was asked: a sample of another's making, or twice the same, would be
found only when the block is stored."""

from collections.abc import Collection, Generator, Sequence
from contextlib import closing

from tasks.engines import Engine
from tasks.engines.wrapped import WrappedEngine
from tasks.errors import EngineFailedError
from tasks.records import Request, Sample, Sampling


class CheckedEngine(WrappedEngine):
    """Draws as the engine does, and fails in one line where that breaks its Protocol. `label` names it."""

    def __init__(self, engine: Engine, label: str) -> None:
        super().__init__(engine)
        self._label = label

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """See `Engine`.

        Raises:
            EngineFailedError: a sample that was not asked for, comes twice, or never.
        """
        open_ = {(each.problem_id, index) for each in requests for index in range(each.start, each.stop)}
        asked = len(open_)
        with closing(self._engine.sample(requests, sampling)) as answers:
            for some in answers:
                for sample in some:
                    self._check(sample, open_)
                    open_.remove((sample.problem_id, sample.index))
                yield some
        if open_:
            raise EngineFailedError(f"{self._label} returned {asked - len(open_):,} of {asked:,} samples")

    def _check(self, sample: object, open_: Collection[tuple[str, int]]) -> None:
        if not isinstance(sample, Sample) or not isinstance(sample.text, str):
            raise EngineFailedError(f"{self._label} returned {type(sample).__name__}, not a Sample with a text")
        if (sample.problem_id, sample.index) not in open_:
            raise EngineFailedError(
                f"{self._label} returned sample {sample.index} of problem {sample.problem_id!r}, which was not asked"
                " for, or was returned before"
            )
