"""A formal statement: what stands before it, its name, and its text."""

from typing import NamedTuple


class Statement(NamedTuple):
    """A theorem without its proof. `at` is where its name begins in `text`.

    In Rocq, `text` is the sentence with its final dot. In Lean, it ends in `:= by`.
    """

    header: str
    text: str
    name: str
    at: int

    def renamed(self, name: str) -> str:
        """The text with another name."""
        return f"{self.text[: self.at]}{name}{self.text[self.at + len(self.name) :]}"


class Unreadable(ValueError):  # noqa: N818 - it is raised for what somebody else wrote
    """A text that is not one statement without a proof; the message says why."""
