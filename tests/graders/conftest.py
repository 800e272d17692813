from collections.abc import Iterator

import pytest

from sandboxes import Sandbox, SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig


@pytest.fixture(scope="session", params=[True, False], ids=["bubblewrap", "bubblewrap-spawn"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    config = BubblewrapConfig(time_limit_s=2, memory_limit_mb=256)
    try:
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with config.open_pool(isolated=request.param) as opened:
        yield opened
