"""Runs the `monkeys` command in a separate process, as users do."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.flows import warm_commands

MONKEYS = str(Path(sys.executable).parent / "monkeys")


class Ended(NamedTuple):
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str


def environment(**variables: str) -> dict[str, str]:
    """This process's environment without variables that would colour or wrap the command's output."""
    plain = {name: value for name, value in os.environ.items() if name not in {"FORCE_COLOR", "PREFECT_API_URL"}}
    return {**plain, "COLUMNS": "200", **variables}


def monkeys(*arguments: str, cwd: Path, **variables: str) -> Ended:
    """Run to the end."""
    return _run(arguments, cwd, variables, warm=not warm_commands.runs_a_flow(arguments))


def refused(*arguments: str, cwd: Path, **variables: str) -> Ended:
    """Run a command that is to end before any work, also where it would run a flow otherwise."""
    return _run(arguments, cwd, variables, warm=True)


def _run(arguments: Sequence[str], cwd: Path, variables: Mapping[str, str], *, warm: bool) -> Ended:
    command = [MONKEYS, *arguments]
    its = environment(**variables)
    if warm and warm_commands.serves(its):
        return Ended(*warm_commands.run(command, cwd, its, timeout_s=600))
    done = subprocess.run(command, check=False, cwd=cwd, env=its, capture_output=True, text=True, timeout=600)
    return Ended(done.returncode, done.stdout, done.stderr)
