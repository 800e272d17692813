"""Drawing samples token by token from a decoder that this process holds: what the in-process engines share.

Sample i of a problem is a function of (model, prompt, settings, seed, problem id, i) alone: its random numbers come
from a counter (`in_process.sampling`), and a batch holds samples of one problem only, all of the same length, so that
nothing is ever padded along time. What remains is that a row's logits must be the same bits in a batch of any
size: each decoder says from how many rows on that holds.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tasks.engines.in_process.completions import Completions, stop_endings
from tasks.engines.in_process.sampling import Choice, Floats, uniforms
from tasks.errors import UserError
from tasks.records import Request, Sample, Sampling

SHRINK_AT = 0.75
"""Finished rows leave the batch once no more than this part of it still runs: taking them out copies the cache, which
costs about as much as a step."""


class Batch(Protocol):
    """Rows that continue one prompt and grow together, each by one token a step; it knows their next logits."""

    def choose(self, rows: NDArray[np.int64], temperature: float, top_p: float, u: Floats) -> Choice:
        """Draw the next token of these rows, with one number a row, as `in_process.sampling.choose` does."""
        ...

    def step(self, tokens: NDArray[np.int64]) -> object:
        """Append one token a row: [rows]."""
        ...

    def select(self, rows: NDArray[np.int64]) -> None:
        """Keep these rows alone, in this order; the next call is `step`. At least the decoder's `minimum_rows`."""
        ...


class Decoder(Protocol):
    """A loaded model with a key-value cache. Called from several threads at once."""

    @property
    def minimum_rows(self) -> int:
        """From this many rows on, a row's logits do not depend on how many there are."""
        ...

    def prefill(self, ids: list[int]) -> Any:
        """Read a prompt, once for however many samples follow; `expand` takes what it gives."""
        ...

    def expand(self, prefill: Any, rows: int) -> Batch:
        """A batch of continuations of one prompt; `rows` is at least `minimum_rows`."""
        ...


class Model(NamedTuple):
    """A decoder, and what belongs to it: `context` is the most tokens that it reads, prompt and answer together."""

    decoder: Decoder
    tokenizer: Tokenizer
    end_tokens: Sequence[int]
    context: int | None


class Decoding:
    """One call of `sample`: what all of its batches share."""

    def __init__(self, model: Model, sampling: Sampling, cancelled: threading.Event) -> None:
        self.model = model
        self.sampling = sampling
        self.may_stop = stop_endings(model.tokenizer, sampling.stop)
        self.cancelled = cancelled
        self.given_up = threading.Event()
        self._last_prompt = threading.local()

    def draw(self, request: Request, start: int, stop: int) -> list[Sample]:
        """Samples [start, stop) of a request's problem; none where the call has been given up."""
        if self.sampling.temperature > 0:
            return self._draw(request, np.arange(start, stop))
        samples = self._draw(request, np.arange(start, start + 1))
        return [replace(sample, index=i) for sample in samples for i in range(start, stop)]

    def _draw(self, request: Request, indices: NDArray[np.int64]) -> list[Sample]:
        sampling, count = self.sampling, len(indices)
        prompt, prefill = self._prompt(request)
        limit = self._limit(request, len(prompt))
        answers = Completions(self.model.tokenizer, prompt, sampling.stop)
        u = np.stack([uniforms(sampling.seed, request.problem_id, int(index), limit) for index in indices])
        drawn = PartialSamples(count, limit)
        least = self.model.decoder.minimum_rows
        # Row j of the batch belongs to sample slots[j]; it is live until that sample ends.
        slots = np.resize(np.arange(count), max(count, least))
        live = np.arange(len(slots)) < count
        batch = self.model.decoder.expand(prefill, len(slots))
        for t in range(limit):
            if self.given_up.is_set() or self.cancelled.is_set():
                return []
            running = slots[live]
            choice = batch.choose(np.flatnonzero(live), sampling.temperature, sampling.top_p, u[running, t])
            drawn.append(running, t, choice)
            live[live] = ~self._ended(drawn, running, answers)
            still = int(live.sum())
            if still == 0 or t + 1 == limit:
                break
            if still <= SHRINK_AT * len(slots) and len(slots) > least:
                kept = np.argsort(~live, kind="stable")[: max(still, least)]
                batch.select(kept)
                slots, live = slots[kept], live[kept]
            batch.step(drawn.tokens[slots, t])
        finished = Finished(request, len(prompt), answers, drawn)
        return [finished.sample(row, int(index)) for row, index in enumerate(indices)]

    def _ended(self, drawn: "PartialSamples", running: NDArray[np.int64], answers: Completions) -> NDArray[np.bool_]:
        """Which of these samples end with their last token, by an end-of-text token or a stop string."""
        last = drawn.tokens[running, drawn.lengths[running] - 1]
        drawn.at_end[running] = np.isin(last, self.model.end_tokens)
        for row in running[self.may_stop.take(last, mode="clip") & ~drawn.at_end[running]]:
            drawn.at_stop[row] = answers.stops(drawn.ids(row))
        return drawn.at_end[running] | drawn.at_stop[running]

    def _prompt(self, request: Request) -> "EncodedPrompt":
        """The prompt's tokens and cache; a thread keeps the last, as parts of one request follow each other."""
        last: tuple[str, EncodedPrompt] | None = getattr(self._last_prompt, "value", None)
        if last is None or last[0] != request.prompt:
            ids = self.model.tokenizer.encode(request.prompt).ids
            self._limit(request, len(ids))
            last = (request.prompt, EncodedPrompt(ids, self.model.decoder.prefill(ids)))
            self._last_prompt.value = last
        return last[1]

    def _limit(self, request: Request, prompt_tokens: int) -> int:
        """How many tokens may be drawn."""
        if prompt_tokens == 0:
            raise UserError(f"problem {request.problem_id!r}: its prompt is empty; a model continues at least a token")
        if self.model.context is None:
            return self.sampling.max_tokens
        room = self.model.context - prompt_tokens
        if room < 1:
            raise UserError(
                f"problem {request.problem_id!r}: its prompt has {prompt_tokens} tokens, and the model reads at most"
                f" {self.model.context} with the answer"
            )
        return min(room, self.sampling.max_tokens)


class EncodedPrompt(NamedTuple):
    """A prompt's token ids, and what the model made of them."""

    ids: list[int]
    prefill: Any


class PartialSamples:
    """What has been drawn of some samples: token ids [samples, limit] and how far each has come."""

    def __init__(self, samples: int, limit: int) -> None:
        self.tokens = np.zeros((samples, limit), np.int64)
        self.lengths = np.zeros(samples, np.int64)
        self.logprobs = np.zeros(samples)
        self.at_end = np.zeros(samples, np.bool_)
        self.at_stop = np.zeros(samples, np.bool_)

    def append(self, rows: NDArray[np.int64], t: int, choice: Choice) -> None:
        """Token `t` of these samples."""
        self.tokens[rows, t] = choice.tokens
        self.logprobs[rows] += choice.logprobs
        self.lengths[rows] = t + 1

    def ids(self, row: int) -> list[int]:
        """The tokens of one sample so far."""
        ids: list[int] = self.tokens[row, : self.lengths[row]].tolist()
        return ids


class Finished(NamedTuple):
    """A batch that has been drawn to its end."""

    request: Request
    prompt_tokens: int
    answers: Completions
    drawn: PartialSamples

    def sample(self, row: int, index: int) -> Sample:
        """The sample in a row."""
        drawn = self.drawn
        ids = drawn.ids(row)
        whole = bool(drawn.at_end[row] or drawn.at_stop[row])
        return Sample(
            problem_id=self.request.problem_id,
            index=index,
            text=self.answers.text(ids[:-1] if drawn.at_end[row] else ids, whole=whole),
            prompt_tokens=self.prompt_tokens,
            tokens=len(ids),
            logprob=float(drawn.logprobs[row]),
            finish_reason="stop" if whole else "length",
        )
