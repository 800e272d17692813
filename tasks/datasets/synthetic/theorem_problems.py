"""Generated small theorems of Rocq, each with a tactic script.

A problem's *form* is its text with the variables numbered, and it is held out or not by a hash of its form: no theorem
of the held-out set occurs in training, whatever its variables are called. The scripts are meant to be right by
construction: Rocq has accepted all of the held-out set, and `infra.training.accepted` counts those of the training
stream that it refuses.
"""

import hashlib
import random
from collections.abc import Callable, Iterator

from tasks.datasets.synthetic import theorem_arithmetic as arithmetic
from tasks.datasets.synthetic import theorem_structures as structures
from tasks.datasets.synthetic import theorem_styles as styles
from tasks.datasets.synthetic.portable_random import generator, pick
from tasks.datasets.synthetic.theorem_text import Theorem, TheoremProblem, with_names

HELD_OUT_SEED = 2407
OF_EACH_FAMILY = 6
FAMILIES: tuple[Callable[[random.Random], Theorem], ...] = (
    structures.short_proposition,
    structures.long_proposition,
    structures.boolean_identity,
    structures.equations,
    structures.quantifiers,
    structures.list_length,
    structures.list_equation,
    structures.list_induction,
    arithmetic.linear_witness,
    arithmetic.pair_of_witnesses,
    arithmetic.factors,
    arithmetic.remainder_witness,
    arithmetic.residue_class,
    arithmetic.common_divisor,
    arithmetic.linear_system,
    arithmetic.recursion,
)
"""Those of the held-out set. Training also has the families of `theorem_styles` and `identity`."""
TRAINING_FAMILIES = (*FAMILIES, arithmetic.identity, *styles.FAMILIES)


def is_held_out(form: str) -> bool:
    """Whether a form belongs to the sixteenth of all forms that training never sees."""
    return hashlib.sha256(b"theorems:" + form.encode()).digest()[0] < 16


def training_problems(seed: int, count: int) -> Iterator[TheoremProblem]:
    """The training stream: `count` problems, none of a held-out form."""
    rng = generator(seed)
    for _ in range(count):
        problem = with_names(rng, pick(rng, TRAINING_FAMILIES)(rng))
        while is_held_out(problem.form):
            problem = with_names(rng, pick(rng, TRAINING_FAMILIES)(rng))
        yield problem


def held_out_problems(seed: int = HELD_OUT_SEED) -> list[tuple[str, TheoremProblem]]:
    """Distinct held-out problems with the names of their families, as many of each family, which take turns."""
    rng = generator(seed)
    found: dict[str, tuple[str, TheoremProblem]] = {}
    for at in range(OF_EACH_FAMILY * len(FAMILIES)):
        family = FAMILIES[at % len(FAMILIES)]
        problem = with_names(rng, family(rng))
        while not is_held_out(problem.form) or problem.form in found:
            problem = with_names(rng, family(rng))
        found[problem.form] = (family.__name__, problem)
    return list(found.values())
