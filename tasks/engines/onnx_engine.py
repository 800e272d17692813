"""Drawing batches of samples with an ONNX decoder. `tasks.engines.onnx` says what is promised, and opens this."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tasks.engines import Request, Sample, Sampling
from tasks.engines.completions import Completions, stop_endings
from tasks.engines.onnx_decoder import MINIMUM_ROWS, Decoder, Prefill
from tasks.engines.sampling import Choice, choose, uniforms
from tasks.errors import CancelledError, InputError

SHRINK_AT = 0.75
"""Finished rows leave the batch once no more than this part of it still runs: taking them out copies the cache, which
costs about as much as a step."""


class Part(NamedTuple):
    """A stretch of a request that is drawn as one batch."""

    request: Request
    start: int
    stop: int


class OnnxEngine:
    """A loaded model. Each of its threads draws another batch; ONNX Runtime itself runs on one thread a call."""

    deterministic = True
    side_by_side = 1

    def __init__(self, folder: Path, batch_size: int, threads: int) -> None:
        self.decoder = Decoder(folder / "model.onnx")
        self.tokenizer = _tokenizer(folder / "tokenizer.json")
        self.end_tokens = _end_tokens(folder)
        self.context: int | None = _json(folder / "config.json").get("max_position_embeddings")
        self.batch_size = batch_size
        self.threads = threads
        self.cancelled = threading.Event()

    @property
    def version(self) -> str:
        """The runtime, such as `onnxruntime 1.31.1`."""
        return self.decoder.version

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing to give back: the session goes with the object."""

    def cancel(self) -> None:
        """End all calls of `sample`, each after the token that it is drawing."""
        self.cancelled.set()

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Iterator[list[Sample]]:
        """Yield every requested sample, a batch at a time, as batches finish.

        Raises:
            InputError: a prompt is empty, or leaves no room for an answer.
            CancelledError: `cancel` was called.
        """
        wanted = [request for request in requests if request.stop > request.start]
        if not wanted:
            return
        drawing = Drawing(self, sampling)
        # Few requests are cut finer, to use all threads; how they are cut changes no sample.
        finer = -(-self.threads // len(wanted))
        parts = [part for request in wanted for part in _cut(request, self.batch_size, finer)]
        with ThreadPoolExecutor(min(self.threads, len(parts)), "onnx") as pool:
            futures = [pool.submit(drawing.draw, part) for part in parts]
            try:
                for future in as_completed(futures):
                    samples = future.result()
                    if self.cancelled.is_set():
                        raise CancelledError("sampling was given up")
                    yield samples
            finally:
                drawing.given_up.set()
                for future in futures:
                    future.cancel()


class Drawing:
    """One call of `sample`: what all of its batches share."""

    def __init__(self, engine: OnnxEngine, sampling: Sampling) -> None:
        self.engine = engine
        self.sampling = sampling
        self.may_stop = stop_endings(engine.tokenizer, sampling.stop)
        self.given_up = threading.Event()
        self._last_prompt = threading.local()

    def draw(self, part: Part) -> list[Sample]:
        """All samples of a part; none where the call has been given up."""
        if self.sampling.temperature > 0:
            return self._draw(part.request, np.arange(part.start, part.stop))
        samples = self._draw(part.request, np.arange(part.start, part.start + 1))
        return [replace(sample, index=i) for sample in samples for i in range(part.start, part.stop)]

    def _draw(self, request: Request, indices: NDArray[np.int64]) -> list[Sample]:
        sampling, count = self.sampling, len(indices)
        prompt, prefill = self._prompt(request)
        limit = self._limit(request, len(prompt))
        answers = Completions(self.engine.tokenizer, prompt, sampling.stop)
        u = np.stack([uniforms(sampling.seed, request.problem_id, int(index), limit) for index in indices])
        drawn = Drawn(count, limit)
        # Row j of the batch belongs to sample slots[j]; it is live until that sample ends.
        slots = np.resize(np.arange(count), max(count, MINIMUM_ROWS))
        live = np.arange(len(slots)) < count
        batch = self.engine.decoder.expand(prefill, len(slots))
        logits = np.repeat(prefill.logits[None], len(slots), axis=0)
        for t in range(limit):
            if self.given_up.is_set() or self.engine.cancelled.is_set():
                return []
            running = slots[live]
            choice = choose(logits[live], sampling.temperature, sampling.top_p, u[running, t])
            drawn.append(running, t, choice)
            live[live] = ~self._ended(drawn, running, answers)
            still = int(live.sum())
            if still == 0 or t + 1 == limit:
                break
            if still <= SHRINK_AT * len(slots) and len(slots) > MINIMUM_ROWS:
                kept = np.argsort(~live, kind="stable")[: max(still, MINIMUM_ROWS)]
                batch.select(kept)
                slots, live = slots[kept], live[kept]
            logits = batch.step(drawn.tokens[slots, t])
        finished = Finished(request, len(prompt), answers, drawn)
        return [finished.sample(row, int(index)) for row, index in enumerate(indices)]

    def _ended(self, drawn: "Drawn", running: NDArray[np.int64], answers: Completions) -> NDArray[np.bool_]:
        """Which of these samples end with their last token, by an end-of-text token or a stop string."""
        last = drawn.tokens[running, drawn.lengths[running] - 1]
        drawn.at_end[running] = np.isin(last, self.engine.end_tokens)
        for row in running[self.may_stop.take(last, mode="clip") & ~drawn.at_end[running]]:
            drawn.at_stop[row] = answers.stops(drawn.ids(row))
        return drawn.at_end[running] | drawn.at_stop[running]

    def _prompt(self, request: Request) -> "ReadPrompt":
        """The prompt's tokens and cache; a thread keeps the last, as parts of one request follow each other."""
        last: tuple[str, ReadPrompt] | None = getattr(self._last_prompt, "value", None)
        if last is None or last[0] != request.prompt:
            ids = self.engine.tokenizer.encode(request.prompt).ids
            self._limit(request, len(ids))
            last = (request.prompt, ReadPrompt(ids, self.engine.decoder.prefill(ids)))
            self._last_prompt.value = last
        return last[1]

    def _limit(self, request: Request, prompt_tokens: int) -> int:
        """How many tokens may be drawn."""
        if prompt_tokens == 0:
            raise InputError(f"problem {request.problem_id!r}: its prompt is empty; a model continues at least a token")
        if self.engine.context is None:
            return self.sampling.max_tokens
        room = self.engine.context - prompt_tokens
        if room < 1:
            raise InputError(
                f"problem {request.problem_id!r}: its prompt has {prompt_tokens} tokens, and the model reads at most"
                f" {self.engine.context} with the answer"
            )
        return min(room, self.sampling.max_tokens)


class ReadPrompt(NamedTuple):
    """A prompt's token ids, and what the model made of them."""

    ids: list[int]
    prefill: Prefill


class Drawn:
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
    drawn: Drawn

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


def _cut(request: Request, most: int, parts: int) -> Iterator[Part]:
    """Cut a request into stretches of near-equal size: at least `parts` where it has that many, `most` long at most."""
    count = request.stop - request.start
    parts = min(count, max(parts, -(-count // most)))
    edges = [request.start + count * i // parts for i in range(parts + 1)]
    return (Part(request, start, stop) for start, stop in pairwise(edges))


def _tokenizer(path: Path) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise InputError(f"{path}: not a tokenizer ({str(error).splitlines()[0]})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _end_tokens(folder: Path) -> list[int]:
    """Ids that end a text: generation_config.json says, or else config.json; perhaps none."""
    for name in ("generation_config.json", "config.json"):
        ids = _json(folder / name).get("eos_token_id")
        if ids is not None:
            return [ids] if isinstance(ids, int) else list(ids)
    return []


def _json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; an absent one is empty."""
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: broken JSON ({error})") from error
    return content
