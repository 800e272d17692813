"""What graders count on in every sandbox (`monkeys.testing`). Isolation is what the other tests here are about."""

from collections.abc import Callable

import pytest

from monkeys.testing import check_sandbox
from monkeys.testing.sandboxes import SANDBOX_CHECKS
from sandboxes import Sandbox, SandboxUnavailableError
from sandboxes.bubblewrap import BubblewrapConfig


@pytest.mark.parametrize("check", SANDBOX_CHECKS, ids=lambda check: check.__name__)
def test_a_sandbox_keeps_its_promises(sandbox: Sandbox, check: Callable[[Sandbox], None]) -> None:
    check(sandbox)


def test_bubblewrap_keeps_its_promises_with_several_workers() -> None:
    config = BubblewrapConfig(workers=3)
    try:
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    check_sandbox(config)
