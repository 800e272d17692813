"""Draws samples token by token from a decoder in this process; shared by the in-process engines.

Sample i of a problem depends only on (model, prompt, settings, seed, problem id, i): its random numbers come from a
counter-based generator (`in_process.sampling`), and a batch contains samples of one problem only, all of the same
length, so that no sequence is ever padded. It remains that a row's logits must be bit-identical in batches of any size;
each decoder states from how many rows on that holds.
"""

import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tasks.engines.confidence import ConfidenceSettings, sample_confidence
from tasks.engines.in_process.completions import Completions, stop_endings
from tasks.engines.in_process.sampling import Choice, Floats, uniforms
from tasks.errors import UserError
from tasks.records import Request, Sample, Sampling

SHRINK_AT = 0.75
"""Finished rows are removed from a batch once at most this fraction of it is unfinished: removing them copies the
cache, which costs about as much as a step."""


class Batch(Protocol):
    """Rows that continue one prompt, each by one token per step, with the logits of their next tokens."""

    def choose(self, rows: NDArray[np.int64], temperature: float, top_p: float, u: Floats, top: int) -> Choice:
        """Draw the next token of these rows from one uniform number each, as `in_process.sampling.choose` does."""
        ...

    def step(self, tokens: NDArray[np.int64]) -> object:
        """Append one token to each row; `tokens` is [rows]."""
        ...

    def select(self, rows: NDArray[np.int64]) -> None:
        """Keep only these rows, at least `minimum_rows` of them, in this order. The next call must be `step`."""
        ...


class Decoder(Protocol):
    """A loaded model with a key-value cache. May be called from several threads at once."""

    @property
    def minimum_rows(self) -> int:
        """In batches of at least this many rows, a row's logits do not depend on their number."""
        ...

    def prefill(self, ids: list[int]) -> Any:
        """Run the model on a prompt, once for all samples of it; the result is for `expand`."""
        ...

    def expand(self, prefill: Any, rows: int) -> Batch:
        """A batch of continuations of one prompt; `rows` is at least `minimum_rows`."""
        ...


class Model(NamedTuple):
    """A decoder with its tokenizer, end-of-text ids and `context`: the maximum tokens of prompt and completion."""

    decoder: Decoder
    tokenizer: Tokenizer
    end_tokens: Sequence[int]
    context: int | None


class Decoding:
    """One call of `sample`: what its batches share. Either event ends it: `cancelled` is the engine's, `closed` its
    own."""

    def __init__(
        self, model: Model, sampling: Sampling, cancelled: threading.Event, confidence: ConfidenceSettings | None
    ) -> None:
        self.model = model
        self.confidence = confidence
        self.top = 0 if confidence is None else confidence.top
        self.sampling = sampling
        self.may_stop = stop_endings(model.tokenizer, sampling.stop)
        self.cancelled = cancelled
        self.closed = threading.Event()
        self._last_prompt = threading.local()

    def draw(self, request: Request, start: int, stop: int) -> list[Sample]:
        """Samples [start, stop) of a request's problem; an empty list if the call has been ended.

        Raises:
            UserError: the prompt is empty or too long.
        """
        if self.sampling.temperature > 0:
            return self._draw(request, np.arange(start, stop))
        samples = self._draw(request, np.arange(start, start + 1))
        return [replace(sample, index=i) for sample in samples for i in range(start, stop)]

    def _draw(self, request: Request, indices: NDArray[np.int64]) -> list[Sample]:
        sampling, count = self.sampling, len(indices)
        prompt, prefill = self._prompt(request)
        limit = self._limit(request, len(prompt))
        completions = Completions(self.model.tokenizer, prompt, sampling.stop)
        u = np.stack([uniforms(sampling.seed, request.problem_id, int(index), limit) for index in indices])
        drawn = PartialSamples(count, limit, with_confidences=self.top > 0)
        minimum = self.model.decoder.minimum_rows
        # Row j of the batch belongs to sample slots[j], and is live until that sample ends.
        slots = np.resize(np.arange(count), max(count, minimum))
        live = np.arange(len(slots)) < count
        batch = self.model.decoder.expand(prefill, len(slots))
        for t in range(limit):
            if self.closed.is_set() or self.cancelled.is_set():
                return []
            running = slots[live]
            rows = np.flatnonzero(live)
            choice = batch.choose(rows, sampling.temperature, sampling.top_p, u[running, t], self.top)
            drawn.append(running, t, choice)
            live[live] = ~self._ended(drawn, running, completions)
            unfinished = int(live.sum())
            if unfinished == 0 or t + 1 == limit:
                break
            if unfinished <= SHRINK_AT * len(slots) and len(slots) > minimum:
                kept = np.argsort(~live, kind="stable")[: max(unfinished, minimum)]
                batch.select(kept)
                slots, live = slots[kept], live[kept]
            batch.step(drawn.tokens[slots, t])
        finished = Finished(request, len(prompt), completions, drawn, self.confidence)
        return [finished.sample(row, int(index)) for row, index in enumerate(indices)]

    def _ended(
        self, drawn: "PartialSamples", running: NDArray[np.int64], completions: Completions
    ) -> NDArray[np.bool_]:
        """Which of these samples their last token ends, as an end-of-text token or the end of a stop string."""
        last = drawn.tokens[running, drawn.lengths[running] - 1]
        drawn.at_end[running] = np.isin(last, self.model.end_tokens)
        for row in running[self.may_stop.take(last, mode="clip") & ~drawn.at_end[running]]:
            drawn.at_stop[row] = completions.stops(drawn.ids(row))
        return drawn.at_end[running] | drawn.at_stop[running]

    def _prompt(self, request: Request) -> "EncodedPrompt":
        """The prompt's tokens and cache. Each thread keeps those of the last prompt, as parts of a request follow each
        other."""
        last: tuple[str, EncodedPrompt] | None = getattr(self._last_prompt, "value", None)
        if last is None or last[0] != request.prompt:
            ids = self.model.tokenizer.encode(request.prompt).ids
            self._limit(request, len(ids))
            last = (request.prompt, EncodedPrompt(ids, self.model.decoder.prefill(ids)))
            self._last_prompt.value = last
        return last[1]

    def _limit(self, request: Request, prompt_tokens: int) -> int:
        """The maximum length of a completion in tokens."""
        if prompt_tokens == 0:
            raise UserError(f"problem {request.problem_id!r}: its prompt is empty; it must have at least one token")
        if self.model.context is None:
            return self.sampling.max_tokens
        room = self.model.context - prompt_tokens
        if room < 1:
            raise UserError(
                f"problem {request.problem_id!r}: its prompt has {prompt_tokens} tokens, and the model's context is"
                f" {self.model.context} tokens, completion included"
            )
        return min(room, self.sampling.max_tokens)


class EncodedPrompt(NamedTuple):
    """A prompt's token ids, and the decoder's state after them."""

    ids: list[int]
    prefill: Any


class PartialSamples:
    """Samples being drawn: `tokens` and, where they are asked for, `confidences`, [samples, limit]; the number of
    tokens, log-probability and end of each, [samples]."""

    def __init__(self, samples: int, limit: int, *, with_confidences: bool = False) -> None:
        self.tokens = np.zeros((samples, limit), np.int64)
        self.confidences = np.zeros((samples, limit)) if with_confidences else None
        self.lengths = np.zeros(samples, np.int64)
        self.logprobs = np.zeros(samples)
        self.at_end = np.zeros(samples, np.bool_)
        self.at_stop = np.zeros(samples, np.bool_)

    def append(self, rows: NDArray[np.int64], t: int, choice: Choice) -> None:
        """Set token `t` of these samples."""
        self.tokens[rows, t] = choice.tokens
        self.logprobs[rows] += choice.logprobs
        if self.confidences is not None:
            self.confidences[rows, t] = choice.confidences
        self.lengths[rows] = t + 1

    def ids(self, row: int) -> list[int]:
        """The tokens of one sample so far."""
        ids: list[int] = self.tokens[row, : self.lengths[row]].tolist()
        return ids


class Finished(NamedTuple):
    """A batch all of whose samples are finished."""

    request: Request
    prompt_tokens: int
    completions: Completions
    drawn: PartialSamples
    confidence: ConfidenceSettings | None

    def sample(self, row: int, index: int) -> Sample:
        """The sample in a row of the batch, as sample `index` of its problem."""
        drawn = self.drawn
        ids = drawn.ids(row)
        whole = bool(drawn.at_end[row] or drawn.at_stop[row])
        confidence = None
        if drawn.confidences is not None and self.confidence is not None:
            confidence = sample_confidence(drawn.confidences[row, : len(ids)], self.confidence)
        return Sample(
            problem_id=self.request.problem_id,
            index=index,
            text=self.completions.text(ids[:-1] if drawn.at_end[row] else ids, whole=whole),
            prompt_tokens=self.prompt_tokens,
            tokens=len(ids),
            logprob=float(drawn.logprobs[row]),
            finish_reason="stop" if whole else "length",
            confidence=confidence,
        )
