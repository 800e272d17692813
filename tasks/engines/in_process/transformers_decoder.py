"""A causal model of transformers with its cache, and the choice of tokens from its logits, on a CPU or a GPU.

Rows of a batch all have the same length: they are samples of one prompt, drawn token by token together.
"""

import copy
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers.cache_utils import DynamicCache, DynamicLayer

from tasks.engines.in_process.sampling import Choice, Floats, choose
from tasks.errors import UserError

MINIMUM_ROWS = 16
"""In float32 on one thread, products of fewer rows take other paths in PyTorch's libraries, which round differently.
From 16 rows on, every row's result is bit-identical (not promised by PyTorch; `is_batch_invariant` checks it)."""

ROOM = 128
"""Tokens that a cache grows by. The usual cache of transformers copies itself at every token instead."""


class Prefill(NamedTuple):
    """What one prompt leaves behind: the logits after its last token, [1, vocabulary], and a cache of one row."""

    logits: Any
    cache: Any


class PreallocatedCacheLayer(DynamicLayer):  # type: ignore[misc]
    """The keys and values of one layer, [rows, heads, length, head], as a view of buffers with room for more tokens."""

    keys: Any
    values: Any
    buffers: tuple[Any, Any] | None = None

    def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Append new tokens; the keys and values of all."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        past = self.get_seq_length()
        total = past + key_states.shape[-2]
        if self.buffers is None or self.buffers[0].shape[-2] < total:
            self.buffers = tuple(
                new.new_empty((*new.shape[:-2], total + ROOM, new.shape[-1])) for new in (key_states, value_states)
            )
            if past:
                for buffer, old in zip(self.buffers, (self.keys, self.values), strict=True):
                    buffer[..., :past, :] = old
        for buffer, new in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[..., past:total, :] = new
        self.keys, self.values = (buffer[..., :total, :] for buffer in self.buffers)
        return self.keys, self.values

    def reorder_cache(self, beam_idx: Any) -> None:
        """Keep these rows alone, in this order."""
        super().reorder_cache(beam_idx)
        self.buffers = None


class Decoder:
    """A loaded model. Safe to use from several threads: all state of a batch is in its `Batch`."""

    minimum_rows = MINIMUM_ROWS

    def __init__(self, source: str, model: Any) -> None:
        takes = inspect.signature(model.forward).parameters
        if "past_key_values" not in takes:
            raise UserError(f"engine.model: {source}: {type(model).__name__} keeps no key-value cache")
        self.model = model
        self.last_logits: dict[str, int] = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}

    def run(self, ids: Any, cache: Any) -> Any:
        """One pass over new tokens [rows, new]; the logits after the last, [rows, vocabulary]. The cache grows."""
        with torch.inference_mode(), enough_memory():
            ids = ids.to(self.model.device)
            out = self.model(input_ids=ids, past_key_values=cache, use_cache=True, **self.last_logits)
            return out.logits[:, -1].float()

    def prefill(self, ids: list[int]) -> Prefill:
        """Read a prompt, once for however many samples follow (always as one row, so always to the same bits)."""
        cache = DynamicCache(config=self.model.config)
        cache.layers = [PreallocatedCacheLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
        return Prefill(self.run(torch.tensor([ids]), cache), cache)

    def expand(self, prefill: Prefill, rows: int) -> "Batch":
        """A batch of continuations of one prompt; `rows` is at least `MINIMUM_ROWS`."""
        with torch.inference_mode(), enough_memory():
            cache = copy.deepcopy(prefill.cache)
            cache.reorder_cache(torch.zeros(rows, dtype=torch.long, device=self.model.device))
            return Batch(self, cache, prefill.logits.expand(rows, -1))

    def is_batch_invariant(self, rows: int) -> bool:
        """Try whether the logits of a row are the same bits in batches of several sizes, up to `rows` or some more."""
        vocabulary = self.model.config.get_text_config().vocab_size
        prefill = self.prefill([37 * i % vocabulary for i in range(1, 34)])

        def logits(rows: int) -> Any:
            batch = self.expand(prefill, rows)
            tokens = np.arange(1, rows + 1)
            return torch.stack([batch.step((31 + t) * tokens % vocabulary) for t in range(4)], dim=1)

        most = logits(max(rows, 2 * MINIMUM_ROWS) + 1)
        return all(torch.equal(logits(n), most[:n]) for n in (MINIMUM_ROWS, MINIMUM_ROWS + 1, MINIMUM_ROWS + 7))


class Batch:
    """The state of rows that grow together, each by one token a step; `logits`, [rows, vocabulary], are the next's."""

    def __init__(self, decoder: Decoder, cache: Any, logits: Any) -> None:
        self.decoder = decoder
        self.cache = cache
        self.logits = logits

    def choose(self, rows: NDArray[np.int64], temperature: float, top_p: float, u: Floats) -> Choice:
        """Draw the next token of these rows."""
        with torch.inference_mode(), enough_memory():
            if self.logits.device.type == "cpu":
                return choose(self.logits.numpy()[rows], temperature, top_p, u)
            device = self.logits.device
            chosen = self.logits[torch.from_numpy(rows).to(device)]
            return sample_on_device(chosen, temperature, top_p, torch.from_numpy(u).to(device))

    def step(self, tokens: NDArray[np.int64]) -> Any:
        """Append one token a row ([rows]); the logits of the next, [rows, vocabulary]."""
        self.logits = self.decoder.run(torch.from_numpy(tokens[:, None]), self.cache)
        return self.logits

    def select(self, rows: NDArray[np.int64]) -> None:
        """Keep these rows alone, in this order, for the next step; at least `MINIMUM_ROWS`."""
        with torch.inference_mode(), enough_memory():
            self.cache.reorder_cache(torch.from_numpy(rows).to(self.decoder.model.device))


def sample_on_device(logits: Any, temperature: float, top_p: float, u: Any) -> Choice:
    """`in_process.sampling.choose` where the logits lie, so that no vocabulary of them leaves a GPU at each token.

    Args:
        logits: [rows, vocabulary].
        temperature: divides the logits; 0 takes the likeliest token (the first of equals).
        top_p: keeps the likeliest tokens, as few as reach this probability; 1 keeps all.
        u: [rows], in [0, 1), float64.

    Raises:
        FloatingPointError: a row holds no finite distribution.
    """
    shifted = logits.double()
    shifted = shifted - shifted.amax(dim=1, keepdim=True)
    log_total = shifted.exp().sum(dim=1).log()
    if not bool(torch.isfinite(log_total).all()):
        raise FloatingPointError("the model's logits are not finite")
    if temperature == 0:
        tokens = shifted.argmax(dim=1)
    else:
        weights = (shifted / temperature).exp()
        if top_p < 1:
            ranked, order = weights.sort(dim=1, descending=True, stable=True)
            cumulative = ranked.cumsum(dim=1)
            kept = ranked * (cumulative - ranked < top_p * cumulative[:, -1:])
            weights = torch.zeros_like(weights).scatter_(1, order, kept)
        cumulative = weights.cumsum(dim=1)
        total = cumulative[:, -1]
        target = torch.minimum(u * total, torch.nextafter(total, torch.zeros_like(total)))
        tokens = (cumulative <= target[:, None]).sum(dim=1)
    logprobs = shifted.gather(1, tokens[:, None])[:, 0] - log_total
    return Choice(tokens.cpu().numpy(), logprobs.cpu().numpy())


@contextmanager
def enough_memory() -> Iterator[None]:
    """Tell in one line what to change where memory runs out.

    Raises:
        UserError: it does.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise UserError(
                "engine transformers: out of memory; lower engine.batch_size or engine.threads, or set engine.dtype to"
                " bfloat16"
            ) from error
        raise
