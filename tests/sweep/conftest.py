"""What tests of scoring share: a sweep with drawn samples."""

from pathlib import Path

import pytest

from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.sweep import Sweep
from tests.store.stored import fill


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return fill(FsspecStore(str(tmp_path)), problems=20, k=30)
