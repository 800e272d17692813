"""Models that run in this process: drawing samples token by token, and the decoders that give the logits."""

import os


def cpu_count() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
