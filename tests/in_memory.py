"""Samples in memory, for the engine of recorded samples."""

from collections.abc import Iterator, Mapping

from tasks.records import Sample


class InMemory:
    """Samples by problem and index."""

    def __init__(self, samples: Mapping[str, Mapping[int, Sample]]) -> None:
        self._samples = samples

    def samples(self, problem_id: str, start: int, stop: int) -> Iterator[list[Sample]]:
        yield [self._samples[problem_id][index] for index in range(start, stop)]

    def close(self) -> None:
        return None
