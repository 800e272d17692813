"""Sends one request until it is answered: retries, replicas, the number in flight, and what the user is told."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tasks.engines import seeds
from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.http.adaptive_limit import AdaptiveLimit
from tasks.engines.http.call import Call, Part
from tasks.engines.http.client import Client, RejectedRequestError, RetryableRequestError
from tasks.engines.http.protocol import Api, Reply, Wire
from tasks.engines.http.replicas import Replica, Replicas, backoff
from tasks.errors import EngineFailedError, UserError

LONGEST_WAIT_S = 900.0
"""A server that asks for a longer wait has used up its quota: the sweep ends, and can be resumed later."""
ADVICE = [
    ("logprobs", "set engine.logprobs: false"),
    ("seed", "set engine.seeds: false"),
    ("context", "shorten its prompt, or lower sampling.max_tokens"),
    ("max_tokens", "lower sampling.max_tokens"),
    ("Too Large", "shorten its prompt"),
]
"""What helps if a refusal contains a word; the first match counts."""
QUIET_S = 30.0
"""The same problem is reported at most once in this time."""


class ServerUnreachableError(EngineFailedError):
    """No server answers any more: connections are refused or reset, or nothing comes before the timeout."""


class Response(NamedTuple):
    """A reply, and the number of completions that its request asked for."""

    reply: Reply
    n: int


class Requester:
    """Sends requests to the replicas. `client` must be set before the first request; belongs to its event loop."""

    client: Client

    def __init__(
        self,
        *,
        base_urls: Sequence[str],
        model: str,
        api: Api,
        api_key: str | None,
        api_key_env: str | None,
        concurrency: int,
        timeout_s: float,
        retries: int,
        logprobs: bool,
        seeds_sent: bool,
        extra: Mapping[str, Any],
        vllm: bool,
        confidence: ConfidenceSettings | None,
        backoff_s: float,
    ) -> None:
        self.wire = Wire(model, api, logprobs, extra, vllm, confidence)
        self.limit = AdaptiveLimit(concurrency)
        self.replicas = Replicas([url.rstrip("/") for url in base_urls], backoff_s)
        self._key, self._key_env = api_key, api_key_env
        self._timeout_s = timeout_s
        self._retries = retries
        self._seeds_sent = seeds_sent
        self._answered = 0
        self._reported_at: dict[str, float] = {}

    def connect(self) -> None:
        """Make the client, in the event loop that it will belong to."""
        self.client = Client(self.wire, self._key, self._timeout_s, self.limit.maximum)

    async def request(self, call: Call, part: Part) -> Response:
        """Ask for the samples of a part, with as many retries as it takes.

        Raises:
            RejectedRequestError: the server refuses the request for good.
            EngineFailedError: too many failures in a row.
        """
        n = 1 if call.greedy else len(part)
        first_seed = seeds.base_seed(call.sampling.seed, part.request.problem_id) + part.start
        seed = first_seed if self._seeds_sent else None
        tried: set[Replica] = set()
        failures, answered = 0, self._answered
        body = self.wire.body(part.request.prompt, n, seed, call.sampling)
        while True:
            try:
                return Response(await self._try_once(call, body, n, tried), n)
            except RejectedRequestError as refusal:
                if self.wire.learn(str(refusal), body):
                    body = self.wire.body(part.request.prompt, n, seed, call.sampling)
                elif refusal.status != 400 or not self.wire.use_rest_of_context(body):
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
                raise EngineFailedError(f"{failed}, and asks for no requests for {failed.wait_s:,.0f} s")
            if failures > self._retries:
                kind = ServerUnreachableError if failed.unreachable else EngineFailedError
                raise kind(f"{failed} (the last of {failures} failures in a row)" if failures > 1 else str(failed))
            if failures > 1:
                self._report(call, "failing", f"{failed}; trying again")
            await asyncio.sleep(backoff(self.replicas.first_s, failures))

    async def _try_once(self, call: Call, body: dict[str, Any], n: int, tried: set[Replica]) -> Reply:
        """Send one request to one replica, and add that to `tried`."""
        async with self.limit.slot(call.priority) as sent:
            replica = await self.replicas.choose(tried)
            tried.add(replica)
            replica.in_flight += 1
            try:
                reply = await self.client.post(replica.url, body, n)
            except RetryableRequestError as failure:
                if failure.congested and self.limit.refused(sent):
                    self._report(call, "congested", f"{failure}; continuing with fewer concurrent requests")
                rested = self.replicas.failed(replica, unreachable=failure.unreachable, wait_s=failure.wait_s)
                if rested and len(self.replicas.all) > 1:
                    self._report(call, replica.url, f"{failure}; continuing with the other replicas")
                raise
            finally:
                replica.in_flight -= 1
        self.replicas.answered(replica)
        self.limit.succeeded()
        self._answered += 1
        return reply

    async def user_error(self, refusal: RejectedRequestError, part: Part) -> UserError:
        """A refusal, in terms of what the user can do about it."""
        status, url, said = refusal.status, refusal.url, str(refusal)
        if status in {401, 403}:
            key = f"the key in {self._key_env}" if self._key_env else "a request without the right key"
            return UserError(f"engine.api_key_env: {url} refuses {key} ({status}: {said})")
        if status < 400:
            return UserError(f"engine.base_urls: {url} answers {status} ({said}); give the URL it redirects to")
        if status == 404:
            models = await self.client.models(url)
            if models and self.wire.model not in models:
                return UserError(f"engine.model: {url} has no {self.wire.model!r}; it offers {', '.join(models)}")
            return UserError(
                f"engine.base_urls: {url} has no {self.wire.path} for {self.wire.model!r} (404: {said}); such a URL"
                " usually ends in /v1, and engine.api is completions or chat"
            )
        advice = next((f"; {advice}" for word, advice in ADVICE if word in said), "")
        if "logprobs" in said and self.wire.confidence is not None:
            advice = "; lower engine.confidence.top, or leave out engine.confidence"
        return UserError(f"problem {part.request.problem_id!r}: {url} refuses its request ({status}: {said}){advice}")

    def _report(self, call: Call, problem: str, line: str) -> None:
        now = time.monotonic()
        if now - self._reported_at.get(problem, -math.inf) > QUIET_S:
            self._reported_at[problem] = now
            call.listener.say(line)
