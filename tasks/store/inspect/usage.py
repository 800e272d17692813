"""What the samples of a stored set used, by problem: tokens from the samples, seconds from the footers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa

from tasks.costs.usage import UsageByProblem
from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints
from tasks.store import Store
from tasks.store.blocks import Block
from tasks.store.busy_time import busy_s
from tasks.store.inspect.catalog import StoredSamples
from tasks.store.sample_layout import SampleFooter
from tasks.store.samples import read_sample_columns
from tasks.store.schema import CorruptObjectError
from tasks.store.tables import integers

_COLUMNS = ("problem_id", "prompt_tokens", "tokens", "cached_prompt_tokens")
_THREADS = 16
# Its seconds are those of reading a file.
_NOT_DRAWN = "recorded"


def usage(store: Store, samples: StoredSamples, problem_ids: Sequence[str]) -> UsageByProblem:
    """What the samples of some problems used, in the order of the problems. All stored samples of a problem count.

    Seconds are wall-clock seconds: what was drawn concurrently shares them, by tokens where they are known. Imported
    samples have none.

    Raises:
        UserError: a problem has no sample.
        CorruptObjectError: a block is damaged.
    """
    for key, reason in samples.objects.faults.items():
        raise CorruptObjectError(key, f"{reason}; run the sweep of {samples.name} again")
    blocks = list(samples.objects.footers.items())

    def read(item: tuple[Block, SampleFooter]) -> pa.Table:
        key = samples.objects.key(item[0])
        with store.open(key) as file:
            return read_sample_columns(file, key, _COLUMNS)

    sums = _Sums(problem_ids)
    busy = busy_s([(footer.drawn_at, footer.seconds) for _, footer in blocks])
    together = sum(footer.seconds for _, footer in blocks)
    with ThreadPoolExecutor(_THREADS) as pool:
        for (_, footer), table in zip(blocks, pool.map(read, blocks), strict=True):
            sums.add(table, footer.seconds * (busy / together if together else 0.0))
    used = sums.usage(timed=samples.ingredients.get("engine") != _NOT_DRAWN)
    if not used.samples.all():  # an older report counts samples that are gone, as where a damaged block was set aside
        missing = used.problem_ids[int(used.samples.argmin())]
        raise UserError(f"{samples.name} has no stored sample of problem {missing!r}; run its sweep again")
    return used


class _Sums:
    """Adds up the samples of blocks by problem; a column in which a count is missing is None from then on."""

    def __init__(self, problem_ids: Sequence[str]) -> None:
        self._ids = tuple(problem_ids)
        self._row = {problem: row for row, problem in enumerate(self._ids)}
        self._samples, self._prompt, self._cached, self._completion, self._context = (self._zeros() for _ in range(5))
        self._shortest, self._longest = np.full(len(self._ids), np.iinfo(np.int64).max), self._zeros()
        self._seconds: Floats = np.zeros(len(self._ids))
        self._unknown: set[str] = set()

    def add(self, table: pa.Table, seconds: float) -> None:
        """The samples of a block, drawn in this many seconds."""
        merged = table.unify_dictionaries().combine_chunks()
        problems = merged["problem_id"].combine_chunks()
        rows = np.array([self._row.get(problem, -1) for problem in problems.dictionary.to_pylist()], dtype=np.int64)
        at = rows[integers(problems.indices)]
        mine = at >= 0
        prompt, completion = (self._column(merged, name, mine) for name in ("prompt_tokens", "tokens"))
        cached = self._column(merged, "cached_prompt_tokens", mine)
        self._share_out(seconds, at, self._column(merged, "tokens", np.ones_like(mine), note=False))
        at = at[mine]
        np.add.at(self._samples, at, 1)
        if completion is not None:
            np.add.at(self._completion, at, completion)
        if cached is not None:
            np.add.at(self._cached, at, cached)
        if prompt is not None:
            np.add.at(self._prompt, at, prompt)
            np.minimum.at(self._shortest, at, prompt)
            np.maximum.at(self._longest, at, prompt)
        if prompt is not None and completion is not None:
            np.add.at(self._context, at, completion * prompt + completion * (completion + 1) // 2)

    def usage(self, *, timed: bool) -> UsageByProblem:
        """The sums."""
        prompt_known, completion_known = (name not in self._unknown for name in ("prompt_tokens", "tokens"))
        shared = prompt_known and bool((self._shortest == self._longest).all())
        return UsageByProblem(
            self._ids,
            self._samples,
            prompt=self._prompt if prompt_known else None,
            cached=self._cached if "cached_prompt_tokens" not in self._unknown else None,
            completion=self._completion if completion_known else None,
            context=self._context if prompt_known and completion_known else None,
            shared_prompt=self._longest if shared else None,
            seconds=self._seconds if timed else None,
        )

    def _share_out(self, seconds: float, at: Ints, tokens: Ints | None) -> None:
        """Give each sample of a block its part of the block's seconds."""
        parts = np.ones(len(at)) if tokens is None or not tokens.sum() else tokens.astype(np.float64)
        mine = at >= 0
        np.add.at(self._seconds, at[mine], seconds * parts[mine] / parts.sum())

    def _column(
        self, table: pa.Table, name: str, mine: "np.ndarray[tuple[int], np.dtype[np.bool_]]", *, note: bool = True
    ) -> Ints | None:
        """The values of some rows; None where one is missing, which is noted."""
        column = table[name].combine_chunks()
        if column.filter(pa.array(mine)).null_count:
            if note:
                self._unknown.add(name)
            return None
        values: Ints = integers(column)[mine].astype(np.int64)
        return values

    def _zeros(self) -> Ints:
        return np.zeros(len(self._ids), dtype=np.int64)
