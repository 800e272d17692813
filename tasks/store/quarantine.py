"""Moving what is damaged out of the way, to `damaged/`: nothing is deleted, and what it held is done again."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from tasks.progress import progress
from tasks.store import Store

_log = logging.getLogger(__name__)


def quarantine(store: Store, damaged: Mapping[str, str]) -> None:
    """Move objects, given by key with what is wrong with each, and say so in one line."""
    moved = {}
    for key, reason in damaged.items():
        target = f"damaged/{datetime.now(UTC):%Y%m%dT%H%M%S%f}/{key}"
        try:
            store.move(key, target)
        except FileNotFoundError:  # another run was first
            continue
        moved[key] = target
        _log.warning("%s is damaged (%s): moved to %s", store.url(key), reason, store.url(target))
    if moved:
        key, target = next(iter(moved.items()))
        more = f", and {len(moved) - 1} more," if len(moved) > 1 else ""
        progress.get().say(f"{store.url(key)} is damaged ({damaged[key]}){more} and was moved to {target}")
