"""The tests of this folder run the real vLLM on a bundled model: `make test-vllm` makes an environment that has it."""

from pathlib import Path

import pytest

from tests.vllm.real import PYTHON

SLOWEST_S = 900
"""Where other work takes the cores, vLLM takes minutes to start, and some tests start it three times."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vllm)
            item.add_marker(pytest.mark.timeout(SLOWEST_S))
            if PYTHON is None:
                item.add_marker(pytest.mark.skip(reason="no vLLM here: `make test-vllm` has an environment with it"))
