"""Models that run in this process: drawing samples token by token, and the decoders that compute the logits."""

import os


def cpu_count() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
