"""What the drivers of Lean's REPL and of Kimina servers add to a check, and what checking equal proofs once saves.

    python benchmarks/lean_services.py [--checks 10000] [--attempts kimina_7b_proofs_80x24.jsonl.gz]

The REPL and the server are programs that accept everything at once, so that what is measured is the driver. The rival
sends the same bytes to the same program and reads its replies, and does nothing else. Proofs have 10 bytes to 200 kB,
evenly spread on a logarithmic scale. `--attempts` is a file of proofs with the fields `problem` and `proof`.
"""

import argparse
import gzip
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from results import Result, at_least, at_most, report

from sandboxes.linux.interpreter import find_interpreter
from tasks.provers import PlacedProof, UnplaceableError
from tasks.provers.kimina_server.pool import Pool
from tasks.provers.kimina_server.session import KiminaSession
from tasks.provers.lean4.placing import place
from tasks.provers.lean_repl.installation import ReplInstallation
from tasks.provers.lean_repl.session import ReplSession
from tasks.provers.lean_repl.texts import PROBE
from tasks.records import Verdict

_SMALLEST, _LARGEST = 10, 200_000
_WARM_UP = 50
_MAX_OVERHEAD_MS = 5.0

# A REPL that answers each command at once, with the error about its mark.
_PROGRAM = """
import json, sys
count = 0
for line in sys.stdin:
    if not line.strip():
        continue
    mark = json.loads(line)["cmd"].rpartition(" ")[2]
    error = {"severity": "error", "pos": {"line": 1, "column": 7}, "data": "Unknown identifier `%s`" % mark}
    errors = [error] if mark.startswith("monkeys_") else []
    sys.stdout.write(json.dumps({"messages": errors, "env": count}) + "\\n\\n")
    sys.stdout.flush()
    count += 1
"""


class _Handler(BaseHTTPRequestHandler):
    """A Kimina server that answers each text at once, with the error about its mark."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments: Any) -> None:
        """Nothing is logged."""

    def do_POST(self) -> None:
        """Answer."""
        snippet = json.loads(self.rfile.read(int(self.headers["content-length"])))["snippets"][0]
        mark = snippet["code"].rpartition(" ")[2]
        error = {"severity": "error", "pos": {"line": 1, "column": 7}, "data": f"Unknown identifier `{mark}`"}
        result = {"id": snippet["id"], "time": 0.0, "response": {"env": 1, "messages": [error]}}
        body = json.dumps({"results": [result]}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a server in another process."""
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def serve() -> int:
    """Answer until this process is killed; the port is printed."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
    return 0


def proofs(count: int) -> list[PlacedProof]:
    """Proofs of 10 bytes to 200 kB, in an order by chance."""
    ratio = (_LARGEST / _SMALLEST) ** (1 / max(1, count - 1))
    placed = place(PROBE.right, PROBE.theorem)
    texts = [f"  {{ simp {'x' * round(_SMALLEST * ratio**number - 9)} }}" for number in range(count)]
    random.Random(0).shuffle(texts)
    return [PlacedProof(placed.header, placed.name, placed.statement, (text,)) for text in texts]


def mean_ms(check: Callable[[PlacedProof], object], of: Sequence[PlacedProof]) -> float:
    """Milliseconds per proof, one after another."""
    for proof in of[:_WARM_UP]:
        check(proof)
    started = time.perf_counter()
    for proof in of:
        check(proof)
    return 1000 * (time.perf_counter() - started) / len(of)


def repl_ms(of: Sequence[PlacedProof]) -> tuple[float, float, float, float]:
    """Milliseconds per proof of the driver and of bare pipes, and megabytes of this process after a tenth and after
    all."""
    python = find_interpreter(None).command[0]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "repl"
        program.write_text(_PROGRAM)
        Path(folder).chmod(0o755)
        what = ReplInstallation("4.15.0", "", (python, str(program)), (str(program),))
        session = ReplSession(
            what, workers=1, limit_s=60, memory_mb=1024, proofs_per_process=1_000_000, confirmation=None
        )

        def check(proof: PlacedProof) -> None:
            assert session.propose(proof, None).verdict is Verdict.CORRECT

        tenth = max(1, len(of) // 10)
        first = mean_ms(check, of[:tenth])
        early = _resident_mb()
        rest = mean_ms(check, of[tenth:])
        late = _resident_mb()
        session.close()
        with subprocess.Popen(
            [python, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as process:
            bare = mean_ms(lambda proof: _exchanged(process, proof), of)
            process.kill()
    return (first * tenth + rest * (len(of) - tenth)) / len(of), bare, early, late


def _exchanged(process: "subprocess.Popen[bytes]", proof: PlacedProof) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    data = memoryview(json.dumps({"cmd": "\n".join(proof.pieces), "env": 0}).encode() + b"\n\n")
    while data:
        data = data[process.stdin.write(data) :]
    read = b""
    while not read.endswith(b"\n\n"):
        read += process.stdout.read(65_536)


def kimina_ms(of: Sequence[PlacedProof]) -> tuple[float, float]:
    """Milliseconds per proof of the driver and of bare requests."""
    with serving() as url:
        pool = Pool([url], None, 1, 60)
        session = KiminaSession(pool, 1, 60, None)

        def check(proof: PlacedProof) -> None:
            assert session.propose(proof, None).verdict is Verdict.CORRECT

        ours = mean_ms(check, of)
        session.close()
        with httpx.Client() as client:

            def bare(proof: PlacedProof) -> None:
                snippet = {"id": "1", "code": "\n".join(proof.pieces)}
                client.post(f"{url}/api/check", json={"snippets": [snippet], "timeout": 60}).json()

            return ours, mean_ms(bare, of)


def distinct_attempts(path: str) -> tuple[int, int, int]:
    """How many attempts there are, how many can be placed, and how many distinct proofs these are."""
    placed: set[tuple[str, PlacedProof]] = set()
    count = kept = 0
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            count += 1
            try:
                placed.add((str(row["problem"]), place(_body(row["proof"]), PROBE.theorem)))
            except UnplaceableError:
                continue
            kept += 1
    return count, kept, len(placed)


def _body(text: str) -> str:
    """What follows the statement, where an attempt repeats it: the file does not have the statements."""
    _, statement, rest = text.rpartition("theorem ")
    return rest.partition(":= by")[2] if statement else text


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main() -> int:
    """Measure, and print a table; the exit status is 1 if a target is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--checks", type=int, default=10_000, help="proofs that are checked")
    parser.add_argument("--attempts", help="proofs that a model wrote")
    parser.add_argument("--serve", action="store_true", help="be the server; for this program itself")
    options = parser.parse_args()
    if options.serve:
        return serve()
    of = proofs(options.checks)
    ours, bare, early, late = repl_ms(of)
    results = [_overhead("repl", ours, bare)]
    figure = f"memory of the driver after {options.checks:,} checks; rival: after a tenth"
    results.append(Result(figure, late, "MB", early, late / early, at_most(late / early, 1.1)))
    results.append(_overhead("kimina", *kimina_ms(of)))
    if options.attempts:
        count, kept, distinct = distinct_attempts(options.attempts)
        figure = f"distinct proofs among {count:,} attempts; rival: {kept:,} that can be placed"
        results.append(Result(figure, distinct, "proofs", kept, kept / distinct, at_least(kept / distinct, 1.0)))
    return report(results)


def _overhead(name: str, ours: float, bare: float) -> Result:
    figure = f"{name}: a check through the driver; rival: the same bytes, sent and read"
    return Result(figure, ours, "ms", bare, ours / bare, at_most(ours - bare, _MAX_OVERHEAD_MS))


if __name__ == "__main__":
    sys.exit(main())
