"""Samples of a dataset's problems, graded by any grader, such as proofs by a prover."""

import hashlib
from collections.abc import Iterator, Mapping
from itertools import islice

from sandboxes import Sandbox
from tasks.batch_grading.inputs import SampleText
from tasks.graders import Grader
from tasks.records import GradedSample, Problem, Sample, Verdict

# Samples that a grader gets at once. The verdicts of a chunk that is not finished are lost when the process is killed.
_AT_ONCE = 500
# Verdicts that are remembered, so that later samples with the same text are not graded again.
_REMEMBERED = 200_000

_Key = tuple[str, bytes]
"""A problem's id, and a hash of a sample's text."""


class ByGrader:
    """Grades samples with a grader; those of a problem with equal texts once (`tasks.batch_grading.verdict_file`).

    Args:
        problems: the problems by id.
        grader: the grader.
        sandbox: where it runs programs; None if it runs none.
    """

    def __init__(self, problems: Mapping[str, Problem], grader: Grader, sandbox: Sandbox | None) -> None:
        self._problems, self._grader, self._sandbox = problems, grader, sandbox
        self._known: dict[_Key, tuple[Verdict, str]] = {}
        self.deduplicated = 0

    def __call__(self, samples: Iterator[tuple[int, SampleText]]) -> Iterator[GradedSample]:
        """The graded samples, each under its number."""
        while chunk := list(islice(samples, _AT_ONCE)):
            yield from self._chunk(chunk)

    def _chunk(self, chunk: list[tuple[int, SampleText]]) -> Iterator[GradedSample]:
        equal: dict[_Key, list[tuple[int, SampleText]]] = {}
        for number, sample in chunk:
            key = (sample.problem_id, hashlib.sha256(sample.text.encode(errors="surrogatepass")).digest())
            equal.setdefault(key, []).append((number, sample))
        for key in equal.keys() & self._known.keys():
            verdict, detail = self._known[key]
            yield from self._copies(equal.pop(key), verdict, detail)
        keys = {same[0][0]: key for key, same in equal.items()}
        firsts = (same[0] for same in equal.values())
        pairs = [
            (self._problems[sample.problem_id], Sample(sample.problem_id, number, sample.text))
            for number, sample in firsts
        ]
        for graded in self._grader.grade(pairs, self._sandbox) if pairs else ():
            key = keys[graded.index]
            yield graded
            yield from self._copies(equal[key][1:], graded.verdict, graded.detail)
            if graded.verdict is not Verdict.INFRASTRUCTURE:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[key] = (graded.verdict, graded.detail)

    def _copies(self, same: list[tuple[int, SampleText]], verdict: Verdict, detail: str) -> Iterator[GradedSample]:
        self.deduplicated += len(same)
        for number, sample in same:
            yield GradedSample(sample.problem_id, number, verdict, detail)
