"""Samples that other tools drew. An importer knows one tool's files; one class per file, chosen by name.

To add one: write its file, and put it into `formats.FORMATS`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tasks.files.schema import Where
from tasks.records import Turn


# Not frozen: there are millions of them, and a frozen one takes three times as long to make.
@dataclass(slots=True)
class Imported:
    """One sample as a tool has recorded it.

    `where` says in words where it stands, for messages. `source_id` is the problem as the tool names it, `problem_id`
    as this project's dataset does, where the file tells which that is. `index` is its place among its problem's
    samples, None where the order in which they come is all there is. `text` is None where the tool itself failed, and
    there is no sample. `correct` is the verdict that the file carries, None where it carries none. The rest is as in
    `tasks.engines.Sample`.
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


class Importer(Protocol):
    """Reads the files of one tool, an entry at a time."""

    @property
    def name(self) -> str:
        """The name that chooses it."""
        ...

    @property
    def description(self) -> str:
        """What its files are, in a few words."""
        ...

    @property
    def first_row(self) -> int:
        """The number of the first row in a dataset whose problems have no ids."""
        ...

    @property
    def verdicts(self) -> str | None:
        """What `verdict` may name, in a few words; None where there is nothing to choose."""
        ...

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:
        """Whether a file or folder looks like its own. `first` is the file's first row; of a JSON document its first
        members, the value of the last of them left out; of anything else nothing."""
        ...

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:
        """Every sample in order.

        Args:
            paths: files or folders.
            verdict: which of several verdicts on a sample counts; None: the usual one.

        Raises:
            UserError: something cannot be read or is malformed; one line names file, entry and field.
        """
        ...

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:
        """What the files say about how the samples were drawn and graded, as JSON: `tool`, `tool_version`, `task`,
        `model`, `sampling` (`temperature`, `top_p`, `max_tokens`, `seed`, `stop`), `graded_by`; only what is known.
        Raises as `samples` does."""
        ...
