"""A browser for the tests of pages."""

from collections.abc import Iterator

import pytest

from .browser import CHROMIUM, Page, chromium


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened
