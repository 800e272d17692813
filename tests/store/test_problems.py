import json

import pyarrow.parquet as pq
import pytest

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.records import AnswerCheck, FunctionCheck, Problem, StdioCheck, StdioTest
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import sample_identity
from tasks.store.inspect.catalog import find
from tasks.store.inspect.garbage import garbage
from tasks.store.inspect.integrity import check
from tasks.store.problems import (
    problems_key,
    read_problem,
    read_problems,
    stored_problem,
    stored_problems,
    write_problems,
)
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import SampleSet
from tests.store.stored import draw, fill, sweep_of

TEMPLATE = "Q: {question}"


@pytest.fixture
def store(tmp_path):
    return FsspecStore(str(tmp_path))


def everything(store, name):
    return [each for _, some in read_problems(store, name) for each in some]


def with_template(sweep):
    """The same sweep by an engine that is sent prompts."""
    ingredients = {**sweep.samples.identity.ingredients, "template": TEMPLATE}
    sweep.samples = SampleSet(sweep.samples.store, sample_identity("asked", **ingredients))
    sweep.grading.samples = sweep.samples
    return sweep


def test_a_sweep_stores_every_problem_of_its_dataset_with_the_prompt_that_was_sent(store):
    sweep = with_template(sweep_of(store, problems=2, k=3))
    draw(sweep)
    dataset = ArithmeticDataset().load()
    found = everything(store, sweep.samples.identity.name)
    assert [each.problem_id for each in found] == [each.id for each in dataset]
    for problem, each in zip(dataset, found, strict=True):
        assert isinstance(problem.check, AnswerCheck)
        assert (each.question, each.prompt) == (problem.question, sweep.prompt_of(problem))
        assert each.check == {"kind": "answer", "answer": problem.check.answer}
        assert each.shortened is None


def test_recorded_samples_have_no_prompt_that_was_sent(store):
    sweep = fill(store, problems=1, k=1)
    assert {each.prompt for each in everything(store, sweep.samples.identity.name)} == {None}


def test_the_problems_are_stored_before_the_first_block(store):
    class Ordered(FsspecStore):
        def __init__(self, url):
            super().__init__(url)
            self.written = []

        def write(self, key, data):
            self.written.append(key)
            super().write(key, data)

    ordered = Ordered(store.url("").rstrip("/"))
    sweep = fill(ordered, problems=17, k=2)
    key = problems_key(sweep.samples.identity.name)
    blocks = [at for at, each in enumerate(ordered.written) if "/p0" in each and each.startswith("samples/")]
    assert ordered.written.count(key) == 1
    assert ordered.written.index(key) < min(blocks)


def test_a_larger_k_and_other_problems_leave_the_object_as_it_is(store):
    name = fill(store, problems=2, k=3).samples.identity.name
    before = store.read(problems_key(name))
    version = store.versions(f"samples/{name}")[problems_key(name)]
    assert fill(store, problems=20, k=40).samples.identity.name == name
    assert store.read(problems_key(name)) == before
    assert store.versions(f"samples/{name}")[problems_key(name)] == version


def test_a_sweep_that_draws_nothing_gives_an_older_set_its_problems(store):
    sweep = fill(store, problems=2, k=3)
    key = problems_key(sweep.samples.identity.name)
    whole = store.read(key)
    store.delete(key)
    assert [*check(store, find(store, sweep.samples.identity.name))] == []
    assert read_problem(store, sweep.samples.identity.name, 0) is None
    assert sweep_of(store, problems=2, k=3).missing_samples() == []
    assert store.read(key) == whole


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_damaged_problems_are_set_aside_and_stored_again(store, kept):
    sweep = fill(store, problems=2, k=3)
    key = problems_key(sweep.samples.identity.name)
    whole = store.read(key)
    store.write(key, whole[: int(kept * len(whole)) if kept < 1 else kept])
    with pytest.raises(CorruptObjectError):
        read_problem(store, sweep.samples.identity.name, 0)
    assert [each.where for each in check(store, find(store, sweep.samples.identity.name))] == [key]
    sweep_of(store, problems=2, k=3).missing_samples()
    assert store.read(key) == whole
    assert [each.why for each in garbage(store)] == ["quarantined as damaged"]


def test_check_finds_problems_of_another_dataset_and_too_few(store):
    sweep = fill(store, problems=3, k=3)
    name = sweep.samples.identity.name
    key = problems_key(name)
    others = [Problem("other", "?"), *sweep.selection.dataset[1:2]]
    store.write(key, write_problems(stored_problems(others, None), key))
    found = [each for each in check(store, find(store, name)) if each.where == key]
    first = sweep.selection.dataset[0].id
    assert [each.what for each in found] == [
        f"holds problem 'other' where the samples are of {first!r}",
        "holds 2 problems, and there are samples of problem 2",
    ]


def test_a_sweep_replaces_intact_problems_that_are_not_those_of_its_dataset(store):
    sweep = fill(store, problems=2, k=3)
    key = problems_key(sweep.samples.identity.name)
    whole = store.read(key)
    dataset = sweep.selection.dataset
    swapped = [dataset[1], dataset[0], *dataset[2:]]
    for others in (swapped, dataset[:-1], (*dataset, Problem("more", "?"))):
        store.write(key, write_problems(stored_problems(others, None), key))
        sweep_of(store, problems=2, k=3).missing_samples()
        assert store.read(key) == whole


def test_an_object_of_another_set_is_refused(store):
    one, other = (fill(store, problems=2, k=3, seed=seed).samples.identity.name for seed in (0, 1))
    store.write(problems_key(one), store.read(problems_key(other)))
    with pytest.raises(CorruptObjectError, match="another key"):
        read_problem(store, one, 0)


def test_corrections_and_public_tests_are_not_stored(store):
    """Two sweeps of one set may differ in them, and either may be first."""
    corrected = Problem("p", "?", AnswerCheck("2", published="1"))
    assert stored_problem(corrected, None) == stored_problem(Problem("p", "?", AnswerCheck("1")), None)
    public = Problem("p", "?", FunctionCheck("f", "def check(f): ...", public="...", calls=("f(1)",)))
    assert stored_problem(public, None).check == {
        "kind": "function", "entry_point": "f", "code": "def check(f): ...",
    }  # fmt: skip


def test_a_large_check_is_shortened_and_says_so():
    tests = tuple(StdioTest("x" * 5_000, str(number)) for number in range(300))
    stored = stored_problem(Problem("p", "?", StdioCheck(tests)), None)
    assert stored.check is not None
    assert stored.shortened == {"tests": 300, "tests.stdin": 5_000}
    assert 0 < len(stored.check["tests"]) < 300
    assert len(json.dumps(stored.check)) < 50_000


def test_one_problem_of_many_is_read_without_the_others_and_long_prompts_are_kept_whole(store):
    problems = [Problem(f"p{at}", f"{at} " + "wxyz "[at % 5] * 3_000, AnswerCheck(str(at))) for at in range(2_000)]
    key = problems_key("many")
    store.write(key, write_problems(stored_problems(problems, lambda each: f"Q: {each.question}"), key))
    groups = pq.ParquetFile(store.url(key)).metadata.num_row_groups
    assert groups > 30
    for at in (0, 1_234, 1_999):
        found = read_problem(store, "many", at)
        assert found is not None
        assert (found.problem_id, found.prompt) == (f"p{at}", f"Q: {problems[at].question}")
    assert read_problem(store, "many", 2_000) is None
    assert len(everything(store, "many")) == 2_000
