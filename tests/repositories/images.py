"""Images with small repositories in the form of SWE-bench's, built from this machine's programs without a registry.

An image has Bash, Git, patch and a Python with pytest, a stub where SWE-bench's images have conda, and a repository at
/testbed that has a bug.
"""

import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from pathlib import Path

import pytest
from docker import DockerClient
from docker.models.containers import Container

from sandboxes.containers import image as of_machine
from sandboxes.containers.container import LABEL

PROGRAMS = (
    "bash", "sh", "git", "patch", "sleep", "cat", "df", "tail", "head", "rm", "cp", "mv", "mkdir", "mktemp", "sed",
    "grep", "tr", "uniq", "env", "dirname", "ls", "chmod", "setsid", "dd", "touch", "true", "id", "kill", "cut", "sort",
)  # fmt: skip
MODULES = ("pytest", "_pytest", "pluggy", "iniconfig", "packaging", "pygments", "py.py")
SITE = "opt/site"
CONDA = f"conda() {{ :; }}\nexport PYTHONPATH=/{SITE} PYTHONDONTWRITEBYTECODE=1\n"
ETC = {"etc/passwd": "root:x:0:0:root:/root:/bin/bash\n", "etc/group": "root:x:0:\n"}
BASE = "monkeys-tests-base:latest"

_LEFT_OUT = {"test", "tests", "site-packages", "dist-packages", "idlelib", "ensurepip", "tkinter", "lib2to3"}
IDENTITY = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")
DATE = {"GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z"}


def attempts(client: DockerClient, controller: object = None) -> list[Container]:
    """The containers of attempts that there are, of one process or of any. Other tests of this process may keep those
    of sandboxes on the same engine."""
    label = LABEL if controller is None else f"{LABEL}={controller}"
    found = client.api.containers(all=True, filters={"label": label})
    return [client.containers.get(each["Id"]) for each in found if not each["Image"].startswith(of_machine.REPOSITORY)]


def build_base(client: DockerClient) -> str:
    """An image with everything but the repository. Skips the test where this machine lacks a program."""
    if client.images.list(BASE):
        return BASE
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        _write_base(tar)
    archive.seek(0)
    name, _, tag = BASE.partition(":")
    client.api.import_image(archive, repository=name, tag=tag)
    return BASE


def build_instance(client: DockerClient, name: str, files: dict[str, str]) -> str:
    """An image with a repository of these files, in one commit. Returns the commit."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        commit = commit_files(Path(folder), files)
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            tar.add(folder, "testbed", filter=_of_root)
        container = client.containers.create(build_base(client), ["/bin/true"], network_mode="none")
        try:
            container.put_archive("/", archive.getvalue())
            repository, _, tag = name.partition(":")
            container.commit(repository, tag or "latest")
        finally:
            container.remove(force=True)
    return commit


def commit_files(folder: Path, files: dict[str, str]) -> str:
    """Put files into a new repository; returns its commit, which depends on the files alone."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "base"]):
        subprocess.run(["git", *IDENTITY, *command], cwd=folder, check=True, env={"PATH": "/usr/bin:/bin", **DATE})
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def diff_of(before: dict[str, str], after: dict[str, str], folder: Path) -> str:
    """What leads from some files to others, as Git writes it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    commit_files(folder, before)
    for path in before.keys() - after.keys():
        (folder / path).unlink()
    for path, text in after.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    done = subprocess.run(["git", "diff", "--cached", "--binary"], cwd=folder, check=True, capture_output=True)
    return done.stdout.decode()


def _of_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def _files(python: Path) -> dict[str, Path]:
    """What the image has, by its place: programs, the standard library and pytest."""
    files: dict[str, Path] = {}
    for name in PROGRAMS:
        found = shutil.which(name, path="/usr/bin:/bin")
        if found is None:
            pytest.skip(f"this machine has no {name}, which images of repositories need")
        files[f"usr/bin/{name}"] = Path(found).resolve()
    files[str(python).lstrip("/")] = python
    library = Path(sysconfig.get_path("stdlib"))
    for path in library.rglob("*"):
        if path.is_file() and not _LEFT_OUT & {*path.parts} and path.suffix != ".a":
            files[str(path).lstrip("/")] = path
    site = Path(sysconfig.get_path("purelib"))
    names = [*MODULES, *(path.name for name in MODULES for path in site.glob(f"{name}-*.dist-info"))]
    for name in names:
        for path in (site / name).rglob("*") if (site / name).is_dir() else [site / name]:
            if path.is_file():
                files[f"{SITE}/{path.relative_to(site)}"] = path
    return files


def _write_base(tar: tarfile.TarFile) -> None:
    python = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    files = _files(python)
    binaries = [path for path in files.values() if ".so" in path.name or path.parent.name == "bin"]
    for binary in binaries:
        for needed in of_machine._libraries(binary):
            files[str(needed).lstrip("/")] = needed.resolve()
    loader = next(path for path in of_machine._LOADERS if Path(path).exists())
    files[loader.lstrip("/")] = Path(loader).resolve()
    for place, source in sorted(files.items()):
        entry = _of_root(tar.gettarinfo(str(source), place))
        with source.open("rb") as content:
            entry.type, entry.linkname = tarfile.REGTYPE, ""
            entry.size = source.stat().st_size
            tar.addfile(entry, content)
    texts = {**ETC, "opt/miniconda3/bin/activate": CONDA}
    for place, text in texts.items():
        entry = tarfile.TarInfo(place)
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    for folder, mode in {"tmp": 0o1777, "root": 0o700, "proc": 0o555, "sys": 0o555, "dev": 0o755}.items():
        entry = tarfile.TarInfo(folder)
        entry.type, entry.mode = tarfile.DIRTYPE, mode
        tar.addfile(entry)
    for link, target in {"bin": "usr/bin", "usr/bin/python3": str(python), "usr/bin/python": "python3"}.items():
        entry = tarfile.TarInfo(link)
        entry.type, entry.linkname = tarfile.SYMTYPE, target
        tar.addfile(entry)
