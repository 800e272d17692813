"""The store on any fsspec back end: a local folder, `s3://…`, `memory://…`.

Writes are atomic everywhere. Object stores put an object whole; on a local disk the bytes go to a temporary sibling,
are synced, and take their name in one rename, so that a process killed at any moment leaves no half object behind.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec

from tasks.errors import StoreUnavailableError, UserError
from tasks.files.atomic import TEMPORARY, replacing
from tasks.files.remote import options_for, storage_faults, without_credentials
from tasks.store import Temporary

_PERMANENT = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space",
    errno.EROFS: "make it writable",
    errno.EACCES: "grant access to it",
    errno.EPERM: "grant access to it",
    errno.ELOOP: "fix the link",
    errno.EISDIR: "move the folder away",
    errno.ENOTDIR: "move the file away",
}
"""Errors that retrying does not fix, and what a person does about them."""

_LISTS_BEGINNINGS = {"s3", "s3a"}
"""Back ends that can list those keys alone that begin in some way."""

# Local files have mtime and ino, S3 has ETag and LastModified, other stores some of the rest.
_CHANGES = ("size", "mtime", "ino", "created", "ETag", "etag", "LastModified", "last_modified", "updated", "md5Hash")


class FsspecStore:
    """A `Store` under one URL. Credentials, endpoint and region come from the environment, as s3fs takes them.

    Every operation raises:
        UserError: retrying cannot help: no permission, no space left.
        StoreUnavailableError: the store does not answer, or not as it should; retrying may help.
    """

    def __init__(self, url: str, **storage_options: Any) -> None:
        self._fs, self._root = _open(without_credentials(url), storage_options)
        self._local = "file" in _protocols(self._fs)
        self._base_url = self._root if self._local else url.rstrip("/")

    def read(self, key: str) -> bytes:
        """The object's bytes; FileNotFoundError where there is none."""
        with self._explained(key, "read"):
            return bytes(self._fs.cat_file(self._path(key)))

    def open(self, key: str) -> BinaryIO:
        """The object as a seekable file that fetches just what is read, and nothing ahead."""
        with self._explained(key, "read"):
            return cast(BinaryIO, self._fs.open(self._path(key), "rb", cache_type="none"))

    def write(self, key: str, data: bytes) -> None:
        """Create or replace an object in one step."""
        with self._explained(key, "written"):
            self._write(key, data)

    def _write(self, key: str, data: bytes) -> None:
        if self._local:
            path = Path(self._path(key))
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_bytes(data)
        else:
            self._fs.pipe_file(self._path(key), data)

    def keys(self, prefix: str) -> list[str]:
        """Every key under a prefix, sorted; one listing."""
        return list(self.sizes(prefix))

    def keys_of_folders(self, prefix: str, beginning: str) -> list[str]:
        """The keys in those folders directly under a prefix whose names begin in this way, sorted; lists no more of
        the others than it has to."""
        if self._local:
            return sorted(key for folder in self._folders(prefix, beginning) for key in self.keys(folder))
        if not _LISTS_BEGINNINGS & {*_protocols(self._fs)}:
            return [key for key in self.keys(prefix) if key.startswith(f"{prefix}/{beginning}")]
        return sorted(key for key in self._find(prefix, prefix=beginning) if not _is_temporary(key))

    def _folders(self, prefix: str, beginning: str) -> list[str]:
        """Folders of a local store."""
        try:
            with self._explained(prefix, "listed"), os.scandir(self._path(prefix)) as entries:
                return [f"{prefix}/{each.name}" for each in entries if each.name.startswith(beginning)]
        except FileNotFoundError:
            return []

    def sizes(self, prefix: str) -> dict[str, int]:
        """Every key under a prefix, sorted, with the bytes there; one listing. Leaves temporary files out."""
        found = self._find(prefix)
        return {key: int(found[key]["size"]) for key in sorted(found) if not _is_temporary(key)}

    def versions(self, prefix: str) -> dict[str, str]:
        """Every key under a prefix, sorted, with its size and what else the file system's listing says about it that
        changes when it is replaced: when it was written, or a hash. Leaves temporary files out."""
        found = self._find(prefix)
        return {
            key: " ".join(str(found[key].get(name, "")) for name in _CHANGES)
            for key in sorted(found)
            if not _is_temporary(key)
        }

    def temporaries(self) -> list[Temporary]:
        """What killed writers left behind, and what others are writing now."""
        found = self._find("")
        left = []
        for key in sorted(filter(_is_temporary, found)):
            with suppress(FileNotFoundError):  # its writer has finished since the listing
                left.append(Temporary(key, int(found[key]["size"]), self.age_s(key)))
        return left

    def age_s(self, key: str) -> float:
        """How long ago an object was written, by the clocks of store and reader; FileNotFoundError if there is none."""
        with self._explained(key, "read"):
            modified: datetime = self._fs.modified(self._path(key))
        return (datetime.now(UTC) - modified.astimezone(UTC)).total_seconds()

    def _find(self, folder: str, **options: str) -> dict[str, dict[str, Any]]:
        try:
            with self._explained(folder, "listed"):
                found = self._fs.find(self._path(folder), withdirs=False, detail=True, refresh=True, **options)
        except FileNotFoundError:  # what some S3 servers say of an empty prefix
            return {}
        return {str(path)[len(self._root) :].lstrip("/"): about for path, about in found.items()}

    def move(self, key: str, target: str) -> None:
        """Rename an object."""
        with self._explained(key, "moved"):
            if self._local:
                Path(self._path(target)).parent.mkdir(parents=True, exist_ok=True)
            self._fs.mv(self._path(key), self._path(target))

    def delete(self, key: str) -> None:
        """Remove an object, if it exists."""
        with suppress(FileNotFoundError), self._explained(key, "deleted"):
            self._fs.rm_file(self._path(key))

    def url(self, key: str) -> str:
        """The object's path, or its URL on a remote back end."""
        return f"{self._base_url}/{key}"

    def probe(self) -> None:
        """Write, read and remove one small object, so that a store that cannot be used is known before any work.

        Raises:
            UserError: the store cannot be written, with the reason.
        """
        key = f"{TEMPORARY}probe-{secrets.token_hex(4)}"
        try:
            self._write(key, b"probe")
            self._fs.rm_file(self._path(key))
        except _faults() as error:
            raise _unusable(self._base_url, error, "written") from error

    def check_readable(self) -> None:
        """Make sure that the folder or bucket exists and may be listed.

        Raises:
            UserError: it is not, with the reason.
        """
        # Object stores have no folders: an empty prefix is fine in a bucket that exists.
        place = self._root if self._local else self._root.partition("/")[0]
        try:
            there = self._lists(self._root) or self._lists(place)
        except _faults() as error:
            raise _unusable(self._base_url, error, "read") from error
        if not there:
            raise UserError(f"store: there is no {'folder' if self._local else 'bucket'} {place}; give another store")

    def _lists(self, path: str) -> bool:
        """Whether a path can be listed."""
        try:
            self._fs.ls(path)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return not self._local or Path(path).is_dir()

    @contextmanager
    def _explained(self, key: str, use: str) -> Iterator[None]:
        """Turns what went wrong into one line that names the object."""
        try:
            yield
        except FileNotFoundError:
            raise
        except storage_faults() as error:
            what = f"store: {self.url(key)} cannot be {use} ({_reason(error)})"
            number = errno.EACCES if isinstance(error, PermissionError) else getattr(error, "errno", None)
            if number in _PERMANENT:
                raise UserError(f"{what}; {_PERMANENT[number]}, then run the same command again") from error
            raise StoreUnavailableError(what) from error

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}" if key else self._root


def _open(url: str, storage_options: dict[str, Any]) -> tuple[Any, str]:
    options = {"use_listings_cache": False, **options_for(url), **storage_options}
    try:
        fs, root = fsspec.core.url_to_fs(url, **options)
    except _faults() as error:
        raise _unusable(url, error, "used") from error
    return fs, str(root).rstrip("/")


def _protocols(fs: Any) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def _faults() -> tuple[type[Exception], ...]:
    """What back ends raise when URL, credentials or permissions are wrong."""
    return (*storage_faults(), ValueError, ImportError)


def _unusable(url: str, error: Exception, use: str) -> UserError:
    return UserError(
        f"store: {url} cannot be {use} ({_reason(error)}); give a folder or an fsspec URL such as s3://bucket/runs"
    )


def _reason(error: Exception) -> str:
    """What went wrong, without the path, which the message around it names."""
    told = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(told.split()) or type(error).__name__


def _is_temporary(key: str) -> bool:
    return key.rpartition("/")[2].startswith(TEMPORARY)
