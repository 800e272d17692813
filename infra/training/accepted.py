"""Ask Rocq which generated tactic scripts it accepts. Only for our own texts: nothing is sandboxed.

    python -m infra.training.accepted 20000

counts those that it refuses among as many theorems of the training stream, and prints the first.
"""

import argparse
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from tempfile import TemporaryDirectory

from tasks.datasets.synthetic.theorem_problems import training_problems
from tasks.datasets.synthetic.theorem_text import NAME, TheoremProblem

BATCH = 500
SECONDS_EACH = 10


def refused(problems: Iterable[TheoremProblem]) -> list[TheoremProblem]:
    """The problems whose script Rocq does not accept as a proof.

    Raises:
        FileNotFoundError: Rocq (`coqtop`) is not installed.
        RuntimeError: it did not come to the end of a batch.
    """
    command = shutil.which("coqtop")
    if command is None:
        raise FileNotFoundError("coqtop is not installed (Debian: apt-get install coq)")
    by_imports: dict[str, list[TheoremProblem]] = defaultdict(list)
    for problem in problems:
        by_imports[_imports(problem)].append(problem)
    found = []
    for imports, alike in by_imports.items():
        for start in range(0, len(alike), BATCH):
            batch = alike[start : start + BATCH]
            proved = _proved(command, imports, batch)
            found += [problem for number, problem in enumerate(batch) if number not in proved]
    return found


def _imports(problem: TheoremProblem) -> str:
    """The header without definitions. Loading it takes longer than a proof, and hundreds of theorems share one."""
    return problem.header.partition("\nFixpoint")[0] + "\n"


def _proved(command: str, imports: str, batch: list[TheoremProblem]) -> set[int]:
    """The numbers of the problems that are proved. Each is in its own module; an error ends no other."""
    parts = [
        f"Module P{number}.\n{problem.header.removeprefix(imports.rstrip())}\n{problem.statement}\nProof.\n"
        f"{problem.proof}Qed.\nAbort All.\nEnd P{number}.\nCheck @P{number}.{NAME}.\n"
        for number, problem in enumerate(batch)
    ]
    with TemporaryDirectory() as folder:  # where tactics write their caches
        done = subprocess.run(
            [command, "-q", "-quiet"],
            cwd=folder,
            input=imports + "".join(parts) + "Check I.\n",
            capture_output=True,
            text=True,
            timeout=SECONDS_EACH * len(batch),
            check=True,
        )
    if not re.search(r"^(?:Coq < )*I\s+: True$", done.stdout, re.MULTILINE):
        raise RuntimeError(f"coqtop did not come to the end of a batch: {done.stderr[-500:]}")
    return {int(number) for number in re.findall(rf"^(?:Coq < )*P(\d+)\.{NAME}$", done.stdout, re.MULTILINE)}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help="the number of theorems")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    found = refused(training_problems(arguments.seed, arguments.count))
    for problem in found[:20]:
        print(f"{problem.header}\n{problem.statement}\n{problem.proof}")
    print(f"{len(found):,} of {arguments.count:,} refused")


if __name__ == "__main__":
    main()
