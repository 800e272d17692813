"""Labels of the sets to compare."""

import json
from typing import Any

from tasks.report.comparison.load import read_sets
from tasks.store.fsspec_store import FsspecStore
from tests.store.stored import fill


def labels(store: FsspecStore, *names: str) -> list[str]:
    return [each.label for each in read_sets(names, None, lambda: store)]


def two_sets(store: FsspecStore, *settings: dict[str, Any], **other: Any) -> list[str]:
    """Two sets of one label, with these sampling parameters; the second also has other ingredients."""
    names = []
    for seed, sampling in enumerate(settings):
        name = fill(store, problems=4, k=5, seed=seed).samples.identity.name
        key = f"samples/{name}/set.json"
        found = json.loads(store.read(key))
        shared = {"problems": "p", "seed": 0, "sampling": sampling} | (other if seed else {})
        store.write(key, json.dumps(found | shared).encode())
        names.append(name)
    return names


def test_sets_that_differ_in_sampling_parameters_are_called_by_these(tmp_path):
    store = FsspecStore(str(tmp_path))
    names = two_sets(store, {"temperature": 0.6, "top_p": 1.0}, {"temperature": 1.0, "top_p": 1.0})
    assert labels(store, *names) == ["arithmetic-recorded, temperature 0.6", "arithmetic-recorded, temperature 1"]
    assert labels(store, names[0]) == ["arithmetic-recorded"]


def test_sets_that_also_differ_in_something_else_are_called_by_their_full_names(tmp_path):
    store = FsspecStore(str(tmp_path))
    names = two_sets(store, {"temperature": 0.6}, {"temperature": 1.0}, template="another")
    assert labels(store, *names) == names


def test_sets_whose_parameters_are_not_the_same_ones_are_called_by_their_full_names(tmp_path):
    store = FsspecStore(str(tmp_path))
    names = two_sets(store, {"temperature": 0.6}, {"top_p": 0.9})
    assert labels(store, *names) == names


def test_a_set_that_is_given_twice_keeps_its_full_name(tmp_path):
    store = FsspecStore(str(tmp_path))
    first, _ = two_sets(store, {"temperature": 0.6}, {"temperature": 1.0})
    assert labels(store, first, first) == [first, first]
