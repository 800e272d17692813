"""A real HTTP server that scores as a test tells it to, and remembers what it was asked."""

import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str, dict[str, Any]], Any]
"""From a path and a request's body to the reply: something to write as JSON, bytes, or (status, either)."""


class ScoringServer:
    """`answer` may be changed at any time."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.headers: list[dict[str, str]] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._reply(200 if self.path == "/version" else 404, {"version": "0.33.0"})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with server._lock:
                    server.asked.append((self.path, body))
                    server.headers.append(dict(self.headers.items()))
                reply = server.answer(self.path, body)
                status, content = reply if isinstance(reply, tuple) else (200, reply)
                self._reply(status, content)

            def _reply(self, status: int, content: Any) -> None:
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the signature is http.server's
                return None

        return Handler

    @contextmanager
    def serving(self) -> Iterator["ScoringServer"]:
        thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()
            thread.join()


def said(text: str, tokens: list[Any] | None = None) -> dict[str, Any]:
    """A reply of the chat API; `tokens` are (text, {alternative: probability})."""
    reply: dict[str, Any] = {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}}]}
    if tokens is not None:
        reply["choices"][0]["logprobs"] = {
            "content": [
                {
                    "token": token,
                    "logprob": math.log(among[token]),
                    "top_logprobs": [
                        {"token": other, "logprob": math.log(share) if share else -math.inf}
                        for other, share in among.items()
                    ],
                }
                for token, among in tokens
            ]
        }
    return reply | {"usage": {"prompt_tokens": 100, "completion_tokens": 2}}
