"""Where problems come from. A dataset is a pydantic config class that loads `Problem`s; there is one in each file.

Its prompt template is `tasks/prompts/TEMPLATE.txt` (GSM8K: `gsm8k.txt`, and `gsm8k.shot.txt` for each example).
"""

from collections.abc import Iterator
from typing import Protocol

from tasks.records import LabelledSample, Problem


class Dataset(Protocol):
    """A named source of problems, with the protocol by which they are usually sampled and graded."""

    @property
    def name(self) -> str:
        """The name in configs and in the names of result sets."""
        ...

    @property
    def template(self) -> str:
        """The name of the prompt template in `tasks/prompts`."""
        ...

    @property
    def grader(self) -> str:
        """The name of the grader to use if the config names none."""
        ...

    @property
    def graders(self) -> tuple[str, ...]:
        """The names of all graders that can grade its samples."""
        ...

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings that end a sample; they are not part of its text."""
        ...

    @property
    def max_tokens(self) -> int:
        """The maximum length of a sample, in tokens."""
        ...

    def load(self) -> list[Problem]:
        """All problems, always in the same order.

        Raises:
            UserError: the source is absent or malformed; the message names it.
        """
        ...

    def solutions(self) -> Iterator[LabelledSample]:
        """Samples that the source says are correct or wrong, such as reference solutions; raises as `load` does."""
        ...
