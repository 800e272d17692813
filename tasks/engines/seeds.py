"""The seed of a sample, for engines that take a seed per request: `base_seed(seed, problem) + index`.

In a request with `n` and `seed`, vLLM uses `seed + i` for choice i. A range of indices can thus be one request, and any
other way to cut it draws the same samples.
"""

import hashlib

_INDICES = 2**20
"""Greater than the largest k, so that the seeds of two problems do not overlap."""


def base_seed(seed: int, problem_id: str) -> int:
    """The seed of a problem's sample 0: 63 bits, a multiple of 2**20."""
    digest = hashlib.blake2b(f"{seed}\n{problem_id}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 21) * _INDICES
