"""How much n samples can say of coverage at k beyond n, with as many problems as one likes.

    python benchmarks/forecast_limits.py

n samples of each of infinitely many problems give the distribution of the number of successes, and nothing else. Of all
distributions of rates that have the same one (each of its n + 1 probabilities to within 0.0001), linear programming
finds the least and the largest coverage at k. All coverages in between are equally well supported by the samples, so
that a narrower interval rests on an assumption about rates. Takes seconds on one core.
"""

import numpy as np
from calibration_table import Kind, coverage_of, generator_for, kinds_of_forecasts, simulated_kinds
from scipy.optimize import linprog
from scipy.stats import binom

from tasks.scaling.arrays import Floats

SAMPLES, PROBLEMS, TOLERANCE = 100, 20_000, 1e-4
KS = (200, 1_000, 10_000)
# Rates by their logits, from 1e-7 to .9993, and what is never or, but for less than rounding, always solved.
LOGITS = np.linspace(-16.0, 7.25, 466)
RATES = np.concatenate([[0.0], 1 / (1 + np.exp(-LOGITS)), [1 - 1e-12]])


def counts_under(rates: Floats) -> Floats:
    """The probability of each number of successes, shape (samples + 1, rates)."""
    return np.asarray(binom.pmf(np.arange(SAMPLES + 1)[:, None], SAMPLES, rates), dtype=np.float64)


def range_of_coverage(observed: Floats, k: int) -> tuple[float, float]:
    """The least and the largest coverage at k of distributions with the `observed` probabilities of counts, shape
    (samples + 1,)."""
    under = counts_under(RATES)
    coverage = -np.expm1(k * np.log1p(-RATES))
    ends = []
    for sign in (1, -1):
        found = linprog(
            sign * coverage, A_ub=np.vstack([under, -under]),
            b_ub=np.concatenate([observed + TOLERANCE, TOLERANCE - observed]),
            A_eq=np.ones((1, len(RATES))), b_eq=[1.0], method="highs",
        )  # fmt: skip
        ends.append(np.nan if found.fun is None else sign * float(found.fun))
    return ends[0], ends[1]


def line(kind: Kind) -> str:
    """One kind of rates: the range of coverage at each k, and the true coverage in brackets."""
    rates = np.minimum(kind.draw(generator_for("limits", kind.name), PROBLEMS), 1.0)
    observed = counts_under(rates).mean(axis=1)
    truths = coverage_of(rates, KS).tolist()
    ranges = [range_of_coverage(observed, k) for k in KS]
    cells = [f"{low:.2f} to {high:.2f} ({truth:.2f})" for (low, high), truth in zip(ranges, truths, strict=True)]
    return f"{kind.name:<34} {float(1 - observed[0]):.2f}   " + "   ".join(cells)


def main() -> None:
    """Print the table."""
    print(f"{'kind':<34} k = {SAMPLES}; coverage at k = " + ", ".join(f"{k:,}" for k in KS))
    for kind in (*simulated_kinds(), *kinds_of_forecasts()):
        print(line(kind), flush=True)


if __name__ == "__main__":
    main()
