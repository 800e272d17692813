"""The sample that a selector picks, against its accuracy and against picking by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.selection import Selector
from tasks.selection.best_of import BestOf
from tasks.selection.delivered import delivered
from tasks.selection.first_passing import FirstPassing
from tasks.selection.majority import Majority
from tasks.selection.outcomes import Outcomes
from tasks.selection.vote_among_passing import VoteAmongPassing
from tasks.selection.weighted_vote import WeightedVote

SELECTORS = (Majority(), BestOf(), FirstPassing(), VoteAmongPassing(), WeightedVote(), WeightedVote(keep=0.5))


def outcomes(answers: list[int], scores: list[float] | None = None, passed: list[bool] | None = None) -> Outcomes:
    n = len(answers)
    return Outcomes(
        "p",
        np.zeros(n, dtype=np.bool_),
        np.array(answers, dtype=np.int64),
        {"score": np.array(scores or [1.0] * n)},
        np.array(passed or [False] * n),
    )


@pytest.mark.parametrize(
    ("selector", "problem", "expected"),
    [
        (Majority(), outcomes([0, 1, 2, 2]), 2),
        (Majority(), outcomes([0, 1, 1, 2, 2]), 1),
        (Majority(), outcomes([-1, -1, -1, 4]), 3),
        (Majority(), outcomes([-1, -1]), None),
        (BestOf(), outcomes([0, 0, 0, 0], [1.0, 3.0, 2.0, 3.0]), 1),
        (FirstPassing(), outcomes([0, 1, 2], passed=[False, True, True]), 1),
        (FirstPassing(), outcomes([0, 1, 2]), 0),
        (VoteAmongPassing(), outcomes([0, 0, 1], passed=[False, False, True]), 2),
        (WeightedVote(), outcomes([0, 0, 1], [1.0, 1.0, 3.0]), 2),
    ],
)
def test_the_first_of_the_samples_that_win_is_delivered(
    selector: Selector, problem: Outcomes, expected: int | None
) -> None:
    assert delivered(selector, problem) == expected


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_other_sample_is_picked_more_often_and_none_before_it_is_picked(data: st.DataObject) -> None:
    """By the accuracy with each sample as the only correct one."""
    n = data.draw(st.integers(1, 12))
    problem = outcomes(
        data.draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n)),
        [float(each) for each in data.draw(st.lists(st.integers(1, 4), min_size=n, max_size=n))],
        data.draw(st.lists(st.booleans(), min_size=n, max_size=n)),
    )
    for selector in SELECTORS:
        chances = []
        for position in range(n):
            alone = Outcomes("p", np.arange(n) == position, problem.answers, problem.scores, problem.passed)
            chances.append(selector.picked(alone, np.arange(n)[np.newaxis], np.array([n]))[0, 0])
        expected = next((at for at, chance in enumerate(chances) if chance > 0), None)
        assert delivered(selector, problem) == expected


def test_what_is_delivered_does_not_depend_on_which_samples_are_correct() -> None:
    base = outcomes([0, 1, 1, 2], [0.1, 0.4, 0.2, 0.3], [True, False, True, True])
    for selector in SELECTORS:
        picked = {
            delivered(selector, Outcomes("p", np.arange(4) == at, base.answers, base.scores, base.passed))
            for at in range(4)
        }
        assert len(picked) == 1
