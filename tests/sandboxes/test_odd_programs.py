"""Malformed programs, and programs that mistreat their interpreter (see `conftest.Attacker`)."""

import pytest

from sandboxes import Status
from tests.sandboxes.conftest import Attacker, attack


def test_leaving_before_any_output(attacker: Attacker) -> None:
    outcome = attack(attacker, "import os; os._exit(0)")
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


def test_patching_the_interpreter(attacker: Attacker) -> None:
    """What one program breaks in Python is whole for the next."""
    outcome = attack(
        attacker,
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


def test_closing_every_descriptor(attacker: Attacker) -> None:
    outcome = attack(attacker, "import os; os.closerange(0, 1024); print('x')")
    assert outcome.status in {Status.OK, Status.ERROR}
    assert outcome.stdout == b""


def test_binary_output(attacker: Attacker) -> None:
    outcome = attack(attacker, "import sys; sys.stdout.buffer.write(bytes(range(256)))")
    assert (outcome.status, outcome.stdout) == (Status.OK, bytes(range(256)))


@pytest.mark.parametrize("program", ["", "\n\n", "# nothing"])
def test_empty_programs_do_nothing(attacker: Attacker, program: str) -> None:
    outcome = attack(attacker, program)
    assert (outcome.status, outcome.stdout) == (Status.OK, b"")


@pytest.mark.parametrize("program", ["this is not Python", "print('a' 'b'", "x = '\0'", "\ud800", "\x7fELF"])
def test_what_is_not_python(attacker: Attacker, program: str) -> None:
    assert attack(attacker, program).status is Status.ERROR
