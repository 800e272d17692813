"""Samples from servers that speak the OpenAI API. `tasks.engines.openai` says what is reproducible, and opens this.

One event loop in a thread of the engine's own sends all requests; calls of `sample` share its limit of requests in
flight, the oldest call first, so that a call's last replies come in while the next one's requests fill the server. A
request that fails is tried again, on another replica where there is one; what came before a failure for good is
handed over first.
"""

import asyncio
import itertools
import math
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple, Self

from tasks.engines import seeds
from tasks.engines.http.adaptive_limit import AdaptiveLimit
from tasks.engines.http.call import Call, Part, cause_of
from tasks.engines.http.client import Client, RejectedRequestError, RetryableRequestError
from tasks.engines.http.protocol import Api, Choice, Reply, Wire
from tasks.engines.http.replicas import Replica, Replicas, backoff
from tasks.errors import EngineFailedError, SamplingCancelledError, UserError
from tasks.progress import progress
from tasks.records import Request, Sample, Sampling

SAMPLES_A_CALL = 1_600
"""What a call of `sample` usually asks for: a block of 16 problems × 100 samples."""
UNREAD_A_SLOT = 4
"""Replies per request in flight that may wait for the caller to take them."""
LONGEST_WAIT_S = 900.0
"""A server that asks for a longer wait has given out its quota; the sweep ends, and can go on later."""
ADVICE = [
    ("logprobs", "set engine.logprobs: false"),
    ("seed", "set engine.seeds: false"),
    ("context", "shorten its prompt, or lower sampling.max_tokens"),
    ("max_tokens", "lower sampling.max_tokens"),
    ("Too Large", "shorten its prompt"),
]
"""What helps where a refusal holds a word."""
QUIET_S = 30.0
"""The same trouble is told of once in this time."""


class ServerUnreachableError(EngineFailedError):
    """No server answers any more: refused, reset, or silent until the timeout."""


class Asked(NamedTuple):
    """The reply to a request, and how many completions that asked for."""

    reply: Reply
    n: int


class OpenAIEngine:
    """A client of one or several servers that offer the same model.

    Args:
        base_urls: replicas, each with the path that requests go below, such as `http://localhost:8000/v1`.
        model: its name on the servers.
        api: `completions` or `chat`.
        api_key: sent as a bearer token; in no message.
        api_key_env: where it came from, for messages.
        n_per_request: most samples that one request asks for.
        concurrency: most requests in flight, over all calls of `sample` and all replicas.
        timeout_s: seconds that a request may take.
        retries: how many retries of a request may fail in a row, with none of any request succeeding meanwhile.
        logprobs: whether log-probabilities are asked for.
        seeds_sent: whether a request for samples [a, b) says `seed = base + a` (`tasks.engines.seeds`).
        extra: further fields of every request.
        deterministic: what the engine promises. True also says that choice i of a seeded request has seed + i.
        vllm: whether the servers are vLLM: then token counts come by choice, and log-probabilities cost less.
        version: what drew the samples.
        backoff_s: the first back-off, at most; each further one is twice as long.
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
        version: str = "OpenAI API",
        backoff_s: float = 0.5,
    ) -> None:
        self.deterministic = deterministic
        self.version = version
        # This many calls fill the limit, and one more fills in for the last samples of the oldest.
        self.max_concurrent_calls = min(16, 1 + math.ceil(concurrency * n_per_request / SAMPLES_A_CALL))
        self.timeout_s = timeout_s
        self.retries = retries
        self.seeds_sent = seeds_sent
        self.n_per_request = n_per_request
        self.wire = Wire(model, api, logprobs, extra or {}, vllm)
        self.limit = AdaptiveLimit(concurrency)
        self.replicas = Replicas([url.rstrip("/") for url in base_urls], backoff_s)
        self._key, self._key_env = api_key, api_key_env
        self._seeds_counted = deterministic or not seeds_sent
        self._answered = 0
        self._told: dict[str, float] = {}
        self._numbers = itertools.count()
        self._calls: set[Call] = set()
        self._cancelled = threading.Event()
        self._opening = threading.Lock()
        self._thread: threading.Thread | None = None

    # The caller's side: any thread.

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, *exc: object) -> None:
        """End what still runs, for good, and the connections."""
        self._cancelled.set()
        with self._opening:
            if self._thread is not None:
                self._loop.call_soon_threadsafe(self._over.set)
                self._thread.join()
                self._thread = None

    def cancel(self) -> None:
        """End all calls of `sample` and drop their connections."""
        self._cancelled.set()
        self._in_loop(self._end_calls)

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, as replies come in. With temperature 0, one is drawn of each request.

        Raises:
            UserError: the servers refuse a request: key, model, or a prompt that is too long.
            ServerUnreachableError: no server answers any more.
            EngineFailedError: requests fail again and again.
            SamplingCancelledError: `cancel` was called, or the engine was closed.
        """
        wanted = [request for request in requests if request.stop > request.start]
        if not wanted:
            return
        if self._cancelled.is_set():
            raise SamplingCancelledError("sampling was given up")
        self._open()
        call = Call(next(self._numbers), wanted, sampling, progress.get(), ignored=UNREAD_A_SLOT * self.limit.most)
        workers = min(self.limit.most, sum(request.stop - request.start for request in wanted))
        if not self._in_loop(self._begin, call, workers):
            raise SamplingCancelledError("the engine was closed")
        try:
            yield from call.batches()
        finally:
            self._in_loop(call.give_up)

    @property
    def in_flight(self) -> int:
        """How many requests are, in any thread's eyes."""
        return self.limit.held

    def _in_loop(self, do: Callable[..., object], *arguments: object) -> bool:
        """Have the event loop do something; False where it is over."""
        with self._opening:
            if self._thread is not None:
                self._loop.call_soon_threadsafe(do, *arguments)
            return self._thread is not None

    def _open(self) -> None:
        with self._opening:
            if self._thread is None:
                ready: Future[None] = Future()
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._live(ready)), name="openai-client", daemon=True
                )
                self._thread.start()
                ready.result()

    # The event loop's side.

    async def _live(self, ready: "Future[None]") -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        try:
            self._client = Client(self.wire, self._key, self.timeout_s, self.limit.most)
        except BaseException as error:
            ready.set_exception(error)
            raise
        ready.set_result(None)
        await self._over.wait()
        calls = list(self._calls)
        self._end_calls()
        for call in calls:
            await call.ended()
        await self._client.close()

    def _begin(self, call: Call, workers: int) -> None:
        self._calls.add(call)
        task = self._loop.create_task(self._drive(call, workers))
        # A task that is cancelled before it began runs none of its code.
        task.add_done_callback(lambda _: self._finished(call, task))
        call.begin(task)
        if self._cancelled.is_set():
            self._end_calls()

    def _end_calls(self) -> None:
        for call in self._calls:
            call.give_up()

    async def _drive(self, call: Call, workers: int) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(workers):
                group.create_task(self._work(call))

    def _finished(self, call: Call, task: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        call.end(SamplingCancelledError("sampling was given up") if task.cancelled() else cause_of(task.exception()))

    async def _work(self, call: Call) -> None:
        while (part := await call.next(self.n_per_request)) is not None:
            try:
                asked = await self._ask(call, part)
            except RejectedRequestError as refused:
                if len(part) == 1 or call.greedy or refused.status not in {400, 422}:
                    raise await self._input_error(refused, part) from refused
                # It may be the number that is refused. The first of them alone will show whether it was the prompt.
                call.give_back(Part(part.request, part.start, part.stop, one_at_a_time=True, refused=True))
                call.done([])
            else:
                call.done(self._samples(call, part, asked))

    def _samples(self, call: Call, part: Part, asked: Asked) -> list[Sample]:
        """What a reply gives of a part; the rest is given back."""
        request, reply = part.request, asked.reply
        if call.greedy:
            came = dict.fromkeys(range(part.start, part.stop), reply.choices[min(reply.choices)])
        else:
            came = {part.start + place: choice for place, choice in self._believed(call, part, asked).items()}
        return [
            Sample(
                request.problem_id,
                i,
                each.text,
                reply.prompt_tokens,
                each.tokens,
                each.logprob,
                each.finish_reason,
                cached_prompt_tokens=reply.cached_prompt_tokens,
            )
            for i, each in came.items()
        ]

    def _believed(self, call: Call, part: Part, asked: Asked) -> dict[int, Choice]:
        """The choices that are distinct samples, by position; indices of the others are given back."""
        choices = asked.reply.choices
        suspected_duplicate = None
        if part.refused:
            self._fall_back_to_n_1(call, "refuses requests for several samples")
        if part.suspected_duplicate is not None and choices[0].text != part.suspected_duplicate:
            self._fall_back_to_n_1(call, "gives one sample several times where a seed is sent")
        if len(choices) < asked.n:
            self._fall_back_to_n_1(call, "gives fewer samples than a request asks for")
        elif asked.n > 1 and not self._seeds_counted:
            # Some servers give every choice the request's own seed, and so one sample n times. Where all are equal, the
            # others are drawn again by themselves; where they come out differently, that is what happened.
            texts = {choice.text for choice in choices.values()}
            self._seeds_counted = len(texts) > 1
            if not self._seeds_counted:
                suspected_duplicate = texts.pop()
                choices = {0: choices[0]}
        for place in range(asked.n):
            if place not in choices:
                index = part.start + place
                call.give_back(
                    Part(part.request, index, index + 1, one_at_a_time=True, suspected_duplicate=suspected_duplicate)
                )
        return choices

    def _fall_back_to_n_1(self, call: Call, why: str) -> None:
        if self.n_per_request > 1:
            self.n_per_request = 1
            call.listener.say(f"the server {why}: going on with one sample a request")

    async def _ask(self, call: Call, part: Part) -> Asked:
        """The reply to a request for a part, however often that takes.

        Raises:
            RejectedRequestError: the server will not.
            EngineFailedError: too many failures in a row.
        """
        n = 1 if call.greedy else len(part)
        seed = seeds.base_seed(call.sampling.seed, part.request.problem_id) + part.start if self.seeds_sent else None
        tried: set[Replica] = set()
        failures, answered = 0, self._answered
        body = self.wire.body(part.request.prompt, n, seed, call.sampling)
        while True:
            try:
                return Asked(await self._try(call, body, n, tried), n)
            except RejectedRequestError as refused:
                if self.wire.learn(str(refused), body):
                    body = self.wire.body(part.request.prompt, n, seed, call.sampling)
                elif refused.status != 400 or not self.wire.lengthen(body):
                    raise
                continue
            except RetryableRequestError as failure:
                failed = failure
            if self.replicas.awake(tried):
                continue
            tried.clear()
            failures = failures + 1 if answered == self._answered else 1
            answered = self._answered
            if failed.wait_s is not None and failed.wait_s > LONGEST_WAIT_S:
                raise EngineFailedError(f"{failed}, and is to be left alone for {failed.wait_s:,.0f} s")
            if failures > self.retries:
                kind = ServerUnreachableError if failed.away else EngineFailedError
                raise kind(f"{failed} (the last of {failures} failures in a row)" if failures > 1 else str(failed))
            if failures > 1:
                self._tell(call, "failing", f"{failed}; trying again")
            await asyncio.sleep(backoff(self.replicas.first_s, failures))

    async def _try(self, call: Call, body: dict[str, Any], n: int, tried: set[Replica]) -> Reply:
        """One request to one replica, which is then among those tried."""
        async with self.limit.slot(call.priority) as sent:
            replica = await self.replicas.choose(tried)
            tried.add(replica)
            replica.in_flight += 1
            try:
                reply = await self._client.post(replica.url, body, n)
            except RetryableRequestError as failure:
                if failure.congested and self.limit.refused(sent):
                    self._tell(call, "congested", f"{failure}; going on with fewer requests at once")
                rested = self.replicas.failed(replica, unreachable=failure.away, wait_s=failure.wait_s)
                if rested and len(self.replicas.all) > 1:
                    self._tell(call, replica.url, f"{failure}; going on with the other replicas")
                raise
            finally:
                replica.in_flight -= 1
        self.replicas.answered(replica)
        self.limit.succeeded()
        self._answered += 1
        return reply

    async def _input_error(self, refused: RejectedRequestError, part: Part) -> UserError:
        """A refusal as what the user can do about it."""
        status, url, said = refused.status, refused.url, str(refused)
        if status in {401, 403}:
            key = f"the key in {self._key_env}" if self._key_env else "a request without the right key"
            return UserError(f"engine.api_key_env: {url} refuses {key} ({status}: {said})")
        if status < 400:
            return UserError(f"engine.base_urls: {url} answers {status} ({said}); give the URL that answers itself")
        if status == 404:
            models = await self._client.models(url)
            if models and self.wire.model not in models:
                return UserError(f"engine.model: {url} has no {self.wire.model!r}; it offers {', '.join(models)}")
            return UserError(
                f"engine.base_urls: {url} has no {self.wire.path} for {self.wire.model!r} (404: {said}); such a URL"
                " usually ends in /v1, and engine.api is completions or chat"
            )
        advice = next((f"; {advice}" for word, advice in ADVICE if word in said), "")
        return UserError(f"problem {part.request.problem_id!r}: {url} refuses its request ({status}: {said}){advice}")

    def _tell(self, call: Call, trouble: str, line: str) -> None:
        now = time.monotonic()
        if now - self._told.get(trouble, -math.inf) > QUIET_S:
            self._told[trouble] = now
            call.listener.say(line)
