"""Programs that are none, or that treat their own interpreter badly (see `conftest.Range`)."""

import pytest

from sandboxes import Status
from tests.sandboxes.conftest import Range, attack


def test_leaving_before_any_output(shooting: Range) -> None:
    outcome = attack(shooting, "import os; os._exit(0)")
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


def test_patching_the_interpreter(shooting: Range) -> None:
    """What one program breaks in Python is whole for the next."""
    outcome = attack(
        shooting,
        """
        import builtins, os, sys
        builtins.input = lambda: "1000 1000"
        builtins.print = builtins.sum = lambda *a, **k: None
        sys.modules["os"] = None
        sys.stdout = sys.stdin = sys.stderr = None
        sys.excepthook = None
        raise ValueError
        """,
    )
    assert outcome.status is Status.ERROR


def test_closing_every_descriptor(shooting: Range) -> None:
    outcome = attack(shooting, "import os; os.closerange(0, 1024); print('x')")
    assert outcome.status in {Status.OK, Status.ERROR}
    assert outcome.stdout == b""


def test_binary_output(shooting: Range) -> None:
    outcome = attack(shooting, "import sys; sys.stdout.buffer.write(bytes(range(256)))")
    assert (outcome.status, outcome.stdout) == (Status.OK, bytes(range(256)))


@pytest.mark.parametrize("program", ["", "\n\n", "# nothing"])
def test_empty_programs_do_nothing(shooting: Range, program: str) -> None:
    outcome = attack(shooting, program)
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


@pytest.mark.parametrize("program", ["this is not Python", "print('a' 'b'", "x = '\0'", "\ud800", "\x7fELF"])
def test_what_is_not_python(shooting: Range, program: str) -> None:
    assert attack(shooting, program).status is Status.ERROR
