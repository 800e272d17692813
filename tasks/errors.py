"""Errors whose message is one line, meant to be shown as it is: what is wrong, where, and what would be right.

    MonkeysError
    ├── UserError                    something that a person wrote or named, or has to install
    │   ├── NewerSchemaError         (tasks.store.schema) an object of a later version of this project
    │   └── CorruptObjectError       (tasks.store.schema) an object that is damaged, or not what its key says
    ├── EngineFailedError            resumable
    │   └── ServerUnreachableError   (tasks.engines.http.requester)
    ├── CapReachedError              resumable
    ├── SamplingCancelledError
    ├── AllRunsFailedError           retryable
    ├── StoreUnavailableError        retryable, resumable
    ├── PluginError                  (tasks.plugins) resumable
    ├── TakenOverError               (tasks.sweep.sweep) retryable
    ├── SandboxUnavailableError      (sandboxes)
    └── ServerError                  (flows.runtime.temporary_server)

Every error has two properties. `retryable`: another try can help, so Prefect repeats the task. `resumable`: finished
work is saved, and the command line adds that the same command resumes. A plug-in's errors derive from these.
"""

from typing import ClassVar

from sandboxes.errors import MonkeysError

__all__ = [
    "RESUME",
    "AllRunsFailedError",
    "CapReachedError",
    "EngineFailedError",
    "MonkeysError",
    "SamplingCancelledError",
    "StoreUnavailableError",
    "UserError",
]

RESUME = "Finished work is saved; run the same command again to resume."
"""How every message ends about a run that stopped early and loses nothing."""


class UserError(MonkeysError, ValueError):
    """Something the user wrote, named or has to install cannot be used."""


class EngineFailedError(MonkeysError, RuntimeError):
    """What draws samples has failed for good, after its own restarts or retries; the message has the cause."""

    resumable: ClassVar[bool] = True


class CapReachedError(MonkeysError, RuntimeError):
    """A run has spent what it may; the message says of what."""

    resumable: ClassVar[bool] = True


class SamplingCancelledError(MonkeysError, RuntimeError):
    """The work was given up on request; nobody need be told."""


class AllRunsFailedError(MonkeysError, RuntimeError):
    """All runs that share a sweep have ended, and none has completed."""

    retryable: ClassVar[bool] = True


class StoreUnavailableError(MonkeysError, OSError):
    """The store does not answer, or not as it should; it may a moment later."""

    retryable: ClassVar[bool] = True
    resumable: ClassVar[bool] = True
