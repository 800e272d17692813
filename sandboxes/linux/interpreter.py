"""The Python that runs samples, and the smallest part of the file system that it needs."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandboxes import SandboxUnavailableError

# Printed by the interpreter itself: its version, prefixes and module folders, and every file that it has mapped once
# the extension modules that bring shared libraries are loaded.
_PROBE = """
import sys
for name in ("bz2", "ctypes", "decimal", "hashlib", "lzma", "readline", "sqlite3", "ssl", "uuid", "zlib"):
    try:
        __import__(name)
    except ImportError:
        pass
import json, sysconfig
with open("/proc/self/maps") as maps:
    mapped = sorted({line.split(None, 5)[5].strip() for line in maps if "/" in line})
paths = sysconfig.get_paths()
print(json.dumps({
    "version": "%d.%d.%d" % sys.version_info[:3],
    "prefixes": [sys.prefix, sys.base_prefix],
    "library": [paths["stdlib"], paths["platstdlib"]],
    "packages": [paths["purelib"], paths["platlib"]],
    "path": sys.path,
    "mapped": [path for path in mapped if path.startswith("/")],
}))
"""


# Private to each program, and empty at first.
_TMP = "/tmp"  # noqa: S108


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that runs samples: its command, and the paths that a sandbox must show and hide for it.

    `shown` are folders and files to make visible at the same path, parents first; `hidden` are folders inside them to
    cover, so that packages installed there cannot be imported. Of those shown, `modules` are the folders that it
    imports from, and `libraries` those that contain shared libraries.
    """

    command: tuple[str, ...]
    version: str
    shown: tuple[str, ...]
    hidden: tuple[str, ...]
    modules: tuple[str, ...]
    libraries: tuple[str, ...]


def find_interpreter(python: Path | None) -> Interpreter:
    """Ask `python` which files it needs. None means the base interpreter of this environment, without packages:
    samples cannot import what the grader has installed. A given interpreter keeps its packages.

    Raises:
        SandboxUnavailableError: the interpreter does not work, or is in /tmp, which is private to each program.
    """
    bare = python is None
    executable = (
        os.path.realpath(getattr(sys, "_base_executable", sys.executable)) if python is None else str(python.absolute())
    )
    # -I is not used inside: it would ignore PYTHONHASHSEED. The environment is cleared there instead.
    flags = ("-s", "-B", "-S") if bare else ("-s", "-B")
    try:
        answer = subprocess.run(
            [executable, "-I", *flags, "-c", _PROBE], capture_output=True, check=True, timeout=60, text=True
        )
        facts = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        reason = f"{executable} is not a working Python interpreter ({_reason(error)})"
        raise SandboxUnavailableError(f"{reason}: set `python` to one that is") from error
    modules = set(facts["library"])
    libraries = {str(Path(path).parent) for path in facts["mapped"] if ".so" in Path(path).name}
    shown = {executable, os.path.realpath(executable)}
    if not bare:
        # Only below its prefixes, because an editable install would otherwise expose the checkout.
        modules |= {path for path in facts["path"] if any(_inside(path, prefix) for prefix in facts["prefixes"])}
        shown |= {str(Path(prefix) / "pyvenv.cfg") for prefix in facts["prefixes"]}
    shown |= modules | libraries
    # Packages in its folders that it does not import, such as those of a virtual environment's base.
    installed = {*facts["packages"], *(str(Path(folder) / "site-packages") for folder in facts["library"])}
    covered = {path for path in installed - set(facts["path"]) if Path(path).is_dir()}
    hidden = sorted(path for path in covered if any(_inside(path, folder) for folder in shown))
    own = next((path for path in sorted(shown) if _inside(path, _TMP)), None)
    if own is not None:
        raise SandboxUnavailableError(
            f"the Python that runs samples needs {own}, but {_TMP} is private to each program:"
            " set `python` to one that is installed elsewhere"
        )
    return Interpreter(
        command=(executable, *flags),
        version=facts["version"],
        shown=_outermost(shown - covered),
        hidden=tuple(hidden),
        modules=_outermost(modules - covered),
        libraries=_outermost(libraries),
    )


def _reason(error: Exception) -> str:
    """The reason in one line: the last line of its stderr, if it ran."""
    if isinstance(error, subprocess.CalledProcessError):
        return str((error.stderr.strip().splitlines() or [f"exit status {error.returncode}"])[-1])[:200]
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer for {error.timeout:.0f} s"
    return "its output is not that of a Python" if isinstance(error, ValueError) else str(error)


def _inside(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)


def _outermost(paths: set[str]) -> tuple[str, ...]:
    """The paths that exist, without those inside others."""
    existing = sorted(path for path in paths if Path(path).exists())
    return tuple(path for path in existing if not any(other != path and _inside(path, other) for other in existing))
