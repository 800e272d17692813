"""Samples that other tools drew. An importer reads one tool's files: one class in each file, chosen by name.

To add one, write its file and list the class in `formats.FORMATS`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from tasks.files.schema import Where
from tasks.records import Confidence, Turn


# Not frozen: there are millions of them, and a frozen one takes three times as long to make.
@dataclass(slots=True)
class Imported:
    """One sample as a tool has recorded it.

    Attributes:
        where: its place in the file, for messages.
        source_id: the tool's id of the problem.
        problem_id: the problem's id in this project's dataset, where the file tells which that is; else the tool's.
        text: None where the tool itself failed, and there is no sample.
        index: its index among its problem's samples; None: they are numbered as they come.
        correct: the verdict that the file has on it; None where it has none.
        question: what was asked: the question, or a prompt that contains it.
        row: the problem's row in the whole dataset, from 0. None: `source_id` is its number, from the importer's
            `first_row`. NO_ROW: it is a row of a part of a dataset, and which row of the whole is not known.
        choices: the names of its verdicts, where it has several, none of them is the usual one, and none was chosen.

    The other fields are those of `tasks.records.Sample`.
    """

    where: Where | str
    source_id: str | int
    problem_id: str
    text: str | None
    index: int | None = None
    correct: bool | None = None
    prompt_tokens: int | None = None
    tokens: int | None = None
    logprob: float | None = None
    finish_reason: str | None = None
    cached_prompt_tokens: int | None = None
    turns: tuple[Turn, ...] = ()
    question: str | None = None
    row: int | None = None
    choices: tuple[str, ...] = ()
    confidence: Confidence | None = None


NO_ROW = -1
"""The `row` of a sample whose problem has no known row in the whole dataset."""


def correct(value: object) -> bool | None:
    """A number as a verdict: 1 is correct, partial credit from 0 to 1 is not; anything else is not a verdict."""
    if not isinstance(value, bool | int | float) or not 0 <= value <= 1:
        return None
    return value == 1


class Importer(Protocol):
    """Reads the files of one tool, a sample at a time."""

    @property
    def name(self) -> str:
        """The name that chooses it."""
        ...

    @property
    def description(self) -> str:
        """A short description of its files."""
        ...

    @property
    def first_row(self) -> int:
        """The number of the first row in a dataset whose problems have no ids."""
        ...

    @property
    def verdicts(self) -> str | None:
        """A short description of what `verdict` may name; None where a sample has one verdict at most."""
        ...

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:
        """Whether a file or folder is likely in its format. `first` is the file's first row; for a JSON document its
        members up to the first list or object, without that one's value; for anything else empty."""
        ...

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:
        """Every sample in order.

        Args:
            paths: files or folders.
            verdict: which of several verdicts on a sample counts; None: the usual one. Where none is usual, a sample
                has `choices` and no verdict.

        Raises:
            UserError: something cannot be read or is malformed; one line names file, row and field.
        """
        ...

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:
        """What the files say about how the samples were drawn and graded, as JSON: `tool`, `tool_version`, `task`,
        `model`, `sampling` (`temperature`, `top_p`, `max_tokens`, `seed`, `stop`) and `graded_by`, where known.
        Raises as `samples` does."""
        ...


@runtime_checkable
class ReadsUngraded(Protocol):
    """An importer that reads samples faster where nobody asks for verdicts on them."""

    def ungraded_samples(self, paths: Sequence[Path]) -> Iterator[Imported]:
        """Every sample in order, as `Importer.samples` gives it, without its verdict and its `choices`. Raises as that
        does."""
        ...
