"""A container image with a Python and time zones, built from an interpreter of this machine, without a registry.

It contains the interpreter, its modules, and the shared libraries that they load, at the same paths as on this machine.
"""

import hashlib
import json
import os
import platform
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sandboxes import SandboxUnavailableError
from sandboxes.linux.confinement import TIME_ZONES
from sandboxes.linux.interpreter import Interpreter

if TYPE_CHECKING:
    from docker import DockerClient

REPOSITORY = "monkeys-sandbox"

# Half of the standard library's size: modules that programs do not need.
_LEFT_OUT = frozenset({"test", "tests", "idlelib", "turtledemo", "ensurepip", "lib2to3"})
_OTHER_ZONES = {"posix", "right"}  # the same zones again, and with leap seconds
_NOT_FOR_RUNNING = (".a", ".o", ".exe")

_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1")
# Mount points of the engine.
_EMPTY_FOLDERS = tuple(map(Path, ("/dev", "/etc", "/proc", "/run", "/sys")))


def image_of(interpreter: Interpreter, client: "DockerClient") -> str:
    """The name of an image with the interpreter, which is built if the engine does not have it. Its tag is a hash of
    its contents, so another version, or one more package, is another image.

    Raises:
        SandboxUnavailableError: the loader of this machine's architecture is not known.
        docker.errors.DockerException: the engine refuses.
    """
    files = contents(interpreter)
    facts = [(str(path), path.lstat().st_size, int(path.lstat().st_mtime)) for path in files]
    tag = hashlib.sha256(json.dumps([interpreter.command, facts]).encode()).hexdigest()[:12]
    name = f"{REPOSITORY}:{tag}"
    if not client.images.list(name):
        with tempfile.TemporaryFile() as archive:
            _write(archive, files)
            archive.seek(0)
            client.api.import_image(archive, repository=REPOSITORY, tag=tag)
    return name


def contents(interpreter: Interpreter) -> list[Path]:
    """The files and links that a program with this interpreter may need. Each path occurs once, because engines may
    reject an archive in which one occurs twice."""
    return sorted({step for file in _files(interpreter) for step in _steps(file)})


def _files(interpreter: Interpreter) -> Iterator[Path]:
    """The files that a running interpreter may open."""
    files = [Path(path) for path in (*_LOADERS, "/etc/ld.so.cache", *interpreter.shown) if Path(path).is_file()]
    for modules in interpreter.modules:
        for folder, folders, names in os.walk(modules):
            kept = (name for name in folders if name not in _LEFT_OUT)
            folders[:] = [name for name in kept if str(Path(folder, name)) not in interpreter.hidden]
            files += (Path(folder, name) for name in names if not name.endswith(_NOT_FOR_RUNNING))
    yield from files
    for folder, folders, names in os.walk(TIME_ZONES):
        folders[:] = [name for name in folders if name not in _OTHER_ZONES]
        yield from (Path(folder, name) for name in names)
    binaries = [path for path in files if ".so" in path.name or str(path) == interpreter.command[0]]
    with ThreadPoolExecutor() as pool:
        for libraries in pool.map(_libraries, binaries):
            yield from libraries


def _libraries(binary: Path) -> list[Path]:
    """The shared libraries of a program or library, as the dynamic loader lists them without running it."""
    loader = next((path for path in _LOADERS if Path(path).exists()), None)
    if loader is None:
        raise SandboxUnavailableError(f"an image cannot be built on {platform.machine()}: set `image`")
    listing = subprocess.run([loader, "--list", binary], capture_output=True, text=True, check=False, timeout=60)
    found = (line.partition("=>")[2].strip().partition(" (")[0] for line in listing.stdout.splitlines())
    return [_plain(Path(path)) for path in found if path.startswith("/")]


def _plain(path: Path) -> Path:
    """The path without `..`, which occurs in packages' references such as `numpy/linalg/../../numpy.libs/…`."""
    return Path(os.path.realpath(path.parent), path.name) if ".." in path.parts else path


def _steps(path: Path) -> Iterator[Path]:
    """A path, and all links that are followed to reach it, including links to folders."""
    for step in (*reversed(path.parents), path):
        if step.is_symlink():
            yield step
            yield from _steps(Path(os.path.normpath(step.parent / step.readlink())) / path.relative_to(step))
            return
    yield path


def _write(archive: IO[bytes], files: list[Path]) -> None:
    """A tar archive of the files and their parent folders, owned by root."""

    def of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        return entry

    modes = {folder: 0o755 for path in files for folder in path.parents}
    modes |= dict.fromkeys(_EMPTY_FOLDERS, 0o755)
    modes |= {Path("/tmp"): 0o1777}  # noqa: S108 (in the image)
    with tarfile.open(fileobj=archive, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for folder in sorted(set(modes) - {Path("/")}):
            entry = tarfile.TarInfo(str(folder.relative_to("/")))
            entry.type, entry.mode = tarfile.DIRTYPE, modes[folder]
            tar.addfile(entry)
        for path in files:
            tar.add(path, str(path.relative_to("/")), recursive=False, filter=of_root)
