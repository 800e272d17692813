"""A small real HTTP server that speaks the OpenAI API, with the faults that a test asks for.

By default, choice i of a request with seed s is the text `sample s+i`, so that a test can tell which sample it is.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Asked:
    """A request that the server received. `number` counts the requests for completions, from 0."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    at: float
    in_flight: int


@dataclass(frozen=True)
class Said:
    """What the server answers: `cut` sends that many bytes of the body and resets the connection; `hang` never
    answers."""

    status: int = 200
    body: bytes | dict[str, Any] = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: int | None = None
    hang: bool = False


def play_well(asked: Asked) -> Said:
    """A correct reply."""
    return Said(body=reply(asked.body))


def reply(body: Mapping[str, Any], texts: list[str] | None = None) -> dict[str, Any]:
    """The body of a correct reply, with these texts, or texts that show the seed."""
    n, seed = body.get("n", 1), body.get("seed", 0)
    texts = [f"sample {seed + i}" for i in range(n)] if texts is None else texts
    choices = []
    for i, text in enumerate(texts):
        choice: dict[str, Any] = {"index": i, "finish_reason": "stop"}
        if "messages" in body:
            choice["message"] = {"role": "assistant", "content": text}
            if body.get("logprobs"):
                choice["logprobs"] = {"content": [{"token": "a", "logprob": -0.5}, {"token": "b", "logprob": -0.25}]}
        else:
            choice["text"] = text
            if "logprobs" in body:
                choice["logprobs"] = {"tokens": ["a", "b"], "token_logprobs": [-0.5, -0.25]}
        choices.append(choice)
    return {"choices": choices, "usage": {"prompt_tokens": 7, "completion_tokens": 2 * len(texts)}}


class MisbehavingServer:
    """Runs in its own thread, on its own port."""

    def __init__(
        self, behave: Callable[[Asked], Said] = play_well, models: tuple[str, ...] = ("m",), owner: str = "test"
    ) -> None:
        self.behave = behave
        self.models = models
        self.owner = owner
        self.asked: list[Asked] = []
        self.dropped = 0
        """The number of connections that the client closed before it had an answer."""
        self.in_flight = 0
        self.max_in_flight = 0
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start listening, on the same port as before if there was one."""
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(60)

    def stop(self) -> None:
        """Reset every connection and stop listening."""
        if self._thread is not None and threading.current_thread() is not self._thread:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()
            self._thread = None
        elif self._thread is not None:
            self._over.set()

    def wait_until(self, holds: Callable[[], bool], within_s: float = 20.0) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + within_s
        while not holds():
            assert time.monotonic() < end, f"still {self.in_flight} in flight, {self.dropped} dropped"
            time.sleep(0.01)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._over.wait()
        server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while await self._exchange(reader, writer):
                pass
        self._writers.discard(writer)
        writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Handle one request; False if the connection has ended."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
        content = await reader.readexactly(int(headers.get("content-length", 0)))
        if method == "GET":
            return await self._say(writer, self._listing(path, headers))
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        body = json.loads(content)
        asked = Asked(len(self.asked), method, path, headers, body, time.time(), self.in_flight)
        self.asked.append(asked)
        try:
            said = self.behave(asked)
            if said.hang or said.delay_s:
                gone = asyncio.create_task(reader.read(1))
                done, _ = await asyncio.wait([gone], timeout=None if said.hang else said.delay_s)
                if done:
                    self.dropped += 1
                    return False
                gone.cancel()
                # A cancelled reader may be read again only once that has happened.
                await asyncio.wait([gone])
        finally:
            self.in_flight -= 1
        return await self._say(writer, said)

    def _listing(self, path: str, headers: Mapping[str, str]) -> Said:
        if path != "/v1/models":
            return Said(status=404, body={"detail": "Not Found"})
        refused = self.behave(Asked(-1, "GET", path, headers, {}, time.time(), 0))
        if refused.status in {401, 403}:
            return refused
        return Said(body={"object": "list", "data": [{"id": each, "owned_by": self.owner} for each in self.models]})

    async def _say(self, writer: asyncio.StreamWriter, said: Said) -> bool:
        content = said.body if isinstance(said.body, bytes) else json.dumps(said.body).encode()
        lines = [f"HTTP/1.1 {said.status} X", f"content-length: {len(content)}", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in said.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        writer.write(content if said.cut is None else content[: said.cut])
        await writer.drain()
        if said.cut is not None:
            writer.transport.abort()
            return False
        return True
