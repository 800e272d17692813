"""Takes the place of the Python that has vLLM: behaves like its server, but ignores SIGTERM.

The environment variable `LIVES` names a file that gets a line for each start. The first process never answers a request
and does not count it; later ones answer correctly.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import sleep

from tests.engines.misbehaving_server import reply


class Handler(BaseHTTPRequestHandler):
    hangs = False

    def do_GET(self) -> None:
        counters = b'vllm:num_requests_running{engine="0"} 0.0\nvllm:generation_tokens_total{engine="0"} 7.0\n'
        self.say(counters if self.path == "/metrics" else b"")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        while self.hangs:
            sleep(60)
        self.say(json.dumps(reply(body)).encode())

    def say(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with Path(os.environ["LIVES"]).open("a") as lives:
        lives.write(f"{os.getpid()}\n")
    Handler.hangs = len(Path(os.environ["LIVES"]).read_text().splitlines()) == 1
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler).serve_forever()
