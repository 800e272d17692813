"""One request to one Kimina Lean Server, and what a failure means.

A request carries one text. A batch is answered when its slowest text is, and a single text for which the server has no
REPL, or on which it fails, would lose the replies to all others.
"""

import json
import math
import re
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx

from tasks.provers.lean_repl.replies import MAX_REPLY_BYTES, MalformedReplyError, Reply, one_line, read_reply

MAX_WAIT_S = 60.0
"""Seconds that a server lets a request wait for a REPL, by default (`LEAN_SERVER_MAX_WAIT`)."""

_PROBES, _PROBE_S = 3, 60.0
_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
_NEW, _OLD = "api/check", "verify"
_CONNECT_S = 10.0
_AWAY = {502, 503, 504}
_TEMPORARY = {408, 425, 429}


class ServerAwayError(RuntimeError):
    """The server does not answer; the message says why, in one line.

    Args:
        cause: what happened.
        sent: whether the server may have read the request, so that it may be what ended it.
    """

    def __init__(self, cause: str, *, sent: bool) -> None:
        super().__init__(cause)
        self.sent = sent


class ServerBusyError(RuntimeError):
    """The server answers, and has no REPL for this request; the message says so, in one line.

    Args:
        cause: what it said.
        wait_s: seconds for which it asks for no requests; None: it does not say.
    """

    def __init__(self, cause: str, wait_s: float | None = None) -> None:
        super().__init__(cause)
        self.wait_s = wait_s


class ServerFailedError(RuntimeError):
    """The server failed on a request or answered something else; nothing is known of the text."""


class ServerRefusedError(RuntimeError):
    """The server refuses requests for good, such as for want of a key."""


class ReplyTooLongError(RuntimeError):
    """The reply is longer than is read."""


class Answer(NamedTuple):
    """A reply of the REPL, or `error`: what the server says where its REPL gave none; and the server's seconds."""

    reply: Reply | None
    error: str
    seconds: float


class Client:
    """Connections to one server; may be used from many threads.

    Args:
        url: of the server.
        key: its API key; None: none.
        connections: requests at once.
    """

    def __init__(self, url: str, key: str | None, connections: int) -> None:
        self.url = url.rstrip("/")
        self._key, self._connections = key, connections
        self._http: httpx.Client | None = None
        self._starting = threading.Lock()
        self._path = _NEW

    def close(self) -> None:
        """Drop all connections; a later request makes new ones."""
        with self._starting:
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _connected(self) -> httpx.Client:
        with self._starting:
            self._http = self._http or self._new()
            return self._http

    def _new(self) -> httpx.Client:
        authorization = f"Bearer {self._key}"
        keys = {"authorization": authorization, "x-auth-token": authorization} if self._key else {}
        return httpx.Client(
            headers={"accept-encoding": "identity", **keys},
            limits=httpx.Limits(max_connections=self._connections, max_keepalive_connections=self._connections),
            verify=self.url.startswith("https:"),  # Loading certificates takes longer than a request.
            mounts={f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")},
        )

    def check(self, text: str, limit_s: float, *, fresh: bool) -> Answer:
        """The answer to a text.

        Args:
            text: a whole file.
            limit_s: wall-clock seconds that Lean may take on it, rounded up to whole ones; the server measures them.
            fresh: whether it must run in a REPL that has run nothing else.

        Raises:
            ServerAwayError, ServerBusyError, ServerFailedError, ServerRefusedError: there is no answer.
            ReplyTooLongError: the answer is longer than is read.
        """
        identity, seconds = secrets.token_hex(8), math.ceil(limit_s)
        if self._path == _NEW:
            status, body = self._post(_NEW, _request(identity, text, seconds, fresh=fresh), seconds)
            if status not in {404, 405}:
                return _answer(body, identity, "id")
        status, body = self._post(_OLD, _old_request(identity, text, seconds, fresh=fresh), seconds)
        if status in {404, 405}:
            raise ServerRefusedError(f"{self.url} has neither /{_NEW} nor /{_OLD}: it is not a Kimina Lean Server")
        self._path = _OLD
        return _answer(body, identity, "custom_id")

    def _post(self, path: str, request: Mapping[str, Any], seconds: int) -> tuple[int, bytes]:
        """The status and the body of a response that is worth reading; 404 and 405 are for the caller."""
        # Loading the header has the same limit as the text, and both come after the wait for a REPL.
        timeout = httpx.Timeout(2 * seconds + MAX_WAIT_S + 30, connect=_CONNECT_S)
        content = json.dumps(request, ensure_ascii=False).encode()
        body = bytearray()
        try:
            with self._connected().stream(
                "POST",
                f"{self.url}/{path}",
                content=content,
                headers={"content-type": "application/json"},
                timeout=timeout,
            ) as response:
                for part in response.iter_bytes():
                    body += part
                    if len(body) > MAX_REPLY_BYTES:
                        raise ReplyTooLongError
        except httpx.TransportError as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            cause = f"{self.url}: {one_line(str(error)) or type(error).__name__}"
            raise ServerAwayError(cause, sent=not unsent) from error
        except httpx.HTTPError as error:
            raise ServerFailedError(f"{self.url}: {one_line(str(error)) or type(error).__name__}") from error
        status = response.status_code
        if status in {200, 404, 405}:
            return status, bytes(body)
        said = f"{self.url} answers {status}: {one_line(body.decode(errors='replace'), 200)}"
        if status in _AWAY:
            raise ServerAwayError(said, sent=False)
        if status in _TEMPORARY:
            raise ServerBusyError(said, _retry_after(response))
        if status >= 500:
            raise ServerFailedError(said)
        raise ServerRefusedError(said)


def _request(identity: str, text: str, seconds: int, *, fresh: bool) -> dict[str, Any]:
    return {"snippets": [{"id": identity, "code": text}], "timeout": seconds, "debug": False, "reuse": not fresh}


def _old_request(identity: str, text: str, seconds: int, *, fresh: bool) -> dict[str, Any]:
    return {"codes": [{"custom_id": identity, "proof": text}], "timeout": seconds, "disable_cache": fresh}


def _answer(body: bytes, identity: str, key: str) -> Answer:
    """The one result in the body of a response.

    Raises:
        ServerFailedError: it has another form, or is the result of another request.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ServerFailedError(f"an answer that is not JSON: {one_line(body.decode(errors='replace'), 60)}") from error
    results = value.get("results") if isinstance(value, dict) else None
    if not isinstance(results, list) or len(results) != 1 or not isinstance(results[0], dict):
        raise ServerFailedError("an answer without exactly one result")
    result = results[0]
    if result.get(key) != identity:
        raise ServerFailedError("the result of another request")
    return read_result(result)


def read_result(result: Mapping[str, Any]) -> Answer:
    """What one entry of `results` says, of either interface.

    Raises:
        ServerFailedError: it has another form.
    """
    error, response = result.get("error"), result.get("response")
    if error is not None and (not isinstance(error, str) or response is not None):
        raise ServerFailedError("a result with both an error and a reply")
    if error is None and not isinstance(response, dict):
        raise ServerFailedError("a result with neither an error nor a reply")
    seconds = result.get("time", response.get("time") if isinstance(response, dict) else None)
    taken = float(seconds) if isinstance(seconds, int | float) and math.isfinite(seconds) else 0.0
    if error is not None:
        return Answer(None, error, taken)
    try:
        return Answer(read_reply(response), "", taken)
    except MalformedReplyError as fault:
        raise ServerFailedError(f"a reply that cannot be read: {fault}") from fault


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds for which a server asks for no requests, at most a minute."""
    try:
        return min(60.0, max(0.0, float(response.headers["retry-after"])))
    except (KeyError, ValueError):
        return None


class LeanVersion(NamedTuple):
    """The version of Lean of a server, or why it is not known: `refusal` if the server refuses requests, `fault` if it
    does not answer as it should."""

    url: str
    version: str = ""
    refusal: str = ""
    fault: str = ""


def lean_version(client: Client) -> LeanVersion:
    """Ask a server, three times if it is busy or away."""
    fault = ""
    for attempt in range(_PROBES):
        if attempt:
            time.sleep(1.0)
        try:
            answer = client.check("#eval Lean.versionString", _PROBE_S, fresh=False)
        except ServerRefusedError as error:
            return LeanVersion(client.url, refusal=str(error))
        except (ServerAwayError, ServerBusyError, ServerFailedError) as error:
            fault = str(error)
            continue
        except ReplyTooLongError:
            return LeanVersion(client.url, fault=f"{client.url}: an answer that does not end")
        messages = answer.reply.messages if answer.reply is not None else ()
        said = [message.text.strip().strip('"') for message in messages if message.severity == "info"]
        if len(said) == 1 and _VERSION.fullmatch(said[0]):
            return LeanVersion(client.url, said[0])
        fault = f"{client.url} does not say which Lean it runs: {answer.error or one_line(str(messages))}"
    return LeanVersion(client.url, fault=fault)
