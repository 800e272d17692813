"""Requests to servers that score: retries, replicas, and which failures are whose."""

import itertools
import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import httpx

from tasks.engines.http.client import CONNECT_S, RETRYABLE
from tasks.engines.http.protocol import MalformedError, message_of
from tasks.engines.http.replicas import backoff, retry_after
from tasks.engines.http.requester import LONGEST_WAIT_S
from tasks.engines.http.server import headers, one_line, vllm_version, without_proxies
from tasks.errors import ScorerFailedError, ScoringCancelledError, UserError
from tasks.scorers import Unscored
from tasks.scorers.remote.settings import KEY_FIELD, ServerSettings

Result = TypeVar("Result")

FIRST_BACKOFF_S = 0.5
PERSISTENT = 3
"""How often a malformed reply is asked for again: a server that answers nonsense thrice will go on."""

_MAX_REASON = 200


class RejectedError(Exception):
    """A request that the server refuses for good; the message is the server's, with the status."""


class Requester:
    """Sends requests in up to `concurrency` threads."""

    def __init__(self, settings: ServerSettings, backoff_s: float = FIRST_BACKOFF_S) -> None:
        self._urls = [url.rstrip("/") for url in settings.base_urls]
        self._key = settings.key()
        self._settings = settings
        self._backoff_s = backoff_s
        self._turns = itertools.count()
        self._cancelled = threading.Event()
        self._pool = ThreadPoolExecutor(settings.concurrency, "scoring")
        self._http = httpx.Client(
            headers=headers(self._key),
            timeout=httpx.Timeout(settings.timeout_s, connect=min(CONNECT_S, settings.timeout_s)),
            limits=httpx.Limits(max_connections=settings.concurrency, max_keepalive_connections=settings.concurrency),
            mounts=without_proxies(),
        )

    def map(self, ask: Callable[..., Result], *arguments: Any) -> list[Result]:
        """Call something for each argument, in the threads; the results in order, or the first error."""
        futures = [self._pool.submit(ask, *each) for each in zip(*arguments, strict=True)]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()

    def post(self, path: str, body: Mapping[str, Any], read: Callable[[Any], Result]) -> Result:
        """What `read` makes of the JSON in a reply; it raises MalformedError if it cannot.

        Raises:
            MalformedError: the reply stays malformed.
            RejectedError: a server refuses the request for good.
            UserError: a server refuses the key, or has no such path or model.
            ScorerFailedError: no reply after all retries.
            ScoringCancelledError: `cancel` was called.
        """
        failures = malformed = 0
        turn = next(self._turns)
        while True:
            if self._cancelled.is_set():
                raise ScoringCancelledError("scoring was cancelled")
            url = self._urls[turn % len(self._urls)]
            turn += 1
            wait_s = None
            try:
                response = self._http.post(f"{url}/{path}", content=json.dumps(body).encode())
            except httpx.TimeoutException:
                cause = f"{url} gave no answer within {self._settings.timeout_s:g} s"
            except httpx.RequestError as error:
                cause = f"{url} cannot be reached ({one_line(error)})"
            else:
                if response.status_code < 300:
                    try:
                        return read(_json(response.content))
                    except MalformedError:
                        malformed += 1
                        if malformed >= PERSISTENT:
                            raise
                        continue
                cause = self._temporary(url, path, response)
                wait_s = retry_after(response.headers.get("retry-after"))
            failures += 1
            rounds, of_round = divmod(failures, len(self._urls))
            if of_round:
                continue  # another replica may answer at once
            if rounds > self._settings.retries or (wait_s or 0) > LONGEST_WAIT_S:
                raise ScorerFailedError(f"{cause} (the last of {failures} failures in a row)")
            self._cancelled.wait(max(wait_s or 0.0, backoff(self._backoff_s, rounds)))

    def version(self) -> str | None:
        """The software of the first server that says so, such as `vllm 0.33.0`."""
        versions = (vllm_version(self._http, url) for url in self._urls)
        return next((f"vllm {version[:40]}" for version in versions if version), None)

    def cancel(self) -> None:
        """Send no more requests."""
        self._cancelled.set()

    def close(self) -> None:
        """Drop what has not been sent, and all connections."""
        self._cancelled.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    def _temporary(self, url: str, path: str, response: httpx.Response) -> str:
        """Why a request may succeed later; raises if it never will."""
        status, said = response.status_code, message_of(response.content)
        if self._key:
            # Servers may repeat the key.
            said = said.replace(self._key, "…")
        if status in RETRYABLE or status >= 500:
            return f"{url} answers {status}{f' ({said})' if said else ''}"
        if status in {401, 403}:
            variable = self._settings.api_key_env
            sent = f"the key in {variable}" if variable else "a request without a key"
            raise UserError(f"{KEY_FIELD}: {url} refuses {sent} ({status}: {said})")
        if status < 400 or status in {404, 405}:
            raise UserError(f"scorers.base_urls: {url}/{path} does not exist there ({status}: {said or 'no message'})")
        raise RejectedError(f"{status}: {said}")


def unscored(error: MalformedError | RejectedError) -> Unscored:
    """Why the candidates of a request have no score."""
    return Unscored(str(error)[:_MAX_REASON])


def token_count(usage: Any, name: str) -> int | None:
    """A number of tokens among those that a reply reports; None where it is absent or cannot be one."""
    count = usage.get(name) if isinstance(usage, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 2**31 else None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise MalformedError("its reply is not JSON, or is truncated") from error
