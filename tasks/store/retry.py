"""Waiting for a store that is away: what an engine has drawn, or a sandbox judged, is kept meanwhile."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from tasks.errors import StoreUnavailableError

_log = logging.getLogger(__name__)

Result = TypeVar("Result")

DELAYS_S = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Between one try and the next; each give or take a third, so that those who wait do not come back all at once."""

JITTER = 1 / 3


def retry_while_unavailable(action: Callable[[], Result], delays_s: Sequence[float] = DELAYS_S) -> Result:
    """The action's result, tried again while the store is away; the last try's error where it stays away."""
    for delay in delays_s:
        try:
            return action()
        except StoreUnavailableError as error:
            wait = delay * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
            _log.warning("%s; trying again in %.0f s", error, wait)
            time.sleep(wait)
    return action()
