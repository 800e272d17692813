"""The Rocq that is installed: its programs, its version, and the folders that they read."""

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tasks.errors import UserError

INSTALL = "install Rocq with `make provers`, or with `apt-get install coq`"


class Installation(NamedTuple):
    """Absolute paths of the programs (`checker`: None where there is none), and what they must be able to read."""

    version: str
    warm: str
    compiler: str
    checker: str | None
    shown: tuple[str, ...]


@cache
def installation() -> Installation:
    """The Rocq on the search path.

    Raises:
        UserError: it is not installed, or not whole.
    """
    compiler, checker = shutil.which("coqc"), shutil.which("coqchk")
    warm = shutil.which("coqidetop.opt") or shutil.which("coqidetop")
    if compiler is None or warm is None:
        absent = "coqc" if compiler is None else "coqidetop"
        raise UserError(f"prover: rocq needs `{absent}`, which is not on the search path: {INSTALL}")
    version, library = _asked(compiler, "--print-version").split()[0], Path(_asked(compiler, "-where"))
    # The compiled plug-ins are next to the library, with the files by which they are found.
    programs = (compiler, warm, checker) if checker else (compiler, warm)
    shown = (*programs, *(str(Path(each).resolve()) for each in programs), str(library.parent))
    return Installation(version, warm, compiler, checker, tuple(dict.fromkeys((*shown, "/etc/ocamlfind.conf"))))


def _asked(program: str, option: str) -> str:
    try:
        return subprocess.run([program, option], capture_output=True, check=True, timeout=60, text=True).stdout.strip()
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(f"prover: rocq cannot use {program}, which does not run: {INSTALL}") from error
