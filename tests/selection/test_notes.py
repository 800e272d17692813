"""What is said about data that a way of picking can do little with."""

from typing import Any

import numpy as np
import pytest

from tasks.selection import Outcomes
from tasks.selection.best_of import BestOf
from tasks.selection.summary import summarise


@pytest.mark.parametrize(
    ("scores", "note"),
    [
        ([[0.5, 0.5], [0.5, 0.5]], "reward is 0.5 for all samples: best of k by it picks at random."),
        (
            [[0.5, 0.5], [0.5, 0.7]],
            "reward is the same for all samples of 1 of 2 problems, where best of k by it picks at random.",
        ),
        ([[0.5, 0.6], [0.5, 0.7]], None),
    ],
)
def test_a_score_that_cannot_tell_samples_apart_is_told(scores: list[list[float]], note: str | None) -> None:
    correct = np.array([True, False])
    problems = [
        Outcomes(str(at), correct, np.array([0, 1]), {"reward": np.array(each)}) for at, each in enumerate(scores)
    ]
    notes: Any = summarise(problems, [BestOf(score="reward")], points=2).notes
    assert [each for each in notes if "reward" in each] == ([] if note is None else [note])
