"""How often each interval that Monkeys reports contains the truth, on simulated and on real populations of problems.

    python benchmarks/calibration.py [FOLDER] [--replications 200] [--quick] [--only WORD]

For each kind of population, number of problems and k, experiments are simulated. A row has the share of them in which
the interval contained the true value, and the mean width. FOLDER holds sets as for `forecast.py`; each is a further
population, whose measured rates are taken as true. A share misses its target if it is more than two standard errors of
the simulation below it. Takes minutes on two cores. Exits with 1 if a target is missed.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: one process per core instead

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from calibration_compare import differences
from calibration_forecast import forecasts
from calibration_law import law
from calibration_picks import best_of, votes
from calibration_problems import over_problems
from calibration_samples import over_samples, over_samples_adaptive
from calibration_table import Kind, Row, Section, kinds_of_forecasts, real_kinds, simulated_kinds, table

SECTIONS: tuple[Section, ...] = (
    over_problems,
    over_samples,
    over_samples_adaptive,
    best_of,
    votes,
    differences,
    law,
    forecasts,
)
QUICK_FACTOR = 10


class Measured(NamedTuple):
    """The rows of a section for one kind, and the CPU seconds that they took."""

    rows: list[Row]
    seconds: float


def main() -> int:
    """Simulate the chosen sections and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder with sets of 10,000 or more outcomes per problem")
    parser.add_argument("--replications", type=int, default=200, help="simulated experiments per row")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_FACTOR} times fewer replications")
    parser.add_argument("--only", default="", help="only sections and kinds whose name contains this")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    started = time.perf_counter()
    kinds = (*simulated_kinds(), *(real_kinds(arguments.folder) if arguments.folder else ()))
    replications = max(10, arguments.replications // QUICK_FACTOR) if arguments.quick else arguments.replications
    work = [
        (section, kind)
        for section in SECTIONS
        for kind in (*kinds, *(kinds_of_forecasts() if section is forecasts else ()))
        if arguments.only in f"{section.__module__} {section.__name__} {kind.name}"
    ]
    if not work:
        parser.error(f"no section or kind has {arguments.only!r} in its name")
    with ProcessPoolExecutor(arguments.processes) as pool:
        submitted = [pool.submit(_measured, section, kind, replications) for section, kind in work]
        for done, each in enumerate(as_completed(submitted), 1):
            section, kind = work[submitted.index(each)]
            print(
                f"{done} of {len(work)}, {time.perf_counter() - started:.0f} s: {section.__name__}, {kind.name}"
                f" took {each.result().seconds:.1f} CPU-s",
                file=sys.stderr,
                flush=True,
            )
        rows = [row for each in submitted for row in each.result().rows]
    print("\n".join(table(rows)))
    missed = [row for row in rows if not row.meets_target]
    print(f"\n{len(rows)} rows, {len(missed)} missed, {time.perf_counter() - started:.0f} s")
    return 1 if missed else 0


def _measured(section: Section, kind: Kind, replications: int) -> Measured:
    started = time.process_time()
    return Measured(section(kind, replications), time.process_time() - started)


if __name__ == "__main__":
    sys.exit(main())
