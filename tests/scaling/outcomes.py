"""The paper's released outcomes, if a copy is next to the project."""

from pathlib import Path

import numpy as np
import pytest

from tasks.scaling.estimators import Counts

FOLDER = Path(__file__).parents[2].parent / "shared/data/outcomes"
needs_outcomes = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/data/outcomes is absent")

# Coverage at k = 1, 10, 100, 1,000 and 10,000, as its README gives it.
COVERAGE = {
    "MATH__Pythia_160M": (0.0027, 0.0251, 0.1619, 0.4102, 0.5703),
    "MATH__Pythia_1B": (0.0083, 0.0665, 0.2745, 0.5462, 0.7422),
    "MATH__Pythia_12B": (0.0232, 0.1568, 0.4834, 0.7233, 0.8750),
    "MATH__Llama3_8B_Instruct": (0.2684, 0.6093, 0.8290, 0.9342, 0.9844),
    "CodeContests__Gemma_7B": (0.0079, 0.0397, 0.0839, 0.1627, 0.2643),
}


def load_counts(name: str) -> Counts:
    if name == "MATH__Llama3_8B_Instruct":
        path = FOLDER / "large_language_monkeys_counts_math_llama3_8b_instruct.csv"
        rows = np.loadtxt(path, delimiter=",", skiprows=1, dtype=np.int64)
        return Counts.of([str(row[0]) for row in rows], rows[:, 1], rows[:, 2])
    with np.load(FOLDER / "large_language_monkeys_outcomes.npz") as archive:
        outcomes = np.unpackbits(archive[name], axis=1)[:, :10_000]
        problems = [str(index) for index in archive[f"{name}__problem"]]
    return Counts.of(problems, 10_000, outcomes.sum(axis=1))
