"""The base of all errors that are shown as one line. It is here, at the bottom, so that every room can derive its own.

`tasks/errors.py` draws the tree.
"""

from typing import ClassVar


class MonkeysError(Exception):
    """Its message is one line, shown as it is: what is wrong, where, and what would be right. The command line ends
    with it and exit code 2."""

    retryable: ClassVar[bool] = False
    """Whether another try, a moment later, can help."""
    resumable: ClassVar[bool] = False
    """Whether finished work is saved, so that the same command resumes; the command line adds that to the message."""
