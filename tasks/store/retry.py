"""Waiting for a store that is unavailable, with the drawn or graded samples in hand."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from tasks.errors import StoreUnavailableError

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Between one try and the next; each varies by up to a third, so that those who wait do not all retry at once."""

JITTER = 1 / 3


def retry_while_unavailable(action: Callable[[], Result], delays_s: Sequence[float] = DELAYS_S) -> Result:
    """The action's result, retried while the store is unavailable; the last error where it stays so."""
    for delay in delays_s:
        try:
            return action()
        except StoreUnavailableError as error:
            wait = delay * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
            _log.warning("%s; trying again in %.0f s", error, wait)
            time.sleep(wait)
    return action()
