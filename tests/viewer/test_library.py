"""What a library keeps of a store, for many requests at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.store.fsspec_store import FsspecStore
from tasks.viewer import library as of_library
from tasks.viewer.library import Library
from tasks.viewer.tallies import Tallies, total
from tests.store.stored import LastLineGrader, fill, grade, sweep_of
from tests.viewer.conftest import PROBLEMS


@pytest.fixture
def library(shown):
    return Library(FsspecStore(str(shown.folder)))


def test_requests_for_the_same_set_at_once_read_it_once(library, shown, monkeypatch):
    """Of a set with 100,000 problems, reading takes seconds and much memory."""
    reads, begun = [], threading.Barrier(8)
    exact, count = library._exact, Tallies.by_problem

    def counted_exact(name):
        reads.append("set")
        return exact(name)

    def counted_tallies(*given):
        reads.append("tallies")
        return count(*given)

    monkeypatch.setattr(library, "_exact", counted_exact)
    monkeypatch.setattr(Tallies, "by_problem", counted_tallies)

    def ask(_):
        begun.wait()
        return library.tallies(library.set(shown.name)).tallies

    with ThreadPoolExecutor(8) as pool:
        first, *others = pool.map(ask, range(8))
    assert len(first) == PROBLEMS
    assert all(each == first for each in others)
    assert sorted(reads) == ["set", "tallies"]


def test_a_set_that_is_being_counted_does_not_keep_others_waiting(library, shown, monkeypatch):
    counting, go_on = threading.Event(), threading.Event()
    count = Tallies.by_problem

    def slow(tallies, store, verdicts):
        if verdicts.ingredients["samples"] == shown.name:
            counting.set()
            assert go_on.wait(60)
        return count(tallies, store, verdicts)

    monkeypatch.setattr(Tallies, "by_problem", slow)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(lambda: library.tallies(library.set(shown.name)))
        try:
            assert counting.wait(60)
            other = pool.submit(lambda: (library.sets(), library.tallies(library.set(shown.other))))
            other.result(60)
        finally:
            go_on.set()
        assert len(first.result(60).tallies) == PROBLEMS


def test_what_failed_to_be_read_is_read_again(library, shown, monkeypatch):
    exact, left = library._exact, [1]

    def failing(name):
        if left:
            left.pop()
            raise FileNotFoundError(name)
        return exact(name)

    monkeypatch.setattr(library, "_exact", failing)
    with pytest.raises(FileNotFoundError):
        library.set(shown.name)
    assert library.set(shown.name).samples.name == shown.name
    assert not library._reading


def test_large_sets_are_forgotten_for_others(library, shown, monkeypatch):
    """What is kept is bounded by problems, and not only by the number of sets."""
    monkeypatch.setattr(of_library, "_MAX_PROBLEMS", PROBLEMS)
    names = [(shown.name, each.name) for each in library.set(shown.name).samples.verdicts] + [(shown.other, None)]
    for name, verdicts in names:
        assert len(library.tallies(library.set(name, verdicts)).tallies) == PROBLEMS
        kinds = [key[0] for key in library._kept]
        assert sorted(kinds) == ["counting", "set", "tallies"]


def test_a_listing_that_takes_long_is_used_for_a_while(library, shown, monkeypatch):
    lists = []
    versions = library.store.versions

    def listed(folder):
        lists.append(folder)
        return versions(folder)

    monkeypatch.setattr(library.store, "versions", listed)
    library.set(shown.name)
    before = len(lists)
    library.set(shown.name)
    assert len(lists) > before
    monkeypatch.setattr(of_library, "_SLOW_LISTING_S", -1.0)
    library.set(shown.name)
    until, state = library._states[shown.name]
    library._states[shown.name] = until + 600, state
    before = len(lists)
    library.set(shown.name)
    assert len(lists) == before


def test_a_sample_is_read_without_opening_the_blocks_of_other_problems(tmp_path, monkeypatch):
    """A set of 100,000 problems has thousands of blocks before its last problem."""
    store = FsspecStore(str(tmp_path))
    library = Library(store)
    found = library.set(fill(store, problems=64, k=5).samples.identity.name)
    opened = []
    open_object = store.open

    def noted(key):
        opened.append(key)
        return open_object(key)

    monkeypatch.setattr(store, "open", noted)
    assert library.sample(found, 63, 4).sample.index == 4
    assert opened
    assert all("/p00048-00064/" in key for key in opened), opened


def test_verdicts_that_were_lost_and_are_given_again_are_counted_again(tmp_path):
    """The block of verdicts is on the same samples, and its object may have the same size."""
    store = FsspecStore(str(tmp_path))
    name = fill(store, problems=4, k=20, grader=LastLineGrader(3)).samples.identity.name
    library = Library(store)

    def infrastructure():
        found = library.set(name)
        counted = library.tallies(found).tallies
        listed = library.problem(found, 0).table["verdict"].to_pylist()
        return total(counted).get("infrastructure", 0), listed.count("infrastructure")

    assert infrastructure() == (4, 1)
    grade(sweep_of(store, problems=4, k=20, grader=LastLineGrader()))
    assert infrastructure() == (0, 0)


def test_an_object_that_is_replaced_by_one_of_the_same_size_has_another_version(tmp_path):
    store = FsspecStore(str(tmp_path))
    store.write("a/b", b"one")
    before = store.versions("a")
    assert store.versions("a") == before
    store.write("a/b", b"two")
    assert before.keys() == store.versions("a").keys() == {"a/b"}
    assert store.versions("a") != before
