"""The Lean that is installed: its program, its version, its checker, and the folders that it reads."""

import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from tasks.errors import UserError
from tasks.provers.lean4.project import compiled_libraries, revision

INSTALL = "install Lean with elan (https://lean-lang.org/install), or set `prover.program` to the path of `lean`"
SOUND_SINCE = (4, 32, 2)
"""Kernels of earlier versions are known to accept proofs of false statements (lean4 issues 14484 and 14576)."""

THREADS = "-j2"
"""The option for the threads that elaborate. Lean's default is one per core, for each of the processes, of which there
is one per core, too."""

Checker = Annotated[
    str | None,
    Field(
        description="The name or the path of an independent checker. It is called with the name of a compiled module,"
        " which it finds by LEAN_PATH, and accepts it by exit status 0. It must accept `sorry` in a statement without a"
        " proof, or its refusals count as a failure of the checker; default: the toolchain's leanchecker, or"
        " lean4checker, if there is one"
    ),
]

_VERSION = re.compile(r"version (\d+)\.(\d+)\.(\d+)([^\s,]*)")


class Installation(NamedTuple):
    """Absolute paths of the programs (`checker`: None where there is none), the folders of compiled libraries with
    their revision, and what the programs must be able to read."""

    version: str
    revision: str
    program: str
    checker: str | None
    libraries: tuple[str, ...]
    shown: tuple[str, ...]

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """The variables by which the programs find the libraries."""
        return self.with_libraries()

    def with_libraries(self, *first: str) -> tuple[tuple[str, str], ...]:
        """The same, with folders that come before those of the project."""
        return (("LEAN_PATH", ":".join((*first, *self.libraries))),)

    @property
    def checker_name(self) -> str:
        """The name of the independent checker, for people."""
        return "none" if self.checker is None else Path(self.checker).name

    @property
    def is_sound(self) -> bool:
        """Whether no fault of this version's kernel is known."""
        return is_sound(self.version)


def is_sound(version: str) -> bool:
    """Whether no fault of the kernel of a version, such as `4.33.0-rc1`, is known."""
    found = _VERSION.search(f"version {version}")
    return found is not None and tuple(int(each) for each in found.groups()[:3]) >= SOUND_SINCE


@cache
def installation(program: str, project: Path | None, checker: str | None = None) -> Installation:
    """The Lean that a program and a project select.

    Args:
        program: the name or the path of `lean`; that of elan stands for the toolchain of the project.
        project: a folder with a Lake project whose libraries headers import, or with compiled files (.olean); None:
            only Lean's own library.
        checker: the name or the path of an independent checker; None: the toolchain's leanchecker, or lean4checker.

    Raises:
        UserError: Lean or the checker is not installed, or the project is not built, or built by another version.
    """
    found = shutil.which(program)
    if found is None:
        raise UserError(f"prover: lean needs `{program}`, which is not on the search path: {INSTALL}")
    folder = None if project is None else project.resolve()
    if folder is not None and not folder.is_dir():
        raise UserError(f"prover.project: {project} is not a folder: name a Lake project, such as one with Mathlib")
    found = str(Path(found).absolute())
    prefix = Path(_asked(found, "--print-prefix", folder))
    actual = prefix / "bin" / "lean"
    if not actual.exists():
        actual, prefix = Path(found), Path(found).parent.parent
    match = _VERSION.search(_asked(str(actual), "--version", folder))
    if match is None:
        raise UserError(f"prover: {actual} does not say which version of Lean it is: {INSTALL}")
    version = match[0].removeprefix("version ")
    libraries = () if folder is None else compiled_libraries(folder, version)
    found_checker = _checker(checker, prefix)
    shown = [str(actual), str(actual.resolve()), str(prefix), *libraries, *_interpreter(actual)]
    if found_checker is not None:
        shown += [found_checker, str(Path(found_checker).resolve()), *_interpreter(Path(found_checker))]
    used = "" if folder is None else revision(folder)
    return Installation(version, used, str(actual), found_checker, libraries, _outermost(shown))


def checked_by(lean: Installation, wanted: str | None) -> str | bool:
    """The ingredient of verdicts that says whether there is a checker, by its name where the settings name one."""
    return lean.checker is not None if wanted is None else Path(wanted).name


def _checker(wanted: str | None, prefix: Path) -> str | None:
    """The absolute path of the checker, if there is one."""
    own = prefix / "bin" / "leanchecker"
    if wanted is None and own.exists():
        return str(own)
    found = shutil.which("lean4checker" if wanted is None else str(Path(wanted).expanduser()))
    if found is None and wanted is not None:
        raise UserError(f"prover.checker: there is no program {wanted!r}: it should be a checker such as lean4checker")
    return None if found is None else str(Path(found).absolute())


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """The paths without those that are inside another."""
    kept = dict.fromkeys(paths)
    return tuple(path for path in kept if not any(str(parent) in kept for parent in Path(path).parents))


def _interpreter(program: Path) -> tuple[str, ...]:
    """What a script needs of the interpreter that runs it."""
    with program.open("rb") as file:
        first = file.readline(1000)
    if not first.startswith(b"#!"):
        return ()
    interpreter = Path(first[2:].split()[0].decode())
    return (str(interpreter), str(interpreter.resolve()), str(interpreter.resolve().parent.parent))


def _asked(program: str, option: str, folder: Path | None) -> str:
    try:
        answer = subprocess.run(
            [program, option], capture_output=True, check=True, timeout=60, text=True, cwd=folder, errors="replace"
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UserError(f"prover: lean cannot use {program}, which does not run: {INSTALL}") from error
    return answer.stdout.strip()
