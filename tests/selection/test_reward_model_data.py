"""All ways of picking on scored samples, against a few lines that take all 8 samples of each problem.

The fixture has the format of Qwen2.5-Math's evaluation; the real data are used where they are at hand.
"""

import gzip
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from flows.setup.picking import prepared
from tasks.files.answers import read_answers
from tasks.selection import Selector
from tasks.selection.best_of import BestOf
from tasks.selection.curves import pick_curve
from tasks.selection.majority import Majority
from tasks.selection.weighted_vote import WeightedVote

FIXTURE = Path(__file__).parent / "reward_model.jsonl"
REAL = Path(__file__).parents[3] / "shared/data/reward_models/qwen25math_math_cot_50x8_rm.jsonl.gz"

DATA = [
    FIXTURE,
    pytest.param(REAL, marks=pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here")),
]


def in_a_few_lines(path: Path) -> dict[str, float]:
    """The accuracy of all 8 samples of each problem, in percent of problems, by a loop over the rows."""
    text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    totals: dict[str, float] = defaultdict(float)
    for row in rows:
        votes: dict[str, float] = defaultdict(float)
        weights: dict[str, float] = defaultdict(float)
        right: dict[str, list[bool]] = defaultdict(list)
        scores = [score[0] for score in row["pred_score"]]
        for answer, correct, score in zip(row["pred"], row["score"], scores, strict=True):
            if answer:
                votes[answer] += 1
                weights[answer] += score
                right[answer].append(correct)
        totals["mean"] += np.mean(row["score"])
        for name, sums in (("majority", votes), ("weighted", weights)):
            first = [np.mean(right[answer]) for answer in sums if sums[answer] == max(sums.values())]
            totals[name] += np.mean(first) if first else 0
        totals["best"] += np.mean([c for c, s in zip(row["score"], scores, strict=True) if s == max(scores)])
    return {name: total / len(rows) for name, total in totals.items()}


@pytest.mark.parametrize("path", DATA)
def test_every_way_of_picking_agrees_with_a_few_independent_lines(path):
    problems = prepared(read_answers([path]), None).problems
    truth = in_a_few_lines(path)
    n = problems[0].n
    assert n == 8
    selectors: list[tuple[Selector, str]] = [
        (Majority(), "majority"),
        (BestOf(score="pred_score"), "best"),
        (WeightedVote(score="pred_score"), "weighted"),
    ]
    for selector, name in selectors:
        curve = pick_curve(selector, problems, [1, n])
        assert curve.accuracy[1] == pytest.approx(truth[name], abs=1e-12), name
        answered = np.mean([(each.correct & (each.voters >= 0)).mean() for each in problems])
        assert curve.accuracy[0] == pytest.approx(truth["mean"] if name == "best" else answered, abs=1e-12), name


@pytest.mark.skipif(not REAL.exists(), reason="the shared data are not here")
def test_the_real_data_give_known_figures():
    assert in_a_few_lines(REAL) == pytest.approx({"mean": 0.9375, "majority": 0.96, "best": 0.96, "weighted": 0.96})
