"""The base class of all errors that are shown as one line, in the package that all others can import.

`tasks/errors.py` has the tree of these errors. Of other libraries' errors, `first_line` is shown.
"""

from typing import ClassVar


class MonkeysError(Exception):
    """An error whose message is one line for the user: what is wrong, where, and what would be right. The command line
    prints it and exits with code 2."""

    retryable: ClassVar[bool] = False
    """Whether another attempt, a moment later, may succeed."""
    resumable: ClassVar[bool] = False
    """Whether finished work is saved, so that the same command resumes. The command line adds this to the message."""


def first_line(error: BaseException) -> str:
    """The first line of another library's error, or the name of its class if its message is empty."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip()
