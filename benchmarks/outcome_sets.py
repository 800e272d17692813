"""Sets of outcomes for benchmarks: published ones, from a folder, and synthetic ones."""

import csv
from pathlib import Path

import numpy as np

from tasks.scaling.estimators import Counts

ATTEMPTS = 10_000


def read_sets(folder: Path) -> dict[str, Counts]:
    """All sets in the folder that have at least 10,000 attempts at each problem, and a success.

    Sets are `*.csv` files with the columns problem, samples and correct, and `*.npz` files with one packed matrix of
    outcomes (problems x attempts) per key.
    """
    found: dict[str, Counts] = {}
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        found[path.stem] = Counts.of(
            [row["problem"] for row in rows],
            [int(row["samples"]) for row in rows],
            [int(row["correct"]) for row in rows],
        )
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as archive:
            for key in archive.files:
                if not key.endswith("__problem"):
                    correct = np.unpackbits(archive[key], axis=1)[:, :ATTEMPTS].sum(axis=1)
                    found[key] = Counts.of([str(i) for i in range(len(correct))], ATTEMPTS, correct)
    return {name: counts for name, counts in found.items() if (counts.n >= ATTEMPTS).all() and counts.c.any()}


def synthetic_sets(problems: int = 128) -> dict[str, Counts]:
    """Beta-binomial sets from hard to easy, two of them with problems that are never solved."""
    generator = np.random.default_rng(0)
    shapes = {"hard": (0.3, 40.0, 0.2), "middling": (0.3, 2.0, 0.05), "easy": (0.8, 2.0, 0.0)}
    names = [str(i) for i in range(problems)]
    return {
        f"synthetic, {name}": Counts.of(
            names,
            ATTEMPTS,
            generator.binomial(
                ATTEMPTS, generator.beta(alpha, beta, problems) * (generator.random(problems) >= unsolvable)
            ),
        )
        for name, (alpha, beta, unsolvable) in shapes.items()
    }


def hard_to_forecast(problems: int = 128) -> dict[str, Counts]:
    """Three sets for each of four distributions of success rates whose tail below 1/n does not follow from the rest."""
    generator = np.random.default_rng(1)
    names = [str(i) for i in range(problems)]
    never = generator.random((3, problems)) < 0.35
    kinds = {
        "logit-normal rates": 1 / (1 + np.exp(-generator.normal(-4, 2.5, (3, problems)))),
        "a third never solvable": generator.beta(0.5, 20, (3, problems)) * ~never,
        "an easy and a hard half": np.where(
            generator.random((3, problems)) < 0.5,
            generator.beta(0.8, 3, (3, problems)),
            generator.beta(0.5, 500, (3, problems)),
        ),
        "rates down to 1e-4 and no lower": 10 ** -generator.uniform(0, 4, (3, problems)),
    }
    return {
        f"{name}, {number + 1}": Counts.of(names, ATTEMPTS, generator.binomial(ATTEMPTS, rates))
        for name, draws in kinds.items()
        for number, rates in enumerate(draws)
    }
