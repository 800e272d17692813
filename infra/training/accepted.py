"""Ask Rocq which generated tactic scripts it accepts, by the grader of proofs.

    python -m infra.training.accepted 24000

counts those that it refuses among as many theorems of the training stream, and prints the first.
"""

import argparse
from collections.abc import Iterable

from tasks.datasets.synthetic.theorem_problems import training_problems
from tasks.datasets.synthetic.theorem_text import NAME, TheoremProblem
from tasks.graders.proof import ProofGrader
from tasks.provers.rocq import RocqProver
from tasks.records import Problem, Sample, TheoremCheck, Verdict


def refused(problems: Iterable[TheoremProblem], workers: int = 1) -> list[TheoremProblem]:
    """The problems whose script Rocq does not accept as a proof. The scripts are our own, so that proofs are not
    confirmed in fresh processes.

    Raises:
        RuntimeError: the prover failed.
        UserError: Rocq is not installed.
    """
    known = {
        f"{number}": (problem, Problem(f"{number}", problem.question, _check(problem)))
        for number, problem in enumerate(problems)
    }
    grader = ProofGrader(prover=RocqProver(workers=workers, confirm=False))
    grader.check([each for _, each in known.values()])
    pairs = [(each, Sample(each.id, 0, problem.proof)) for problem, each in known.values()]
    found = set()
    for graded in grader.grade(pairs, None):
        if graded.verdict is Verdict.INFRASTRUCTURE:
            raise RuntimeError(f"the prover failed: {graded.detail}")
        if graded.verdict is not Verdict.CORRECT:
            found.add(graded.problem_id)
    return [problem for name, (problem, _) in known.items() if name in found]


def _check(problem: TheoremProblem) -> TheoremCheck:
    return TheoremCheck("rocq", problem.header, NAME, problem.statement)


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
