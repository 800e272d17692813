"""An engine with a decoder in this process: it cuts requests into batches, each of which a thread draws."""

import json
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

from tokenizers import Tokenizer

from sandboxes.errors import first_line
from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.in_process.decoding import Decoding, Model
from tasks.errors import SamplingCancelledError, UserError
from tasks.records import Request, Sample, Sampling


class Part(NamedTuple):
    """Samples [start, stop) of a request, drawn as one batch."""

    request: Request
    start: int
    stop: int


class InProcessEngine:
    """A loaded model; each thread draws one batch at a time."""

    max_concurrent_calls = 1

    def __init__(
        self,
        model: Model,
        version: str,
        deterministic: bool,
        batch_size: int,
        threads: int,
        *,
        confidence: ConfidenceSettings | None,
    ) -> None:
        self.confidence = confidence
        self.model = model
        self.version = version
        self.deterministic = deterministic
        self.batch_size = batch_size
        self.threads = threads
        self.cancelled = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """End all calls of `sample`; the model is freed with the object."""
        self.cancelled.set()

    def cancel(self) -> None:
        """End all calls of `sample` after the token that they are drawing."""
        self.cancelled.set()

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, a batch at a time, as batches finish.

        Raises:
            UserError: a prompt is empty, or leaves no room for a completion.
            SamplingCancelledError: `cancel` was called, or the engine was closed.
        """
        wanted = [request for request in requests if request.stop > request.start]
        if not wanted:
            return
        drawing = Decoding(self.model, sampling, self.cancelled, self.confidence)
        # If there are fewer requests than threads, they are cut further; how they are cut changes no sample.
        min_parts = -(-self.threads // len(wanted))
        parts = [part for request in wanted for part in _cut(request, self.batch_size, min_parts)]
        with ThreadPoolExecutor(min(self.threads, len(parts)), "drawing") as pool:
            futures = [pool.submit(drawing.draw, *part) for part in parts]
            try:
                for future in as_completed(futures):
                    samples = future.result()
                    if self.cancelled.is_set():
                        raise SamplingCancelledError("sampling was cancelled")
                    yield samples
            finally:
                drawing.closed.set()
                for future in futures:
                    future.cancel()


def read_tokenizer(path: Path) -> Tokenizer:
    """Load a `tokenizer.json`, without padding and truncation.

    Raises:
        UserError: the file is not a tokenizer.
    """
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise UserError(f"{path}: not a tokenizer ({first_line(error)})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def end_tokens(folder: Path) -> list[int]:
    """The end-of-text ids, from generation_config.json or else config.json; may be empty."""
    for name in ("generation_config.json", "config.json"):
        ids = read_json(folder / name).get("eos_token_id")
        if ids is not None:
            return [ids] if isinstance(ids, int) else list(ids)
    return []


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; empty if there is no such file.

    Raises:
        UserError: the file is not valid JSON.
    """
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: broken JSON ({error})") from error
    return content


def _cut(request: Request, max_samples: int, min_parts: int) -> Iterator[Part]:
    """Cut a request into parts of nearly equal size: at least `min_parts` if it has that many samples, each of at most
    `max_samples`."""
    count = request.stop - request.start
    parts = min(count, max(min_parts, -(-count // max_samples)))
    edges = [request.start + count * i // parts for i in range(parts + 1)]
    return (Part(request, start, stop) for start, stop in pairwise(edges))
