"""The logits of a text in one pass without the cache, which drawing token by token must agree with."""

from typing import Any

import numpy as np

from tasks.engines.in_process.onnx_engine import OnnxEngine


def logits(engine: OnnxEngine, ids: list[int]) -> Any:
    """The logits after every token of `ids`: [tokens, vocabulary]."""
    decoder = engine.decoder
    empty = {c.name: decoder.make_value(np.zeros((1, c.heads, 0, c.head), c.dtype)) for c in decoder.caches}
    return decoder.run(np.array([ids]), 0, empty)[0].numpy()[0]
