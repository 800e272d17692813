"""A proxy in front of an HTTP server, which lets in one request at a time."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_OF_THE_CONNECTION = {"connection", "expect", "keep-alive", "transfer-encoding"}


@contextmanager
def serializing_proxy(port: int, server: int) -> Iterator[None]:
    """Requests to this port go to the server's port, one after the other, whole, and so do the answers back."""
    turn = threading.Lock()

    class SerializingProxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # so that a client that waits for "100 Continue" gets it here

        def _pass_on(self) -> None:
            # A connection for each request: none outlives the proxy.
            self.close_connection = True
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            behind = http.client.HTTPConnection("127.0.0.1", server)
            try:
                with turn:
                    behind.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
                    for name, value in self.headers.items():
                        if name.lower() not in _OF_THE_CONNECTION:
                            behind.putheader(name, value)
                    behind.endheaders(body)
                    answer = behind.getresponse()
                    content = answer.read()
            except (OSError, http.client.HTTPException):
                return  # the server is gone: so is this connection
            finally:
                behind.close()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in {*_OF_THE_CONNECTION, "content-length"}:
                    self.send_header(name, value)
            length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
            if length is not None:
                self.send_header("Content-Length", length)
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(content)

        do_DELETE = do_GET = do_HEAD = do_POST = do_PUT = _pass_on  # noqa: N815 - the library's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing: the server behind keeps a log."""

    class Listener(ThreadingHTTPServer):
        request_queue_size = 128

    with Listener(("127.0.0.1", port), SerializingProxy) as listener:
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            listener.shutdown()
            thread.join()
