"""Errors whose message is one line, meant to be shown as it is: what is wrong, where, and what would be right."""


class InputError(ValueError):
    """Something the user wrote or named cannot be used; the message is one line, meant to be shown as it is."""


class NoneCompletedError(RuntimeError):
    """Of the runs that share a sweep, all have ended and none has completed."""


class StoreAwayError(OSError):
    """The store does not answer, or not as it should; it may a moment later."""
