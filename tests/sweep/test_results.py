"""How often a report reads the store."""

from collections import Counter
from pathlib import Path
from typing import BinaryIO

import pytest

from tasks.report.sweep.publish import publish
from tasks.store.fsspec_store import FsspecStore
from tests.store.stored import fill, sweep_of


class CountingStore(FsspecStore):
    """Counts listings by prefix, and how often each object is opened or read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.listed: Counter[str] = Counter()
        self.opened: Counter[str] = Counter()

    def keys(self, prefix: str) -> list[str]:
        self.listed[prefix] += 1
        return super().keys(prefix)

    def sizes(self, prefix: str) -> dict[str, int]:
        self.listed[prefix] += 1
        return super().sizes(prefix)

    def open(self, key: str) -> BinaryIO:
        self.opened[key] += 1
        return super().open(key)


@pytest.mark.usefixtures("without_figures_of_counts")
def test_a_report_lists_the_set_once_and_reads_each_footer_once(tmp_path: Path) -> None:
    fill(FsspecStore(str(tmp_path)), problems=20, k=130)
    store = CountingStore(str(tmp_path))
    sweep = sweep_of(store, problems=20, k=130)
    samples, verdicts = sweep.samples.identity.name, sweep.grading.verdicts.identity.name

    blocks = sweep.grading.stored_samples()
    assert len(blocks) == 4
    store.listed.clear()
    store.opened.clear()
    results = sweep.results()
    assert store.opened == {f"samples/{samples}/{block.key}": 1 for block in blocks}, "the footers"

    store.opened.clear()
    publish(sweep.grading, results, results.summarise(), "")
    assert store.listed == {f"samples/{samples}": 1}
    of_samples = {f"samples/{samples}/{block.key}": 1 for block in blocks}
    of_verdicts = {f"verdicts/{samples}/{verdicts}/{block.key}": 1 for block in blocks}
    assert store.opened == of_samples | of_verdicts, "token columns and verdict columns"
