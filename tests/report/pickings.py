"""What ways of picking deliver, to report on: from the usual case to edge cases."""

from functools import cache

import numpy as np

from tasks.report.picking.model import Picking
from tasks.selection.available import available
from tasks.selection.outcomes import NO_ANSWER, Outcomes
from tasks.selection.summary import summarise

from .sweeps import HOSTILE

_RIGHT, _WRONG = 0, 1
PICKINGS = ("usual", "no answers", "unequal n", "one problem", "k = 1", "hostile names", "many ways", "forecast")


def outcomes_of(name: str) -> list[Outcomes]:
    """Samples whose answers are right, one of two wrong ones, or absent, with scores that know a little."""
    generator = np.random.default_rng(3)
    n = {"k = 1": 1}.get(name, 20)
    scores = {"hostile names": [HOSTILE, "_$x\u202e"], "many ways": [f"s{i}" for i in range(6)]}.get(name, ["reward"])
    found = []
    for number in range(1 if name == "one problem" else 8):
        size = n + 3 * number if name == "unequal n" else n
        right = 0.05 + 0.06 * number
        answers = generator.choice([_RIGHT, _WRONG, 2, NO_ANSWER], size=size, p=[right, 0.4, 0.5 - right, 0.1])
        correct = answers == _RIGHT
        given = {each: generator.normal(correct, 1.0) for each in scores} | {"logprob_sum": generator.normal(size=size)}
        found.append(Outcomes(f"p{number}", correct, None if name == "no answers" else answers, given))
    return found


@cache
def picking_of(name: str) -> Picking:
    problems = outcomes_of(name)
    selectors = sorted(available(problems), key=lambda each: "logprob" in each.label)
    secondary = frozenset(each.label for each in selectors if "logprob" in each.label)
    lacking = "Not shown: votes (a reason)." if name == "no answers" else None
    ahead = [200] if name == "forecast" else None
    return Picking(summarise(problems, selectors, ahead, points=8, error=0.02), secondary, lacking)
