"""A program in a sandbox does what the same text does as a script: output, exit status and last words are compared."""

import signal
import subprocess
from pathlib import Path

import pytest
from pydantic import ValidationError

from sandboxes import Sandbox, Status
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.linux.interpreter import find_interpreter
from tests.sandboxes.test_service import run

OUTPUT = {
    "bound write": "write = open(1, 'w').write\nwrite('2\\n')",
    "in a list": "files = [open(1, 'w')]\nfiles[0].write('2\\n')",
    "in a dictionary": "files = {'a': {'b': open(1, 'w')}}\nfiles['a']['b'].write('2\\n')",
    "class attribute": "class A:\n    file = open(1, 'w')\nA.file.write('2\\n')",
    "instance attribute": "class A: pass\na = A()\na.file = open(1, 'w')\na.file.write('2\\n')",
    "slots": "class A:\n    __slots__ = ('file',)\na = A()\na.file = open(1, 'w')\na.file.write('2\\n')",
    "closure": (
        "def make():\n    file = open(1, 'w')\n    return lambda text: file.write(text)\nwrite = make()\nwrite('2\\n')"
    ),
    "default argument": "def write(text, file=open(1, 'w')):\n    file.write(text)\nwrite('2\\n')",
    "partial": "import functools\nwrite = functools.partial(open(1, 'w').write, '2\\n')\nwrite()",
    "csv writer": "import csv\nwriter = csv.writer(open(1, 'w'))\nwriter.writerow([2, 3])",
    "print to a file": "print(2, file=open(1, 'w'))",
    "print with a partial": "import functools\nout = functools.partial(print, file=open(1, 'w'))\nout(2)",
    "fdopen": "import os\nfile = os.fdopen(os.dup(1), 'w')\nfile.write('2\\n')",
    "binary": "file = open(1, 'wb')\nwrite = file.write\ndel file\nwrite(b'2\\n')",
    "bytes below": "import sys\nsys.stdout.buffer.write(b'2\\n')",
    "another stdout": "import io, sys\nsys.stdout = io.TextIOWrapper(open(1, 'wb', closefd=False))\nprint(2)",
    "a module's attribute": "import math\nmath.file = open(1, 'w')\nmath.file.write('2\\n')",
    "__del__": "class A:\n    def __del__(self): print(2)\na = A()",
    "__del__ that uses a global name": "N = 2\nclass A:\n    def __del__(self): print(N)\na = A()\ndef f(): pass",
    "__del__ with slots": "class A:\n    __slots__ = ()\n    def __del__(self): print(2)\na = A()",
    "__del__ in a cycle": "class A:\n    def __del__(self): print(2)\na = A()\na.a = a\ndel a",
    "generator": "def g():\n    try: yield\n    finally: print(2)\nx = g()\nnext(x)",
    "exit function": "import atexit\natexit.register(print, 3)\nprint(2)",
    "exit function that leaves": "import atexit, os\natexit.register(os._exit, 0)\nprint(2)",
    "exit function that leaves, after an error": "import atexit, os\natexit.register(os._exit, 0)\nprint(2)\n1/0",
    "exit function that leaves, after exit": (
        "import atexit, os\natexit.register(os._exit, 0)\nprint(2)\nraise SystemExit(3)"
    ),
    "thread that leaves": (
        "import os, threading, time\n"
        "def leave():\n    time.sleep(0.2)\n    os._exit(0)\n"
        "threading.Thread(target=leave).start()\nprint(2)"
    ),
    "thread that prints": (
        "import threading, time\n"
        "def late():\n    time.sleep(0.2)\n    print(3)\n"
        "threading.Thread(target=late).start()\nprint(2)"
    ),
    "leaving at once": "import os\nprint(2)\nos._exit(0)",
    "finalizer": "import weakref\nclass A: pass\na = A()\nweakref.finalize(a, print, 2)",
}
DEPTH = (
    "def f(n):\n    global depth\n    depth = n\n    f(n + 1)\ntry:\n    f(1)\nexcept RecursionError:\n    print(depth)"
)
BEHAVIOUR = {
    "depth": DEPTH,
    "depth in a function": f"def main():\n    exec({DEPTH!r}, globals())\nmain()",
    "limit": (
        f"import sys\nprint(sys.getrecursionlimit())\nsys.setrecursionlimit(3000)\n{DEPTH}\n"
        f"print(sys.getrecursionlimit())"
    ),
    "largest limit": "import sys\nsys.setrecursionlimit(2**31 - 1)\nprint(sys.getrecursionlimit() > 2**30)",
    "limit too large": "import sys\nsys.setrecursionlimit(2**31)",
    "limit of 0": "import sys\nsys.setrecursionlimit(0)",
    "exit 10**30": "raise SystemExit(10**30)",
    "exit -1": "raise SystemExit(-1)",
    "exit 256": "raise SystemExit(256)",
    "exit 3": "import sys\nsys.exit(3)",
    "exit with a text": "import sys\nsys.exit('text')",
    "exit with True": "raise SystemExit(True)",
    "own source": "text = open(__file__).read()\nprint(text)",
    "own source, by inspect": (
        "import inspect\ndef f():\n    return 1\nclass A:\n    x = 1\nprint(inspect.getsource(f), inspect.getsource(A))"
    ),
    "time zone": (
        "from datetime import datetime\nfrom zoneinfo import ZoneInfo\n"
        "print(datetime(2020, 7, 1, tzinfo=ZoneInfo('America/New_York')).utcoffset())"
    ),
    "dataclass": (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Node:\n    left: Node = None\nprint(Node(Node()))"
    ),
    "pickle": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))).__name__)",
    "own module": "import sys\nx = 2\nprint(sys.modules[__name__].x, __name__)",
    "main": "if __name__ == '__main__':\n    print(2)",
    "alive": "import gc\nprint(gc.isenabled(), gc.get_threshold())",
    "interrupt caught": (
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt:\n    print(2)"
    ),
    "interrupt main": "import _thread\ntry:\n    _thread.interrupt_main()\nexcept KeyboardInterrupt:\n    print(2)",
    "handled signal": (
        "import os, signal\nsignal.signal(signal.SIGTERM, lambda number, frame: print(number))\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nprint(2)"
    ),
    "ignored signal": (
        "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nprint(2)"
    ),
    "signals without effect": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGCHLD)\nos.kill(os.getpid(), 0)\nprint(2)"
    ),
    "handled alarm": (
        "import signal, time\nsignal.signal(signal.SIGALRM, lambda number, frame: print(number))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.1)\ntime.sleep(0.5)\nprint(2)"
    ),
    "alarm that is called off": "import signal, time\nsignal.alarm(1)\nsignal.alarm(0)\ntime.sleep(0.1)\nprint(2)",
}
DEADLY = {
    "SIGKILL to itself": "import os, signal\nprint(2)\nos.kill(os.getpid(), signal.SIGKILL)\nprint(3)",
    "SIGTERM to itself": "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nprint(2)",
    "SIGUSR1 to its group": "import os, signal\nos.kill(0, signal.SIGUSR1)\nprint(2)",
    "SIGHUP to its group": "import os, signal\nos.killpg(0, signal.SIGHUP)\nprint(2)",
    "raise_signal": "import signal\nsignal.raise_signal(signal.SIGTERM)\nprint(2)",
    "pthread_kill": ("import signal, threading\nsignal.pthread_kill(threading.get_ident(), signal.SIGTERM)\nprint(2)"),
    "alarm": "import signal, time\nsignal.alarm(1)\ntime.sleep(3)\nprint(2)",
    "timer": "import signal, time\nsignal.setitimer(signal.ITIMER_REAL, 0.1)\ntime.sleep(1)\nprint(2)",
    "timer of CPU time": "import signal\nsignal.setitimer(signal.ITIMER_PROF, 0.1)\nwhile True: pass",
    "interrupt": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint(2)",
    "abort": "import os\nos.abort()",
    "reset handler": (
        "import os, signal\nsignal.signal(signal.SIGTERM, print)\nsignal.signal(signal.SIGTERM, signal.SIG_DFL)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\nprint(2)"
    ),
}


def as_script(text: str, folder: Path) -> "subprocess.CompletedProcess[bytes]":
    """What the same interpreter does with the text in a file."""
    (folder / "main.py").write_text(text)
    command = [*find_interpreter(None).command, "-X", "int_max_str_digits=0", str(folder / "main.py")]
    # In a separate session: some programs signal their whole group.
    return subprocess.run(
        command,
        cwd=folder,
        env={"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"},
        input=b"",
        capture_output=True,
        check=False,
        timeout=60,
        start_new_session=True,
        preexec_fn=default_signals,
    )


def default_signals() -> None:
    """A command in the background, or under `nohup`, ignores these."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def last_line(text: bytes) -> str:
    return (text.decode().strip().splitlines() or [""])[-1]


@pytest.mark.parametrize("name", [*OUTPUT, *BEHAVIOUR])
def test_a_program_writes_and_ends_as_a_script_does(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    text = {**OUTPUT, **BEHAVIOUR}[name]
    script, outcome = as_script(text, tmp_path), run(sandbox, text)
    assert (outcome.stdout, outcome.exit_code) == (script.stdout, script.returncode), outcome
    assert last_line(outcome.stderr) == last_line(script.stderr)


@pytest.mark.parametrize("name", DEADLY)
def test_a_signal_that_ends_a_script_ends_a_program(name: str, sandbox: Sandbox, tmp_path: Path) -> None:
    script, outcome = as_script(DEADLY[name], tmp_path), run(sandbox, DEADLY[name])
    assert script.returncode < 0
    assert outcome.exit_code != 0, outcome
    assert outcome.stdout == script.stdout


RESERVED = {
    "memory that is not touched": "import mmap\nx = mmap.mmap(-1, 700 << 20)\ny = bytes(600 << 20)\nprint(2)",
    "stack of a thread": (
        "import threading\nthreading.stack_size(2**29)\n"
        "thread = threading.Thread(target=print, args=(2,))\nthread.start()\nthread.join()"
    ),
}


@pytest.mark.parametrize("name", RESERVED)
def test_reserved_memory_does_not_count_where_a_group_bounds_what_is_used(name: str, sandbox: Sandbox) -> None:
    outcome = run(sandbox, RESERVED[name])
    if sandbox.memory_bound.startswith("cgroup") and not sandbox.name.startswith("docker"):
        assert outcome.stdout == b"2\n", outcome
    else:
        assert outcome.exit_code != 0


def test_used_memory_counts(sandbox: Sandbox) -> None:
    assert run(sandbox, "used = b'x' * (900 << 20)\nprint(2)").status is Status.MEMORY_LIMIT


def test_long_integers_are_texts_unless_limited(sandbox: Sandbox) -> None:
    assert run(sandbox, "print(len(str(10**5000)), int('9' * 5000) > 0)").stdout == b"5001 True\n"
    with BubblewrapConfig(workers=1, int_max_str_digits=640).open() as limited:
        outcome = run(limited, "print(len(str(10**700)))")
    assert b"ValueError: Exceeds the limit (640 digits)" in outcome.stderr


def test_a_limit_that_python_refuses_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be 0 or at least 640"):
        BubblewrapConfig(int_max_str_digits=639)


def test_a_program_cannot_change_its_text_for_those_that_come_after_it(sandbox: Sandbox) -> None:
    """Programs with the same text share one file."""
    text = (
        "import os\nfd = os.open(__file__, os.O_RDWR)\n"
        "try:\n    os.write(fd, b'print(3)#')\nexcept OSError:\n    print(2)"
    )
    for _ in range(2):
        assert run(sandbox, text).stdout == b"2\n"
