"""The seed of a sample, for engines whose sampler is somebody else's: `base_seed(seed, problem) + index`.

vLLM gives child i of a request with `n` and `seed` the seed `seed + i`, so a run of indices is one request, and any
other cut of them draws the same.
"""

import hashlib

_INDICES = 2**20
"""More than the largest k: the seeds of two problems do not meet."""


def base_seed(seed: int, problem_id: str) -> int:
    """The seed of a problem's sample 0: 63 bits, a multiple of 2**20."""
    digest = hashlib.blake2b(f"{seed}\n{problem_id}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 21) * _INDICES
