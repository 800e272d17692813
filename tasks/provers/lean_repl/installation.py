"""A REPL that is installed on this machine, with the toolchain and the libraries that it reads."""

import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tasks.errors import UserError
from tasks.provers.lean4.project import compiled_libraries, revision

BUILD = (
    "build it with `lake build` in a checkout of leanprover-community/repl at the tag of the project's Lean, and set"
    " prover.repl to .lake/build/bin/repl"
)
_VERSION = re.compile(r"version ([^\s,]+)")
_ENV = "/usr/bin/env"


class ReplInstallation(NamedTuple):
    """The version of Lean of the project's toolchain, the revision of its libraries (empty: none), the command that
    runs the REPL, and what it must be able to read."""

    lean: str
    libraries: str
    command: tuple[str, ...]
    shown: tuple[str, ...]


@cache
def installation(repl: str, project: Path | None) -> ReplInstallation:
    """The REPL at a path or on the search path, and the libraries that a Lake project has built.

    Raises:
        UserError: one of them is absent, or has not been built, or the project is for another version of Lean.
    """
    program = shutil.which(str(Path(repl).expanduser()))
    if program is None:
        raise UserError(f"prover.repl: there is no program {repl!r}: {BUILD}")
    if project is not None and not project.is_dir():
        raise UserError(f"prover.project: there is no folder {project}; it should be a Lake project, such as mathlib4")
    lean = shutil.which("lean")
    if lean is None:
        raise UserError("prover: repl needs `lean`, which is not on the search path: install it with elan")
    prefix = _asked(lean, "--print-prefix", project)
    version = _VERSION.search(_asked(lean, "--version", project))
    libraries = () if project is None else compiled_libraries(project.absolute(), version[1] if version else "")
    variables = (f"LEAN_SYSROOT={prefix}", f"LEAN_PATH={':'.join(libraries)}")
    program = str(Path(program).absolute())
    shown = (_ENV, program, str(Path(program).resolve()), prefix, *libraries)
    used = revision(project) if project is not None else ""
    return ReplInstallation(
        version[1] if version else "", used, (_ENV, *variables, program), tuple(dict.fromkeys(shown))
    )


def _asked(lean: str, option: str, folder: Path | None) -> str:
    try:
        asked = subprocess.run([lean, option], capture_output=True, check=True, timeout=60, text=True, cwd=folder)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError) as error:
        raise UserError(
            f"prover: repl cannot use {lean}, which does not answer {option}: install it with elan"
        ) from error
    return asked.stdout.strip()
