"""Tests with the real vLLM on a bundled model: `make test-vllm` sets up an environment that has it."""

from pathlib import Path

import pytest

from tests.vllm.real import PYTHON

SLOWEST_S = 900
"""On a busy machine, vLLM takes minutes to start, and some tests start it three times."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.vllm)
            item.add_marker(pytest.mark.timeout(SLOWEST_S))
            if PYTHON is None:
                item.add_marker(pytest.mark.skip(reason="vLLM is not installed here; run `make test-vllm`"))
