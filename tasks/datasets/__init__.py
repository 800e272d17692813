"""Where problems come from. A dataset is a pydantic config class, one a file, that loads `Problem`s.

Its prompt is the file `tasks/prompts/TEMPLATE.txt` (GSM8K: `gsm8k.txt`, and `gsm8k.shot.txt` for each example).
"""

from collections.abc import Iterator
from typing import Protocol

from tasks.records import LabelledSample, Problem


class Dataset(Protocol):
    """A named source of problems with the protocol that they are usually sampled and graded by."""

    @property
    def name(self) -> str:
        """The name that configs and result sets carry."""
        ...

    @property
    def template(self) -> str:
        """Name of the prompt template in `tasks/prompts`."""
        ...

    @property
    def grader(self) -> str:
        """Name of the grader that grades samples unless the config names another."""
        ...

    @property
    def graders(self) -> tuple[str, ...]:
        """Names of all graders that can grade its samples."""
        ...

    @property
    def stop(self) -> tuple[str, ...]:
        """Strings at which a sample ends (not part of its text)."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest sample, in tokens."""
        ...

    def load(self) -> list[Problem]:
        """Every problem in its fixed order.

        Raises:
            UserError: the source is absent or broken; the message names it.
        """
        ...

    def solutions(self) -> Iterator[LabelledSample]:
        """Samples that the source says are correct or wrong, such as reference solutions; raises as `load` does."""
        ...
