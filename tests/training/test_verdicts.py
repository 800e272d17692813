"""The problems on which a bundled scorer is trained are not those of its dataset."""

import pytest

from infra.training.verdicts import other_problems
from tasks.datasets.synthetic.bundled import held_out_rows


@pytest.mark.parametrize(("name", "count"), [("arithmetic", 400), pytest.param("programs", 20, marks=pytest.mark.slow)])
def test_a_scorer_is_trained_on_problems_that_its_dataset_does_not_have(name: str, count: int) -> None:
    own = {row["question"] for row in held_out_rows(name)}
    others = other_problems(name, count)
    assert len({problem.id for problem in others}) == len({problem.question for problem in others}) == count
    assert own.isdisjoint(problem.question for problem in others)
    assert all(problem.check is not None and not problem.check.is_empty for problem in others)
