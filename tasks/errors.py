"""Errors whose message is one line, meant to be shown as it is: what is wrong, where, and what would be right.

    MonkeysError
    ├── UserError                    something that the user wrote, named or has to install
    │   ├── NewerSchemaError         (tasks.store.schema) an object written by a later version of this package
    │   └── CorruptObjectError       (tasks.store.schema) an object that is damaged, or not what its key says
    ├── EngineFailedError            resumable
    │   └── ServerUnreachableError   (tasks.engines.http.requester)
    ├── CapReachedError              resumable
    ├── ScorerFailedError            resumable
    ├── SamplingCancelledError
    ├── GradingCancelledError
    ├── ScoringCancelledError
    ├── AllRunsFailedError           retryable
    ├── StoreUnavailableError        retryable, resumable
    ├── PluginError                  (tasks.plugins) resumable
    ├── TakenOverError               (tasks.sweep.sweep) retryable
    ├── SandboxUnavailableError      (sandboxes)
    │   └── EngineLostError          (sandboxes.repositories) resumable
    ├── ContainerLostError           (sandboxes.repositories) retryable, resumable
    ├── SandboxClosedError           (sandboxes)
    └── ServerError                  (flows.runtime.temporary_server)

Every class has two attributes. `retryable`: another try can help, so Prefect repeats the task. `resumable`: finished
work is saved, and the command line adds that the same command resumes. A plug-in's errors derive from these.
"""

from typing import ClassVar

from sandboxes.errors import MonkeysError

__all__ = [
    "RESUME",
    "AllRunsFailedError",
    "CapReachedError",
    "EngineFailedError",
    "GradingCancelledError",
    "MonkeysError",
    "SamplingCancelledError",
    "ScorerFailedError",
    "ScoringCancelledError",
    "StoreUnavailableError",
    "UserError",
]

RESUME = "Finished work is saved; run the same command again to resume."
"""The last sentence of every message about a run that stopped early."""


class UserError(MonkeysError, ValueError):
    """Something that the user wrote, named or has to install cannot be used."""


class EngineFailedError(MonkeysError, RuntimeError):
    """An engine has failed for good, after its own restarts or retries; the message gives the cause."""

    resumable: ClassVar[bool] = True


class ScorerFailedError(MonkeysError, RuntimeError):
    """A scorer has failed for good, after its own retries; the message gives the cause."""

    resumable: ClassVar[bool] = True


class CapReachedError(MonkeysError, RuntimeError):
    """A run has reached its cap; the message says which one."""

    resumable: ClassVar[bool] = True


class SamplingCancelledError(MonkeysError, RuntimeError):
    """Sampling was cancelled on request; this need not be reported."""


class GradingCancelledError(MonkeysError, RuntimeError):
    """Grading was cancelled while it ran; the run that was grading ends."""


class ScoringCancelledError(MonkeysError, RuntimeError):
    """Scoring was cancelled on request; this need not be reported."""


class AllRunsFailedError(MonkeysError, RuntimeError):
    """All runs that share a sweep have ended, and none of them completed."""

    retryable: ClassVar[bool] = True


class StoreUnavailableError(MonkeysError, OSError):
    """The store does not answer, or answers with an error that may be temporary."""

    retryable: ClassVar[bool] = True
    resumable: ClassVar[bool] = True
