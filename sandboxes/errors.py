"""The base of all errors that are shown as one line; it is in this package so that every other one can derive from it.

`tasks/errors.py` draws the tree. Of the errors of others, `first_line` is shown.
"""

from typing import ClassVar


class MonkeysError(Exception):
    """Its message is one line, shown as it is: what is wrong, where, and what would be right. The command line prints
    it and exits with code 2."""

    retryable: ClassVar[bool] = False
    """Whether another try, a moment later, can help."""
    resumable: ClassVar[bool] = False
    """Whether finished work is saved, so that the same command resumes; the command line adds that to the message."""


def first_line(error: BaseException) -> str:
    """The first line of what an error of others says; its class where it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip()
