"""Errors whose message is one line, meant to be shown as it is: what is wrong, where, and what would be right."""

RESUME = "Finished work is saved; run the same command again to resume."
"""How every message ends about a run that stopped early and loses nothing."""


class UserError(ValueError):
    """Something the user wrote or named cannot be used; the message is one line, meant to be shown as it is."""


class EngineFailedError(RuntimeError):
    """What draws samples has failed for good, after restarts or retries of its own; one line with the cause."""


class CapReachedError(RuntimeError):
    """A run has spent what it may; one line that says of what, and how to go on."""


class SamplingCancelledError(RuntimeError):
    """The work was given up on request; nobody need hear of it."""


class AllRunsFailedError(RuntimeError):
    """Of the runs that share a sweep, all have ended and none has completed."""


class StoreUnavailableError(OSError):
    """The store does not answer, or not as it should; it may a moment later."""
