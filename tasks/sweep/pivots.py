"""What a scorer that compares samples needs beyond one block: a problem's pivots, and scores of equal texts.

The pivots of a problem are its samples 0 to p − 1. They are stored once and never change, so neither do the scores of
samples that were compared with them, however large k becomes.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from tasks.records import Sample
from tasks.scorers import Candidate, Scored

TextKey = tuple[str, bytes]
"""A problem and the hash of a sample's text."""


def text_key(sample: Sample) -> TextKey:
    """What samples of a problem with the same text have in common."""
    return sample.problem_id, hashlib.sha256(sample.text.encode("utf-8", "surrogatepass")).digest()


@dataclass
class Compared:
    """Filled block by block: the pivots of problems, and the scores that texts already have."""

    count: int
    """How many pivots a problem has."""
    scores: dict[TextKey, Scored] = field(default_factory=dict)
    _pivots: dict[str, dict[int, str]] = field(default_factory=dict)

    def add(self, samples: Iterable[Sample], scores: Mapping[tuple[str, int], Scored]) -> None:
        """Take the samples of a block, and the scores that are stored on some of them."""
        for sample in samples:
            if sample.index < self.count:
                self._pivots.setdefault(sample.problem_id, {})[sample.index] = sample.text
            score = scores.get((sample.problem_id, sample.index))
            if score is not None:
                self.scores[text_key(sample)] = score

    def pivots(self, problem_id: str) -> tuple[str, ...] | None:
        """The texts of a problem's pivots, by index; None where some are not drawn yet."""
        texts = self._pivots.get(problem_id, {})
        return tuple(texts[index] for index in range(self.count)) if len(texts) == self.count else None


def in_parts(candidates: Sequence[Candidate], most: int) -> Iterator[list[Candidate]]:
    """The candidates in order, cut into parts of `most` or fewer. The pivots of a problem, which are scored by the same
    comparisons, are not separated: what is stored after a part then needs none of its comparisons again."""
    part: list[Candidate] = []
    for problem, group in groupby(candidates, lambda each: each.problem_id if each.text in each.pivots else None):
        members = list(group)
        units = [members] if problem is not None and len(members) <= most else [[each] for each in members]
        for unit in units:
            if len(part) + len(unit) > most:
                yield part
                part = []
            part += unit
    if part:
        yield part
