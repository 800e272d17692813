"""Which tasks Prefect tries again, and for how long."""

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from sandboxes import SandboxUnavailableError
from tasks.errors import CapReachedError, EngineFailedError, SamplingCancelledError, UserError

_FINAL = (
    UserError,
    SandboxUnavailableError,
    EngineFailedError,
    CapReachedError,
    SamplingCancelledError,
    TypeError,
    AttributeError,
    NameError,
)


def is_retryable(task: Any, run: Any, state: Any) -> bool:  # noqa: ARG001 - the signature is Prefect's
    """Whether another try could help: a store recovers; what only the user or a programmer can mend does not, nor what
    has been given up already."""
    error = state.result(raise_on_failure=False)
    return not isinstance(error, _FINAL)


# Tries again after 2, 4, … 64 s, each give or take a half: over a minute in all, however the dice fall.
RETRIED: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 6,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_retryable,
}
