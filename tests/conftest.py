"""What all tests share: real servers, and markers that say what a test needs and costs."""

import atexit
import contextlib
import importlib.util
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.servers import S3, moto_server, prefect_server, s3_server

if TYPE_CHECKING:
    from tasks.store.fsspec_store import FsspecStore

# NumPy reads it at import. Its threads wait in busy loops, and every core has other tests to run.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# Prefect reads its settings at import: no test may touch the settings or the database of the person who runs it.
os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
os.environ["PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS"] = "180"
os.environ.pop("PREFECT_API_URL", None)

# Nor the cache of that person.
os.environ["MONKEYS_CACHE_DIR"] = tempfile.mkdtemp(prefix="monkeys-tests-")
atexit.register(shutil.rmtree, os.environ["MONKEYS_CACHE_DIR"], ignore_errors=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Offer warm processes for commands; with pytest-xdist, its workers share them."""
    from tests.flows import warm_commands  # reads the variables above

    if not hasattr(session.config, "workerinput"):
        commands = contextlib.ExitStack()
        commands.enter_context(warm_commands.server())
        session.config.add_cleanup(commands.close)


_NEEDS = {
    "sandbox": "sandbox",
    "sandbox_with_one_worker": "sandbox",
    "docker": "docker",  # a value of the sandboxes' parameter
    "client": "docker",  # the Docker engine's
    "prefect_url": "server",
    "deployed": "server",
    "s3_process": "s3",
    "s3": "s3",
    "moto_process": "s3",
    "moto": "s3",
    "page": "browser",
}
"""Which marker a test gets for a fixture that it asks for, directly or not, or names in a parameter."""


_SLOW_VALUE = "bubblewrap-spawn"
"""A sandbox that starts a Python for each program, which costs ten times as much. `make test` tries it in its
contract alone; that nothing differs from `bubblewrap` is left to `make test-all`."""
_ITS_CONTRACT = "test_contract"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark each test by what it asks for; in a worker of pytest-xdist, also say which tests must stay together."""
    for item in items:
        if isinstance(item, pytest.Function):
            parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
            asked = {*item.fixturenames, *(value for value in parameters if isinstance(value, str))}
            for marker in sorted({_NEEDS[name] for name in asked & _NEEDS.keys()}):
                item.add_marker(marker)
            if _SLOW_VALUE in item.name and item.path.stem != _ITS_CONTRACT:
                item.add_marker("slow")
    if hasattr(config, "workerinput"):
        _share_out(items)


def _share_out(items: list[pytest.Item]) -> None:
    """Say which tests go to one worker of pytest-xdist, and put first what takes longest: workers go by the order.

    A module's tests may share fixtures. All that needs Docker shares one engine. A worker has one Prefect server for
    all tests that ask for `prefect_url`; two workers have one, for a server takes a tenth of a core even when idle.
    """
    items.sort(key=lambda item: [item.get_closest_marker(marker) is None for marker in ("server", "docker", "slow")])
    turns = itertools.cycle(("server 1", "server 2"))
    for item in items:
        if "prefect_url" in getattr(item, "fixturenames", ()):
            group = next(turns)
        elif item.get_closest_marker("docker"):
            group = "docker"
        else:
            group = item.path.relative_to(item.config.rootpath).as_posix()
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture
def filled_store(tmp_path: Path) -> "FsspecStore":
    """A store with one drawn and graded set of recorded answers, of the usual size."""
    from tasks.store.fsspec_store import FsspecStore
    from tests.store.stored import fill

    store = FsspecStore(str(tmp_path))
    fill(store)
    return store


@pytest.fixture
def without_figures_of_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of sweeps do not have the figures of coverage, pass rates and verdicts, which take most of the time."""
    from tasks.report.sweep import publish

    monkeypatch.setattr(publish, "draw", lambda summary: ())


@pytest.fixture(scope="session")
def s3_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with s3_server(tmp_path_factory.mktemp("s3")) as s3:
        yield s3


@pytest.fixture
def s3(s3_process: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    for name, value in s3_process.environment.items():
        monkeypatch.setenv(name, value)
    return s3_process


@pytest.fixture(scope="session")
def moto_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask_cors") is None:
        pytest.skip("moto's server is not installed")
    with moto_server(tmp_path_factory.mktemp("moto")) as moto:
        yield moto


@pytest.fixture
def moto(moto_process: S3, monkeypatch: pytest.MonkeyPatch) -> S3:
    for name, value in moto_process.environment.items():
        monkeypatch.setenv(name, value)
    return moto_process


@pytest.fixture(scope="session")
def prefect_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect")) as url:
        yield url
