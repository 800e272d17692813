"""What tests of pages share: a browser, and reports without figures that a test does not look at."""

from collections.abc import Iterator

import pytest

from tasks.report.sweep import publish as publish_sweep

from .browser import CHROMIUM, Page, chromium


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with chromium(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture
def without_figures_of_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports of sweeps do not have the figures of coverage, pass rates and verdicts, which take most of the time."""
    monkeypatch.setattr(publish_sweep, "draw", lambda summary: ())
