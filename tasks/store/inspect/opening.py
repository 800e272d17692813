"""Opening a store that exists, to read it."""

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.errors import UserError
from tasks.files.remote import storage_faults
from tasks.store.fsspec_store import FsspecStore


def readable_store(url: str) -> FsspecStore:
    """An existing store at a folder or fsspec URL.

    Raises:
        UserError: the store does not exist.
    """
    store = FsspecStore(url)
    store.check_readable()
    return store


@contextmanager
def open_store(url: str) -> Iterator[FsspecStore]:
    """As `readable_store`. Storage faults inside the block become errors of one line.

    Raises:
        UserError: the store does not exist, or an object cannot be read.
    """
    store = readable_store(url)
    try:
        yield store
    except BrokenPipeError:  # whoever reads our output has stopped reading
        raise
    except storage_faults() as error:
        raise UserError(f"store: {url} cannot be read ({' '.join(str(error).split())})") from error
