"""Stored results: a store, its sample sets, and a set as tables."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flows import DEFAULT_STORE
from tasks.errors import UserError
from tasks.records import Verdict
from tasks.report.documents import set_document
from tasks.scaling.estimators import Counts
from tasks.store.inspect import counts
from tasks.store.inspect.catalog import StoredSamples, StoredVerdicts, catalog, find
from tasks.store.inspect.opening import open_store as opened
from tasks.store.inspect.query import EXPORTED, Row, annotated_blocks, problem_ids, select

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


class Results:
    """One sample set with the verdicts of one grader, or without verdicts if it is not graded yet.

    It describes the set as it was when it was loaded; samples are read on demand.
    """

    def __init__(self, url: str, samples: StoredSamples, verdicts: StoredVerdicts | None) -> None:
        self._url = url
        self._samples = samples
        self._verdicts = verdicts

    def __repr__(self) -> str:
        return f"<Results {self.name}: {self._samples.samples:,} samples, verdicts: {self.verdicts or 'none'}>"

    @property
    def name(self) -> str:
        """The full name of the sample set."""
        return self._samples.name

    @property
    def label(self) -> str:
        """The name without its hash: dataset and model."""
        return self._samples.label

    @property
    def verdicts(self) -> str | None:
        """The name of the verdict set; None if the samples are not graded yet."""
        return None if self._verdicts is None else self._verdicts.name

    @property
    def ingredients(self) -> dict[str, Any]:
        """Everything that the samples depend on, as in `set.json`."""
        return dict(self._samples.ingredients)

    @property
    def info(self) -> dict[str, Any]:
        """What `monkeys ls --json` prints of the set."""
        return set_document(self._samples)

    def problems(self) -> list[str]:
        """The ids of the problems with stored samples, in order."""
        with opened(self._url) as store:
            return problem_ids(store, self._samples)

    def samples(
        self, *, problem: str | None = None, verdict: Verdict | str | None = None, index: int | None = None
    ) -> Iterator[Row]:
        """Iterate over samples, each a tuple (sample, graded); `graded` is None if there is no verdict.

        Args:
            problem: only samples of this problem.
            verdict: only samples with this verdict, such as `"wrong"`.
            index: only samples with this index.

        Raises:
            UserError: the set has no such problem, or a block is damaged.
            ValueError: there is no such verdict.
        """
        wanted = None if verdict is None else Verdict(verdict)
        with opened(self._url) as store:
            yield from select(store, self._samples, self._verdicts, problem=problem, verdict=wanted, index=index)

    def to_arrow(self) -> "pa.Table":
        """The whole set as an Arrow table, one row per sample; verdict and score columns are null where there is
        none. The scores are those of the latest score set.

        Raises:
            UserError: a block is damaged.
        """
        import pyarrow as pa

        with opened(self._url) as store:
            blocks = list(annotated_blocks(store, self._samples, self._verdicts, self._samples.scored_by(None)))
        return pa.concat_tables(blocks) if blocks else EXPORTED.empty_table()

    def to_pandas(self) -> "pd.DataFrame":
        """The whole set as a data frame, one row per sample. Raises as `to_arrow` does."""
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def counts(self) -> Counts:
        """The number of graded and of correct samples of each problem.

        Raises:
            UserError: the set is not graded yet, or was sampled in solve mode, which does not give coverage.
        """
        if self._verdicts is None:
            raise UserError(f"{self.name} is not graded yet; run its sweep, or `monkeys regrade`")
        with opened(self._url) as store:
            return counts.counts(store, self._samples, self._verdicts)


class Store:
    """A store of results: a folder, or any fsspec URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        with opened(url):
            pass

    def __repr__(self) -> str:
        return f"<Store {self.url}>"

    def sets(self) -> list[Results]:
        """Every sample set by name, each with its latest verdicts; sets from a newer version are left out."""
        with opened(self.url) as store:
            return [
                Results(self.url, each, each.graded_by(None)) for each in catalog(store) if not each.from_newer_version
            ]

    def load(self, name: str, *, verdicts: str | None = None) -> Results:
        """One sample set, by its name or hash, or any unique prefix of either.

        Args:
            name: which sample set.
            verdicts: which verdict set, by name or prefix; None: the latest.

        Raises:
            UserError: there is no such set, or more than one.
        """
        with opened(self.url) as store:
            samples = find(store, name)
            return Results(self.url, samples, samples.graded_by(verdicts))


def open_store(url: str = DEFAULT_STORE) -> Store:
    """Open a store that exists.

    Raises:
        UserError: there is no store, or it cannot be read.
    """
    return Store(url)


def load(name: str, *, store: Store | str = DEFAULT_STORE, verdicts: str | None = None) -> Results:
    """Load a stored sample set: `monkeys.load("arithmetic").to_pandas()`.

    Args:
        name: its name or hash, or any unique prefix of either.
        store: where it is stored: a store, a folder or an fsspec URL.
        verdicts: which verdict set, by name or prefix; None: the latest.

    Raises:
        UserError: there is no such store or set.
    """
    return (open_store(store) if isinstance(store, str) else store).load(name, verdicts=verdicts)
