"""The contract of sandboxes that run Python programs."""

import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from monkeys.testing.contract import check_class, require, require_json
from sandboxes import Limits, Outcome, Sandbox, SandboxConfig, Status

SHORT = Limits(cpu_s=1.0, wall_s=10.0, memory_mb=256, output_bytes=100_000)
"""The limits of programs that break one."""
_READY = "import sys; print(sum(map(int, sys.stdin.read().split())))"
_CHECKER = """
    import socket
    with socket.socket(fileno=3) as other:
        other.sendall(b"ping\\n")
        print(other.makefile().readline().strip())
"""
_CHECKED = """
    import socket
    with socket.socket(fileno=3) as other:
        assert other.makefile().readline() == "ping\\n"
        other.sendall(b"pong\\n")
        print("never seen by the checker")
"""


def check_sandbox(config: SandboxConfig) -> None:
    """Check that a sandbox runs Python programs, within their limits, concurrently and independently of each other.

    This is what graders rely on. It does not test isolation: whether a program can escape is for you to test.

    Raises:
        ContractError: a promise is broken; the message says which.
        SandboxUnavailableError: this machine cannot offer the sandbox.
    """
    check_class("sandbox", config)
    require_json(config.ingredients(), "ingredients()")
    config.check()
    with config.open() as sandbox:
        require(bool(sandbox.name) and sandbox.workers >= 1, "the sandbox has no name or no workers")
        require(isinstance(sandbox.memory_bound, str), "memory_bound is not a text")
        for check in SANDBOX_CHECKS:
            check(sandbox)


def input_and_output(sandbox: Sandbox) -> None:
    """A program reads its input, and all of its output comes back."""
    outcome = _run(sandbox, _READY, b"20 22\n")
    _expect(outcome, Status.OK, b"42\n")
    require(outcome.exit_code == 0, f"exit_code is {outcome.exit_code}")
    outcome = _run(sandbox, "import sys; print('out'); print('said', file=sys.stderr); sys.exit(3)")
    _expect(outcome, Status.ERROR, b"out\n")
    require((outcome.exit_code, b"said" in outcome.stderr) == (3, True), f"exit code or stderr is lost: {outcome}")
    _expect(_run(sandbox, "raise ValueError('mine')"), Status.ERROR, b"")
    _expect(_run(sandbox, "def f(:"), Status.ERROR, b"")
    outcome = _run(sandbox, "import sys; sys.stdout.buffer.write(bytes(range(256)))")
    _expect(outcome, Status.OK, bytes(range(256)))


def limits_are_kept(sandbox: Sandbox) -> None:
    """A program that exceeds a limit gets the status of that limit, and the next program is not affected."""
    for program, status in (
        ("while True: pass", Status.TIME_LIMIT),
        ("import time; time.sleep(600)", Status.TIME_LIMIT),
        ("data = [bytes(1 << 20) + b'x' for _ in range(4_000)]", Status.MEMORY_LIMIT),
        ("while True: print('x' * 10_000)", Status.OUTPUT_LIMIT),
    ):
        outcome = _run(sandbox, program, limits=SHORT)
        require(outcome.status is status, f"{program!r} is {outcome.status} ({outcome.detail}), not {status}")
        _expect(_run(sandbox, _READY, b"1 2"), Status.OK, b"3\n")


def programs_leave_nothing_behind(sandbox: Sandbox) -> None:
    """Names, environment variables and files of a program are gone when the next one runs."""
    _run(sandbox, "import builtins, os; builtins.left = 1; os.environ['LEFT'] = '1'; open('/tmp/left', 'w').close()")
    probe = "import builtins, os; print(hasattr(builtins, 'left'), 'LEFT' in os.environ, os.path.exists('/tmp/left'))"
    for _ in range(sandbox.workers):
        _expect(_run(sandbox, probe), Status.OK, b"False False False\n")


def concurrent_calls(sandbox: Sandbox) -> None:
    """Calls from several threads get their own outcomes."""
    with ThreadPoolExecutor(2 * sandbox.workers) as pool:
        outcomes = list(pool.map(lambda n: _run(sandbox, _READY, f"{n} {n}".encode()), range(20)))
    for number, outcome in enumerate(outcomes):
        _expect(outcome, Status.OK, f"{2 * number}\n".encode())


def checker_and_program(sandbox: Sandbox) -> None:
    """A checker and its program are connected by one socket, and have separate outputs."""
    for reusable in (False, True):
        checker, program = sandbox.run_checked(
            textwrap.dedent(_CHECKER), textwrap.dedent(_CHECKED), Limits(), reusable_process=reusable
        )
        _expect(checker, Status.OK, b"pong\n")
        require(program.status is Status.OK, f"the program is {program.status} ({program.detail})")


SANDBOX_CHECKS: tuple[Callable[[Sandbox], None], ...] = (
    input_and_output,
    limits_are_kept,
    programs_leave_nothing_behind,
    concurrent_calls,
    checker_and_program,
)
"""Each takes an open sandbox."""


def _run(sandbox: Sandbox, program: str, stdin: bytes = b"", limits: Limits | None = None) -> Outcome:
    outcome = sandbox.run(program, stdin, limits or Limits())
    require(isinstance(outcome, Outcome), f"run() returned {type(outcome).__name__}, not an Outcome")
    require(outcome.status is not Status.INFRASTRUCTURE, f"the sandbox failed: {outcome.detail}")
    return outcome


def _expect(outcome: Outcome, status: Status, stdout: bytes) -> None:
    require(
        (outcome.status, outcome.stdout) == (status, stdout),
        f"{outcome.status} with {outcome.stdout[:100]!r} ({outcome.detail}), not {status} with {stdout[:100]!r}",
    )
