"""The files of a repository at a commit, read from a clone on this machine.

They stand in the prompt, and a prompt has to be known before anything is drawn, often on a machine with GPUs and no
container engine. So they do not come from the images, of which SWE-bench Lite has 300: 12 clones have all of its files.
"""

import subprocess
from functools import cache
from pathlib import Path

from tasks.errors import UserError
from tasks.records import SourceFile

_SECONDS = 60


def read_files(folder: Path, repository: str, commit: str, paths: tuple[str, ...]) -> tuple[SourceFile, ...]:
    """Files of a repository at a commit; paths that it does not have are left out, as a patch may create them.

    Args:
        folder: has a clone of `owner/name`, bare or not, as `owner__name`, `owner/name` or `name`.
        repository: `owner/name`.
        commit: the commit.
        paths: the files, from the root of the repository.

    Raises:
        UserError: there is no such clone or no such commit, or a file is not text in UTF-8.
    """
    clone = _clone(folder, repository)
    if _git(clone, "cat-file", "-e", f"{commit}^{{commit}}") is None:
        raise UserError(f"dataset.checkouts: {clone} has no commit {commit}; fetch the whole history of {repository}")
    found = []
    for path in paths:
        content = _git(clone, "cat-file", "blob", f"{commit}:{path}")
        if content is None:
            continue
        try:
            found.append(SourceFile(path, content.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise UserError(
                f"dataset.checkouts: {clone}: {path} at {commit} is not text in UTF-8, and cannot be shown"
            ) from error
    return tuple(found)


@cache
def _clone(folder: Path, repository: str) -> Path:
    owner, _, name = repository.partition("/")
    places = [folder / f"{owner}__{name}", folder / owner / name, folder / name]
    places += [place.with_name(f"{place.name}.git") for place in places]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise UserError(
            f"dataset.checkouts: {folder} has no clone of {repository}: run `git clone --bare"
            f" https://github.com/{repository} {places[0]}`"
        )
    return found


def _git(clone: Path, *arguments: str) -> bytes | None:
    """What a Git command prints; None where it fails. A clone that belongs to another user is read, too."""
    command = ["git", "-c", "safe.directory=*", "-C", str(clone), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)
    except FileNotFoundError as error:
        raise UserError("dataset.checkouts: git is not installed; install it (Debian: git)") from error
    except subprocess.TimeoutExpired as error:
        raise UserError(f"dataset.checkouts: {clone}: git did not answer within {_SECONDS} s") from error
    return done.stdout if done.returncode == 0 else None
