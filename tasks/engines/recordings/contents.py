"""What a file of samples holds, without the samples."""

from dataclasses import dataclass
from typing import NamedTuple


class Held(NamedTuple):
    """The samples of one problem: how many, the first index that is absent below that number (None: none is), and the
    highest index."""

    samples: int
    absent: int | None
    highest: int


@dataclass(frozen=True, slots=True)
class Contents:
    """The SHA-256 of the file, what it holds of each problem, and by problem the question or prompt, where its rows
    have it."""

    digest: str
    held: dict[str, Held]
    questions: dict[str, str]
