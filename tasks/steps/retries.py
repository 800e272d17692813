"""Which failed tasks Prefect retries, and for how long."""

from typing import Any

from prefect.cache_policies import NO_CACHE
from prefect.tasks import exponential_backoff

from tasks.errors import MonkeysError

_BUGS = (TypeError, AttributeError, NameError)


def is_retryable(task: Any, run: Any, state: Any) -> bool:  # noqa: ARG001 - the signature is Prefect's
    """Whether a retry can help: errors of this project say so themselves; all others are retried unless they are
    bugs."""
    error = state.result(raise_on_failure=False)
    return error.retryable if isinstance(error, MonkeysError) else not isinstance(error, _BUGS)


# Delays of 2, 4, … 64 s, each ±50 %: more than a minute in total for any jitter.
RETRIED: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 6,
    "retry_delay_seconds": exponential_backoff(backoff_factor=2),
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": is_retryable,
}
