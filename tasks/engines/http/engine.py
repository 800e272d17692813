"""Samples from servers that speak the OpenAI API. `tasks.engines.openai` opens this, and says what is reproducible.

One event loop, in the engine's thread, sends all requests. Calls of `sample` share its limit of requests in flight, the
oldest call first, so that a call's last replies arrive while the next call's requests keep the server busy. A request
that fails is retried, on another replica if there is one; what arrived before a permanent failure is yielded first.
"""

import asyncio
import itertools
import math
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Self

from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.http.call import Call, Part, cause_of
from tasks.engines.http.choices import ChoiceReader
from tasks.engines.http.client import RejectedRequestError
from tasks.engines.http.protocol import Api
from tasks.engines.http.requester import Requester
from tasks.errors import SamplingCancelledError
from tasks.progress import progress
from tasks.records import Request, Sample, Sampling

SAMPLES_PER_CALL = 1_600
"""What a call of `sample` usually asks for: a block of 16 problems × 100 samples."""
UNREAD_PER_SLOT = 4
"""Replies per request in flight that may wait for the caller to read them."""


class OpenAIEngine:
    """A client of one or several servers that offer the same model.

    Args:
        base_urls: replicas, each with the path that requests go below, such as `http://localhost:8000/v1`.
        model: its name on the servers.
        api: `completions` or `chat`.
        api_key: sent as a bearer token; never part of a message.
        api_key_env: the environment variable that it came from, for messages.
        n_per_request: maximum samples that one request asks for.
        concurrency: maximum requests in flight, over all calls of `sample` and all replicas.
        timeout_s: seconds that a request may take.
        retries: how many retries of a request may fail in a row while no other request succeeds.
        logprobs: whether log-probabilities are asked for.
        seeds_sent: whether a request for samples [a, b) sends `seed = base + a` (`tasks.engines.seeds`).
        extra: further fields of every request.
        deterministic: see `Engine.deterministic`. True also means that choice i of a seeded request has seed + i.
        vllm: whether the servers are vLLM, which counts tokens per choice and returns log-probabilities at less cost.
        confidence: which confidences are kept of every sample; None: none.
        version: what drew the samples.
        backoff_s: upper bound of the first back-off, in seconds; it doubles with each further one.
    """

    def __init__(
        self,
        *,
        base_urls: Sequence[str],
        model: str,
        api: Api = "completions",
        api_key: str | None = None,
        api_key_env: str | None = None,
        n_per_request: int = 32,
        concurrency: int = 32,
        timeout_s: float = 600.0,
        retries: int = 8,
        logprobs: bool = True,
        seeds_sent: bool = True,
        extra: Mapping[str, Any] | None = None,
        deterministic: bool = False,
        vllm: bool = False,
        confidence: ConfidenceSettings | None = None,
        version: str = "OpenAI API",
        backoff_s: float = 0.5,
    ) -> None:
        self.deterministic = deterministic
        self.version = version
        # This many calls fill the limit; one more keeps the servers busy while the oldest waits for its last replies.
        self.max_concurrent_calls = min(16, 1 + math.ceil(concurrency * n_per_request / SAMPLES_PER_CALL))
        self.choices = ChoiceReader(n_per_request, distinct=deterministic or not seeds_sent)
        self.requester = Requester(
            base_urls=base_urls,
            model=model,
            api=api,
            api_key=api_key,
            api_key_env=api_key_env,
            concurrency=concurrency,
            timeout_s=timeout_s,
            retries=retries,
            logprobs=logprobs,
            seeds_sent=seeds_sent,
            extra=extra or {},
            vllm=vllm,
            confidence=confidence,
            backoff_s=backoff_s,
        )
        self._priorities = itertools.count()
        self._calls: set[Call] = set()
        self._cancelled = threading.Event()
        self._opening = threading.Lock()
        self._thread: threading.Thread | None = None

    # The caller's side: any thread.

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *exc: object) -> None:
        """End all calls for good, and close the connections."""
        self._cancelled.set()
        with self._opening:
            if self._thread is not None:
                self._loop.call_soon_threadsafe(self._over.set)
                self._thread.join()
                self._thread = None

    def cancel(self) -> None:
        """End all calls of `sample` for good, and drop their connections."""
        self._cancelled.set()
        self._in_loop(self._cancel_calls)

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, as replies arrive. At temperature 0, each request is sent once, with n = 1.

        Raises:
            UserError: the servers refuse a request: the key, the model, or a prompt that is too long.
            ServerUnreachableError: no server answers any more.
            EngineFailedError: requests keep failing.
            SamplingCancelledError: `cancel` was called, or the engine was closed.
        """
        wanted = [request for request in requests if request.stop > request.start]
        if not wanted:
            return
        if self._cancelled.is_set():
            raise SamplingCancelledError("sampling was cancelled")
        self._open()
        limit = self.requester.limit.maximum
        call = Call(next(self._priorities), wanted, sampling, progress.get(), max_unread=UNREAD_PER_SLOT * limit)
        workers = min(limit, sum(request.stop - request.start for request in wanted))
        if not self._in_loop(self._start, call, workers):
            raise SamplingCancelledError("the engine was closed")
        try:
            yield from call.batches()
        finally:
            self._in_loop(call.cancel)

    @property
    def in_flight(self) -> int:
        """The number of requests in flight; may be read in any thread."""
        return self.requester.limit.held

    def _in_loop(self, do: Callable[..., object], *arguments: object) -> bool:
        """Have the event loop call something; False if the loop has ended."""
        with self._opening:
            if self._thread is not None:
                self._loop.call_soon_threadsafe(do, *arguments)
            return self._thread is not None

    def _open(self) -> None:
        with self._opening:
            if self._thread is None:
                ready: Future[None] = Future()
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._run(ready)), name="openai-client", daemon=True
                )
                self._thread.start()
                ready.result()

    # The event loop's side.

    async def _run(self, ready: "Future[None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        try:
            self.requester.connect()
        except BaseException as error:
            ready.set_exception(error)
            raise
        ready.set_result(None)
        await self._over.wait()
        calls = list(self._calls)
        self._cancel_calls()
        for call in calls:
            await call.wait_ended()
        await self.requester.client.close()

    def _start(self, call: Call, workers: int) -> None:
        self._calls.add(call)
        task = self._loop.create_task(self._work_together(call, workers))
        # A task that is cancelled before it starts runs none of its code.
        task.add_done_callback(lambda _: self._finished(call, task))
        call.started(task)
        if self._cancelled.is_set():
            self._cancel_calls()

    def _cancel_calls(self) -> None:
        for call in self._calls:
            call.cancel()

    async def _work_together(self, call: Call, workers: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(call))

    def _finished(self, call: Call, task: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        call.end(SamplingCancelledError("sampling was cancelled") if task.cancelled() else cause_of(task.exception()))

    async def _work(self, call: Call) -> None:
        while (part := await call.next_part(self.choices.n_per_request)) is not None:
            try:
                response = await self.requester.request(call, part)
            except RejectedRequestError as refusal:
                if len(part) == 1 or call.greedy or refusal.status not in {400, 422}:
                    raise await self.requester.user_error(refusal, part) from refusal
                # Perhaps only n is refused: the first sample alone will show whether it was the prompt.
                call.put_back(Part(part.request, part.start, part.stop, one_at_a_time=True, refused=True))
                call.done([])
            else:
                call.done(self.choices.samples(call, part, response))
