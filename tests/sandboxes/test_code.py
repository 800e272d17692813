"""A text is compiled once by a server; nothing that a program does may show in the code that the next one gets."""

import pytest

from sandboxes import Limits, Sandbox, Status

HARMLESS = Limits(cpu_s=5.0)


def run(sandbox: Sandbox, program: str, stdin: bytes = b"", limits: Limits = HARMLESS) -> bytes:
    outcome = sandbox.run(program, stdin, limits)
    assert outcome.status is Status.OK, outcome
    return outcome.stdout


def test_the_same_text_again_behaves_the_same(sandbox: Sandbox) -> None:
    program = (
        "from __future__ import annotations\n"
        "def f(x: unknown) -> 'y':\n    'text'\n    return x ** 2\n"
        "print(f(int(input())), f.__annotations__, f.__doc__, f.__code__.co_filename, __name__, __file__)\n"
        "print(sorted(k for k in globals() if not k.startswith('__')))\n"
    )
    outputs = [run(sandbox, program, b"3") for _ in range(6)]
    assert len(set(outputs)) == 1
    assert outputs[0].startswith(b"9 {'x': 'unknown', 'return': \"'y'\"} text main.py __main__ /proc/self/fd/4\n")


def test_an_error_names_its_line_every_time(sandbox: Sandbox) -> None:
    for _ in range(4):
        outcome = sandbox.run("x = 1\n\nraise ValueError('here')", b"", HARMLESS)
        assert outcome.status is Status.ERROR
        assert b'File "main.py", line 3, in <module>' in outcome.stderr
        assert sandbox.run("x = (", b"", HARMLESS).status is Status.ERROR


@pytest.mark.parametrize(
    "tampering",
    [
        # Everything that it holds, and every number that it might hold.
        "for fd in range(3, 256):\n    try: os.pwrite(fd, b'tampered' * 100, 0)\n    except OSError: pass",
        "for fd in os.listdir('/proc/self/fd'):\n    try: print(os.readlink('/proc/self/fd/' + fd))\n"
        "    except OSError: pass",
        "import sys\nf = sys._getframe()\ntry: f.f_code.replace(co_consts=())\nexcept Exception: pass",
        "import marshal\nmarshal.loads = marshal.dumps = None",
    ],
)
def test_a_program_cannot_change_its_code_for_the_next_run(sandbox: Sandbox, tampering: str) -> None:
    program = f"import os\nif input() == 'attack':\n    exec({tampering!r})\nprint('honest')"
    first = run(sandbox, program, b"attack")
    assert b"memfd" not in first.replace(b"/memfd:monkeys (deleted)", b"", 4)  # stdin, stdout, stderr, its text
    for _ in range(3):
        assert run(sandbox, program, b"next") == b"honest\n"


def test_code_that_is_larger_than_the_output_may_be(sandbox: Sandbox) -> None:
    """What a program may write bounds its output, not its text."""
    program = "table = [" + ", ".join(str(n) for n in range(3000)) + "]\nprint(len(table))"
    for _ in range(3):
        assert run(sandbox, program, limits=Limits(cpu_s=5.0, output_bytes=100)) == b"3000\n"


def test_two_texts_that_differ_by_a_blank(sandbox: Sandbox) -> None:
    for _ in range(3):
        assert run(sandbox, "print(1)") == b"1\n"
        assert run(sandbox, "print(1) ") == b"1\n"
        assert run(sandbox, "print(2)") == b"2\n"


def test_a_program_that_dies_while_it_is_compiled(sandbox: Sandbox) -> None:
    deep = "x = " + "[" * 5000 + "]" * 5000
    for _ in range(3):
        assert sandbox.run(deep, b"", HARMLESS).status in (Status.ERROR, Status.MEMORY_LIMIT)
    huge = "x = '" + "a" * 40_000_000 + "'\nprint(len(x))"
    for _ in range(3):
        tight = sandbox.run(huge, b"", Limits(cpu_s=5.0, memory_mb=4))
        assert tight.status in (Status.MEMORY_LIMIT, Status.ERROR), tight
    assert run(sandbox, huge) == b"40000000\n"
    assert run(sandbox, huge) == b"40000000\n"


def test_checkers_of_many_programs(sandbox: Sandbox) -> None:
    checker = "import remote\nprint(remote.Function('f')(20) == 42)"
    for n in range(6):
        checked = sandbox.run_checked(checker, f"import remote\nremote.serve(lambda x: x + {n})", HARMLESS)
        assert checked.checker.stdout == b"False\n", checked
    checked = sandbox.run_checked(checker, "import remote\nremote.serve(lambda x: x + 22)", HARMLESS)
    assert checked.checker.stdout == b"True\n"
