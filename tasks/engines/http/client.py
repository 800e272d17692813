"""One request to one server, and whether a failure is worth a retry."""

import asyncio
import json
from typing import Any

import httpx

from tasks.engines.http.protocol import MalformedError, Reply, Wire, message_of
from tasks.engines.http.replicas import retry_after
from tasks.engines.http.server import headers, listed_models, one_line, without_proxies
from tasks.errors import EngineFailedError

RETRYABLE = frozenset({408, 409, 425, 429})
"""Temporary refusals, like all statuses from 500."""
CONGESTED = frozenset({408, 429, 503, 504})
CONNECT_S = 30.0


class RetryableRequestError(Exception):
    """A request that may succeed if it is sent again; the message gives the cause in one line.

    Args:
        cause: what happened, and where.
        wait_s: seconds for which the server asks for no requests.
        congested: whether the server is overloaded.
        unreachable: whether there was no complete answer.
    """

    def __init__(
        self, cause: str, *, wait_s: float | None = None, congested: bool = False, unreachable: bool = False
    ) -> None:
        super().__init__(cause)
        self.wait_s = wait_s
        self.congested = congested
        self.unreachable = unreachable


class RejectedRequestError(Exception):
    """A request that this server refuses for good; the message is the server's."""

    def __init__(self, status: int, message: str, url: str) -> None:
        super().__init__(message)
        self.status = status
        self.url = url


class Client:
    """Connections to the servers; belongs to one event loop."""

    def __init__(self, wire: Wire, api_key: str | None, timeout_s: float, connections: int) -> None:
        self._wire = wire
        self._key = api_key
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            headers=headers(api_key),
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_S, timeout_s), pool=None),
            limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
            mounts=without_proxies(),
        )

    async def close(self) -> None:
        """Drop all connections."""
        await self._http.aclose()

    async def post(self, url: str, body: dict[str, Any], n: int) -> Reply:
        """The reply to a request for `n` completions.

        Raises:
            RetryableRequestError: there was no answer, or a temporary failure.
            RejectedRequestError: the server refuses the request for good.
            EngineFailedError: the account's quota is used up.
        """
        try:
            # The timeout of httpx bounds the pauses between bytes; this one bounds the whole response.
            async with asyncio.timeout(self._timeout_s):
                response = await self._http.post(f"{url}/{self._wire.path}", content=json.dumps(body).encode())
        except (TimeoutError, httpx.TimeoutException) as error:
            raise RetryableRequestError(
                f"{url} gave no answer within {self._timeout_s:g} s", congested=True, unreachable=True
            ) from error
        except httpx.ConnectError as error:
            raise RetryableRequestError(f"{url} cannot be reached ({one_line(error)})", unreachable=True) from error
        except httpx.RequestError as error:
            raise RetryableRequestError(
                f"{url} closed the connection mid-response ({one_line(error)})", unreachable=True
            ) from error
        if response.status_code >= 300:
            raise self._refusal(url, response)
        try:
            return self._wire.read(response.content, n)
        except MalformedError as error:
            raise RetryableRequestError(f"{url} returned a malformed response: {error}") from error

    async def models(self, url: str) -> list[str]:
        """The names of a server's models, at most 20; empty if it does not list them."""
        try:
            response = await self._http.get(f"{url}/models", timeout=10.0)
        except httpx.RequestError:
            return []
        return [str(each.get("id")) for each in listed_models(response)][:20]

    def _refusal(self, url: str, response: httpx.Response) -> Exception:
        status = response.status_code
        said = message_of(response.content)
        if response.is_redirect:
            said = f"moved to {response.headers.get('location', 'nowhere')}"
        if self._key:
            # Servers may repeat the key.
            said = said.replace(self._key, "…")
        if "insufficient_quota" in response.text:
            return EngineFailedError(f"{url}: {said}")
        if status in RETRYABLE or status >= 500:
            cause = f"{url} answers {status}{f' ({said})' if said else ''}"
            wait_s = retry_after(response.headers.get("retry-after"))
            return RetryableRequestError(cause, wait_s=wait_s, congested=status in CONGESTED)
        return RejectedRequestError(status, said, url)
