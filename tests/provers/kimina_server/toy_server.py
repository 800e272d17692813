"""An HTTP server with the interface of a Kimina Lean Server, without Lean: `toy_repl` elaborates what it is sent."""

import json
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.provers.lean_repl import toy_repl


class ToyServer(ThreadingHTTPServer):
    """`faults` are what the next requests end in; `requests` are those that were read."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, *, old: bool = False, key: str | None = None, lean: str = "4.15.0", repls: int = 1000) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.old, self.key, self.lean, self.repls = old, key, lean, repls
        self.faults: deque[str] = deque()
        self.requests: list[dict[str, Any]] = []
        self.running = self.most_running = 0
        self.pause_s = 0.0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def result(self, identity: str, text: str, timeout: int, *, reuse: bool) -> dict[str, Any]:
        """What the server says of one text."""
        error = next((said.format(timeout) for word, said in _ERRORS.items() if word in text), None)
        if error is not None and not ("_warm" in text and not reuse):
            return {"error": error, "response": None}
        if "refused_by_repl" in text:
            return {"error": None, "response": {"message": "deep recursion was detected"}}
        if "unknown_env" in text:
            return {"error": None, "response": {"message": "Unknown environment."}}
        if "stale" in text and (reuse or "always" in text):
            return {"error": None, "response": {"env": 7}}
        lines = text.splitlines(keepends=True)
        body = next((number for number, line in enumerate(lines) if line.strip() and not line.startswith("import ")), 0)
        imports = "".join(lines[:body])
        messages, sorries = toy_repl.elaborate("".join(lines[body:]), {})
        messages = [*toy_repl.elaborate(imports, {})[0], *messages]
        for message in messages:
            message["data"] = message["data"].replace(toy_repl.VERSION, self.lean)
        response: dict[str, Any] = {"env": 1}
        response |= {"messages": messages} if messages else {}
        response |= {"sorries": sorries} if sorries else {}
        return {"error": None, "response": response}


_ERRORS = {
    "times_out": "Lean REPL command timed out in {} seconds",
    "header_slow": "Lean REPL header command timed out in {} seconds",
    "hoards": "Lean REPL process exceeded memory limit",
    "overflows": "Stack overflow detected. Aborting.",
    "strange": "something that nobody has seen",
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ToyServer

    def log_message(self, *arguments: Any) -> None:
        pass

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            fault = self.server.faults.popleft() if self.server.faults else ""
            self.server.running += 1
            self.server.most_running = max(self.server.most_running, self.server.running)
            full = self.server.running > self.server.repls
        try:
            if self.server.pause_s:
                time.sleep(self.server.pause_s)
            self._answered(request, "429" if full else fault)
        finally:
            with self.server.lock:
                self.server.running -= 1

    def _answered(self, request: dict[str, Any], fault: str) -> None:
        if self.server.key is not None and self.headers.get("authorization") != f"Bearer {self.server.key}":
            return self._send(401, b'{"detail": "Invalid API key"}')
        if self.path != ("/verify" if self.server.old else "/api/check"):
            return self._send(404, b'{"detail": "Not Found"}')
        if fault.isdigit():
            return self._send(int(fault), b'{"detail": "No available REPLs"}')
        self.server.requests.append(request)
        old = self.server.old
        snippet = request["codes"][0] if old else request["snippets"][0]
        identity, text = (snippet["custom_id"], snippet["proof"]) if old else (snippet["id"], snippet["code"])
        reuse = not request["disable_cache"] if old else request["reuse"]
        result = self.server.result(identity, text, request["timeout"], reuse=reuse)
        result["custom_id" if old else "id"] = "another" if fault == "wrong_id" else identity
        if old and result["response"] is not None:
            result["response"]["time"] = 0.5
        else:
            result["time"] = 0.5
        results = {"no_result": [], "two_results": [result, result]}.get(fault, [result])
        body = json.dumps({"results": results}, ensure_ascii=False).encode()
        if fault == "close":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        if fault == "flood" or "floods" in text:
            return self._send(200, b"x" * (17 * 1024 * 1024))
        return self._send(200, body[:-7] if fault == "cut" else b"<html>" if fault == "not_json" else body)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def toy_server(**settings: Any) -> Iterator[ToyServer]:
    server = ToyServer(**settings)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
