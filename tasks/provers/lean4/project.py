"""A Lake project: where its compiled libraries are, and which revision they have."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from tasks.errors import UserError

_LAKE_FILES = ("lakefile.toml", "lakefile.lean")
_LIBRARIES = (".lake/build/lib/lean", ".lake/build/lib")
_HASH_DIGITS = 12


def compiled_libraries(project: Path, version: str) -> tuple[str, ...]:
    """The folders with the compiled files (.olean) of a project and of the packages that it requires; the folder itself
    where it is not a Lake project.

    Args:
        project: the folder.
        version: that of the Lean that is to read them.

    Raises:
        UserError: they were not built, or the project is for another version.
    """
    pinned = project / "lean-toolchain"
    if pinned.exists():
        wanted = pinned.read_text(encoding="utf-8").strip().rpartition(":")[2].removeprefix("v")
        if wanted[:1].isdigit() and wanted != version:
            raise UserError(
                f"prover.project: {project} is for Lean {wanted}, and `lean` here is {version}: install that version"
                f" with `elan toolchain install {wanted}`"
            )
    if not any((project / name).exists() for name in _LAKE_FILES):
        if next(project.rglob("*.olean"), None) is None:
            raise UserError(
                f"prover.project: {project} is not built: it has neither a lakefile nor compiled files (.olean); name"
                " the folder of a Lake project, such as mathlib4"
            )
        return (str(project),)
    roots = [project, *sorted((project / ".lake" / "packages").glob("*"))]
    found = [next((root / place for place in _LIBRARIES if (root / place).is_dir()), None) for root in roots]
    built = tuple(str(each) for each in found if each is not None and next(each.rglob("*.olean"), None) is not None)
    if not built:
        raise UserError(
            f"prover.project: {project} is not built: run `lake exe cache get` (Mathlib) and `lake build` there"
        )
    return built


def revision(project: Path) -> str:
    """The beginning of a hash of what a project consists of: what it requires; its commit, and what was changed since,
    where it is a checkout, and else its own sources; and its compiled files where it is not a Lake project."""
    digest = hashlib.sha256()
    for name in ("lake-manifest.json", "lean-toolchain"):
        if (project / name).is_file():
            digest.update((project / name).read_bytes())
    git = shutil.which("git")
    lake = any((project / name).exists() for name in _LAKE_FILES)
    if git is not None and (project / ".git").exists():
        for question in (("rev-parse", "HEAD"), ("diff", "HEAD", "--", "*.lean")):
            command = [git, "-C", str(project), *question]
            digest.update(subprocess.run(command, capture_output=True, check=False, timeout=60).stdout)
    elif lake:
        for file in sorted(project.rglob("*.lean")):
            if ".lake" not in file.relative_to(project).parts:
                digest.update(f"{file.relative_to(project)} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    if not lake:
        for file in sorted(project.rglob("*.olean")):
            with file.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
            digest.update(f"{file.relative_to(project)} {content}\n".encode())
    return digest.hexdigest()[:_HASH_DIGITS]
