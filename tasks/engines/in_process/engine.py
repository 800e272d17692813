"""An engine around a decoder in this process: requests cut into batches, each drawn by a thread."""

import json
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Self

from tokenizers import Tokenizer

from tasks.engines.in_process.decoding import Decoding, Model
from tasks.errors import SamplingCancelledError, UserError
from tasks.records import Request, Sample, Sampling


class Part(NamedTuple):
    """A stretch of a request that is drawn as one batch."""

    request: Request
    start: int
    stop: int


class InProcessEngine:
    """A loaded model. Each of its threads draws another batch."""

    max_concurrent_calls = 1

    def __init__(self, model: Model, version: str, deterministic: bool, batch_size: int, threads: int) -> None:
        self.model = model
        self.version = version
        self.deterministic = deterministic
        self.batch_size = batch_size
        self.threads = threads
        self.cancelled = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """End what still runs; the model goes with the object."""
        self.cancelled.set()

    def cancel(self) -> None:
        """End all calls of `sample`, each after the token that it is drawing."""
        self.cancelled.set()

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, a batch at a time, as batches finish.

        Raises:
            UserError: a prompt is empty, or leaves no room for an answer.
            SamplingCancelledError: `cancel` was called.
        """
        wanted = [request for request in requests if request.stop > request.start]
        if not wanted:
            return
        drawing = Decoding(self.model, sampling, self.cancelled)
        # Few requests are cut finer, to use all threads; how they are cut changes no sample.
        finer = -(-self.threads // len(wanted))
        parts = [part for request in wanted for part in _cut(request, self.batch_size, finer)]
        with ThreadPoolExecutor(min(self.threads, len(parts)), "drawing") as pool:
            futures = [pool.submit(drawing.draw, *part) for part in parts]
            try:
                for future in as_completed(futures):
                    samples = future.result()
                    if self.cancelled.is_set():
                        raise SamplingCancelledError("sampling was given up")
                    yield samples
            finally:
                drawing.given_up.set()
                for future in futures:
                    future.cancel()


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer of a `tokenizer.json`; raises UserError if it is not one."""
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:
        raise UserError(f"{path}: not a tokenizer ({str(error).splitlines()[0]})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def end_tokens(folder: Path) -> list[int]:
    """Ids that end a text: generation_config.json says, or else config.json; perhaps none."""
    for name in ("generation_config.json", "config.json"):
        ids = read_json(folder / name).get("eos_token_id")
        if ids is not None:
            return [ids] if isinstance(ids, int) else list(ids)
    return []


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; an absent one is empty. Raises UserError where it is broken."""
    if not path.is_file():
        return {}
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: broken JSON ({error})") from error
    return content


def _cut(request: Request, most: int, parts: int) -> Iterator[Part]:
    """Cut a request into stretches of near-equal size: at least `parts` where it has that many, `most` long at most."""
    count = request.stop - request.start
    parts = min(count, max(parts, -(-count // most)))
    edges = [request.start + count * i // parts for i in range(parts + 1)]
    return (Part(request, start, stop) for start, stop in pairwise(edges))
