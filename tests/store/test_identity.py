"""What the name of a set depends on, and what it does not."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.datasets.programs import ProgramsDataset
from tasks.records import (
    AnswerCheck,
    Check,
    FewShotExample,
    FunctionCheck,
    Problem,
    Sampling,
    StdioCheck,
    StdioTest,
)
from tasks.store.identity import (
    canonical,
    digest,
    problems_digest,
    public_tests_digest,
    sample_identity,
    verdict_identity,
)

FULL = Problem(
    "p",
    "What?",
    AnswerCheck("1"),
    time_limit_s=1.5,
    memory_limit_mb=64,
    shots=(FewShotExample("a", "b"),),
)
ALL_KINDS = [
    Problem("a", "?", AnswerCheck("½")),
    Problem("b", "?", StdioCheck((StdioTest("1 2", "3"),)), time_limit_s=2.0),
    Problem("c", "?", FunctionCheck("f", "def check(candidate): pass"), shots=(FewShotExample("q", "a"),)),
    Problem("d", "?"),
]
SAMPLING = Sampling(temperature=0.6, top_p=0.95, max_tokens=512, stop=("\n\n",), seed=7)


def test_names_of_sets_are_frozen():
    """Sets that a release has written must be found by the next: these names may change only with the schema."""
    samples = sample_identity(
        "gsm8k-toy", dataset="gsm8k", problems=problems_digest(ALL_KINDS), engine="toy", sampling=SAMPLING, seeds=None
    )
    assert problems_digest(ALL_KINDS) == "1c055e4afe5424cd8e49ab6a7b47764a2c832f107f15c0c32d632bfd429b1d63"
    assert samples.name == "gsm8k-toy-a668eddef156"
    assert verdict_identity(samples, "gsm8k", 1, {}).name == "gsm8k-v1-d9bb76eb9b9b"
    limits = {"time_limit_s": 10.0, "processes": 32, "python": None, "python_version": "3.11.9"}
    assert verdict_identity(samples, "stdio", 2, limits).name == "stdio-v2-8c6a4911ac73"


def test_digests_of_bundled_datasets_are_frozen():
    assert problems_digest(ArithmeticDataset().load()).startswith("30ad45e60a4e")
    assert problems_digest(ProgramsDataset().load()).startswith("6e3510610455")


@pytest.mark.parametrize(
    "change",
    [
        {"id": "q"},
        {"question": "Which?"},
        {"check": AnswerCheck("2")},
        {"check": FunctionCheck("1", "")},
        {"check": None},
        {"time_limit_s": None},
        {"memory_limit_mb": 65},
        {"shots": ()},
    ],
    ids=str,
)
def test_every_field_of_a_problem_is_part_of_its_hash(change: dict[str, Any]):
    assert problems_digest([replace(FULL, **change)]) != problems_digest([FULL])


def test_samples_do_not_depend_on_which_tests_are_public_but_verdicts_do():
    tests = (StdioTest("1", "1"), StdioTest("2", "2"))
    unmarked, one, two = (
        [Problem("p", "?", StdioCheck(tests, public=public), time_limit_s=2.0)] for public in (None, 1, 2)
    )
    assert problems_digest(unmarked) == problems_digest(one) == problems_digest(two)
    assert problems_digest(one) != problems_digest([replace(one[0], time_limit_s=3.0)])
    assert public_tests_digest(unmarked) is None
    samples = sample_identity("x", seed=0)
    names = {
        verdict_identity(samples, "stdio", 3, {}, public_tests=public_tests_digest(each)).name
        for each in (unmarked, one, two)
    }
    assert len(names) == 3
    assert verdict_identity(samples, "stdio", 3, {}).name in names, "verdicts without public tests keep their name"


def test_the_order_of_problems_is_part_of_their_hash():
    assert problems_digest(ALL_KINDS) != problems_digest(ALL_KINDS[::-1])


@dataclass(frozen=True)
class Grown(Problem):
    """Problem as a later version may have it."""

    image: str | None = None
    choices: tuple[str, ...] = ()
    tags: list[str] = field(default_factory=list)


def test_a_new_field_at_its_default_leaves_the_hash_as_it_was():
    before = Problem("p", "What?", AnswerCheck("1"))
    after = Grown("p", "What?", AnswerCheck("1"))
    assert problems_digest([after]) == problems_digest([before])
    for grown in (replace(after, image="x.png"), replace(after, choices=("a",)), replace(after, tags=["hard"])):
        assert problems_digest([grown]) != problems_digest([before])


@dataclass(frozen=True, slots=True)
class OtherCheck(Check):
    kind: ClassVar[str] = "other"
    noun: ClassVar[str] = "other thing"

    answer: str


def test_checks_of_two_kinds_with_equal_fields_differ():
    assert canonical(AnswerCheck("1")) == {"kind": "answer", "answer": "1"}
    assert canonical(OtherCheck("1")) == {"kind": "other", "answer": "1"}
    one, other = (Problem("p", "?", check) for check in (AnswerCheck("1"), OtherCheck("1")))
    assert problems_digest([one]) != problems_digest([other])


def test_an_ingredient_without_a_value_is_left_out():
    assert sample_identity("x", seed=0, chat=None).name == sample_identity("x", seed=0).name
    assert sample_identity("x", seed=0, chat={}).name != sample_identity("x", seed=0).name
    samples = sample_identity("x", seed=0)
    without = verdict_identity(samples, "g", 1, {"time_limit_s": 1})
    assert verdict_identity(samples, "g", 1, {"time_limit_s": 1, "python": None}) == without


def test_verdicts_depend_on_the_settings_of_their_grader():
    samples = sample_identity("x", seed=0)
    default, other, another = (
        verdict_identity(samples, "g", 1, {}, settings=settings)
        for settings in ({}, {"tolerance": 1}, {"tolerance": 2})
    )
    assert default == verdict_identity(samples, "g", 1, {})
    assert len({default.name, other.name, another.name}) == 3
    assert other.ingredients["settings"] == {"tolerance": 1}


def test_ingredients_survive_their_json():
    import json

    identity = sample_identity("x", sampling=SAMPLING, problems=ALL_KINDS)
    read = json.loads(identity.to_json())
    assert read == identity.ingredients
    assert digest(read) == digest(identity.ingredients)


@pytest.mark.parametrize("make", [object, set, lambda: b"bytes"])
def test_what_json_cannot_say_is_refused(make: Callable[[], object]):
    with pytest.raises(TypeError, match="has no canonical form"):
        sample_identity("x", thing=[make()])
