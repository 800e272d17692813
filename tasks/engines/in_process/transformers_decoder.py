"""A causal model of transformers with its key-value cache, and the choice of tokens from its logits, on a CPU or a GPU.

All rows of a batch have the same length: they are samples of one prompt, drawn token by token together.
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
From 16 rows on, each row's result is bit-identical (PyTorch does not guarantee it; `is_batch_invariant` checks it)."""

CACHE_GROWTH = 128
"""Tokens by which a cache grows. The default cache of transformers is copied for every token instead."""


CACHE_PARAMETERS = ("past_key_values", "cache")
"""What models call their cache: transformers 5.24 renamed it."""


class Prefill(NamedTuple):
    """The state after a prompt: the logits after its last token, [1, vocabulary], and a cache of one row."""

    logits: Any
    cache: Any


class PreallocatedCacheLayer(DynamicLayer):  # type: ignore[misc]
    """The keys and values of one layer, [rows, heads, length, head], as a view of buffers with room for more tokens."""

    keys: Any
    values: Any
    buffers: tuple[Any, Any] | None = None

    def update(self, key_states: Any, value_states: Any, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Append new tokens; returns the keys and values of all tokens."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        past = self.get_seq_length()
        total = past + key_states.shape[-2]
        if self.buffers is None or self.buffers[0].shape[-2] < total:
            self.buffers = tuple(
                new.new_empty((*new.shape[:-2], total + CACHE_GROWTH, new.shape[-1]))
                for new in (key_states, value_states)
            )
            if past:
                for buffer, old in zip(self.buffers, (self.keys, self.values), strict=True):
                    buffer[..., :past, :] = old
        for buffer, new in zip(self.buffers, (key_states, value_states), strict=True):
            buffer[..., past:total, :] = new
        self.keys, self.values = (buffer[..., :total, :] for buffer in self.buffers)
        return self.keys, self.values

    def reorder_cache(self, beam_idx: Any) -> None:
        """Keep only these rows, in this order."""
        super().reorder_cache(beam_idx)
        self.buffers = None


class Decoder:
    """A loaded model. Safe to use from several threads: the state of a batch is in its `Batch`."""

    minimum_rows = MINIMUM_ROWS

    def __init__(self, source: str, model: Any) -> None:
        parameters = inspect.signature(model.forward).parameters
        self._cache = next((name for name in CACHE_PARAMETERS if name in parameters), "")
        if not self._cache:
            raise UserError(f"engine.model: {source}: {type(model).__name__} has no key-value cache")
        self.model = model
        self.last_logits: dict[str, int] = {"logits_to_keep": 1} if "logits_to_keep" in parameters else {}

    def run(self, ids: Any, cache: Any) -> Any:
        """One pass over new tokens [rows, new], which are added to the cache; returns the logits after the last token,
        [rows, vocabulary].

        Raises:
            UserError: memory runs out.
        """
        with torch.inference_mode(), enough_memory():
            ids = ids.to(self.model.device)
            out = self.model(input_ids=ids, use_cache=True, **{self._cache: cache}, **self.last_logits)
            return out.logits[:, -1].float()

    def prefill(self, ids: list[int]) -> Prefill:
        """Run the model on a prompt, once for all samples of it; always as one row, so that the bits never differ."""
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
        """Try whether a row's logits are bit-identical in batches of several sizes, the largest of at least `rows`."""
        vocabulary = self.model.config.get_text_config().vocab_size
        prefill = self.prefill([37 * i % vocabulary for i in range(1, 34)])

        def logits(rows: int) -> Any:
            batch = self.expand(prefill, rows)
            tokens = np.arange(1, rows + 1)
            return torch.stack([batch.step((31 + t) * tokens % vocabulary) for t in range(4)], dim=1)

        largest = logits(max(rows, 2 * MINIMUM_ROWS) + 1)
        return all(torch.equal(logits(n), largest[:n]) for n in (MINIMUM_ROWS, MINIMUM_ROWS + 1, MINIMUM_ROWS + 7))


class Batch:
    """Rows that continue one prompt, each by one token per step. `logits`, [rows, vocabulary]: of the next tokens."""

    def __init__(self, decoder: Decoder, cache: Any, logits: Any) -> None:
        self.decoder = decoder
        self.cache = cache
        self.logits = logits

    def choose(self, rows: NDArray[np.int64], temperature: float, top_p: float, u: Floats, top: int) -> Choice:
        """Draw the next token of these rows."""
        with torch.inference_mode(), enough_memory():
            if self.logits.device.type == "cpu":
                return choose(self.logits.numpy()[rows], temperature, top_p, u, top)
            device = self.logits.device
            chosen = self.logits[torch.from_numpy(rows).to(device)]
            return sample_on_device(chosen, temperature, top_p, torch.from_numpy(u).to(device), top)

    def step(self, tokens: NDArray[np.int64]) -> Any:
        """Append one token to each row ([rows]); returns the logits of the next tokens, [rows, vocabulary]."""
        self.logits = self.decoder.run(torch.from_numpy(tokens[:, None]), self.cache)
        return self.logits

    def select(self, rows: NDArray[np.int64]) -> None:
        """Keep only these rows, at least `MINIMUM_ROWS`, in this order; `logits` is stale until the next step."""
        with torch.inference_mode(), enough_memory():
            self.cache.reorder_cache(torch.from_numpy(rows).to(self.decoder.model.device))


def sample_on_device(logits: Any, temperature: float, top_p: float, u: Any, top: int = 0) -> Choice:
    """`in_process.sampling.choose` on the device of the logits, so that they need not be copied from a GPU at each
    token.

    Args:
        logits: [rows, vocabulary].
        temperature: divides the logits; 0 takes the likeliest token (the first if several are equally likely).
        top_p: keeps the smallest set of likeliest tokens with at least this probability; 1 keeps all.
        u: [rows], in [0, 1), float64.
        top: how many of the likeliest tokens the confidences come from; 0: no confidences.

    Raises:
        FloatingPointError: the logits of a row are not finite.
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
    confidences = None
    if top:
        highest = shifted.topk(min(top, shifted.shape[1]), dim=1).values
        confidences = (log_total - highest.mean(dim=1)).cpu().numpy()
    return Choice(tokens.cpu().numpy(), logprobs.cpu().numpy(), confidences)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn running out of memory into one line that says what to change.

    Raises:
        UserError: memory ran out.
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
