"""A LeanDojo that is installed in an environment of this machine, and its REPL, compiled by the Lean that runs it."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from sandboxes import SandboxUnavailableError
from sandboxes.linux.interpreter import Interpreter, find_interpreter
from sandboxes.scratch import scratch_folder
from tasks.errors import UserError
from tasks.provers.lean4.confirmation import Compiler, reason
from tasks.provers.lean4.installation import Installation
from tasks.provers.lean4.worker import HEADER_CPU_S

INSTALL = (
    "run infra/lean_dojo_env.sh, or install lean-dojo in an environment with Python 3.9 to 3.12 and set prover.python"
)
REPL = "Lean4Repl"
"""The module of LeanDojo's REPL, a tactic and a command by which Lean answers requests."""

_SHELL = "/bin/sh"
_COMPILED_IN_MB = 4096
_ASK = """
import importlib.metadata, importlib.util, json
folder = importlib.util.find_spec("lean_dojo").submodule_search_locations[0]
print(json.dumps([importlib.metadata.version("lean-dojo"), folder]))
"""


class DojoInstallation(NamedTuple):
    """LeanDojo's version, the Python that has it, the source of its REPL, and what of the machine it needs."""

    version: str
    interpreter: Interpreter
    repl: Path
    shown: tuple[str, ...]


@cache
def dojo_installation(python: str) -> DojoInstallation:
    """The LeanDojo that a Python has.

    Raises:
        UserError: it has none, or LeanDojo cannot run here.
    """
    found = shutil.which(str(Path(python).expanduser()))
    if found is None:
        raise UserError(f"prover.python: there is no {python}: {INSTALL}")
    git = shutil.which("git")
    if git is None:
        raise UserError("prover: lean_dojo needs `git`, which is not on the search path: install it")
    try:
        command = [found, "-I", "-c", _ASK]
        asked = subprocess.run(command, capture_output=True, check=True, timeout=60, text=True)
        version, folder = json.loads(asked.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise UserError(f"prover.python: {python} has no lean-dojo: {INSTALL}") from error
    try:
        interpreter = find_interpreter(Path(found).absolute())
    except SandboxUnavailableError as error:
        raise UserError(f"prover.python: {error}") from error
    repl = Path(folder) / "interaction" / f"{REPL}.lean"
    return DojoInstallation(version, interpreter, repl, (*interpreter.shown, _SHELL, str(Path(git).absolute())))


@cache
def compiled_repl(dojo: DojoInstallation, lean: Installation) -> bytes:
    """LeanDojo's REPL, compiled.

    Raises:
        SandboxUnavailableError: bubblewrap cannot run here.
        UserError: it does not compile with this version of Lean.
    """
    with scratch_folder() as folder:
        compiler = Compiler(lean, _COMPILED_IN_MB, HEADER_CPU_S)
        finished = compiler.compile(folder, REPL, dojo.repl.read_text(encoding="utf-8"))
        if finished.exit_code != 0:
            raise UserError(
                f"prover: the REPL of lean-dojo {dojo.version} does not compile with Lean {lean.version}"
                f" ({reason(finished)}): use a Lean for which that LeanDojo was made, such as 4.20"
            )
        return (folder / f"{REPL}.olean").read_bytes()
