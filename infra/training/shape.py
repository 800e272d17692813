"""The sizes of a bundled model; needs no PyTorch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder. `heads` is a multiple of `kv_heads`. The output layer shares the embedding's weights."""

    vocabulary: int = 512
    hidden: int = 128
    layers: int = 4
    heads: int = 4
    kv_heads: int = 1
    head: int = 32
    feed_forward: int = 352
    positions: int = 512
    rope_theta: float = 10_000.0
    norm_epsilon: float = 1e-5
