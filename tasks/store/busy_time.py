"""The wall-clock time that concurrent pieces of work took together, from when each ended and how long it took."""

from collections.abc import Iterable
from datetime import datetime, timedelta


def busy_s(work: Iterable[tuple[str, float]]) -> float:
    """Wall-clock seconds during which any of some pieces of work ran: concurrent pieces count once.

    Args:
        work: for each piece, when it ended (ISO 8601, truncated to the second) and how many seconds it took.
    """
    pieces = list(work)
    spans = sorted(
        (end - timedelta(seconds=seconds), end + timedelta(seconds=1))
        for at, seconds in pieces
        for end in (datetime.fromisoformat(at),)
    )
    busy, reached = 0.0, None
    for start, end in spans:
        from_ = start if reached is None else max(start, reached)
        busy += max(0.0, (end - from_).total_seconds())
        reached = end if reached is None else max(reached, end)
    # As times are truncated, short pieces may seem to take longer than their sum.
    return min(busy, sum(seconds for _, seconds in pieces))
