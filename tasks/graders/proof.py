"""Proofs, graded by a prover: a sample is the body of a proof of the problem's theorem.

What cannot be the body of a proof is `no_answer`, and the prover is not asked. Equal proofs of a theorem are run once.
A proof that fails is `error`; the verdict is `wrong` where a proof was accepted, and its confirmation refuses it.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, ClassVar, Literal

from pydantic import Field

from sandboxes import Sandbox
from tasks.errors import UserError
from tasks.graders.base.requirements import require_check, require_checks
from tasks.graders.base.text import TextGrader
from tasks.graders.base.verdicts import shortened
from tasks.provers import Attempt, PlacedProof, ProverSession, UnplaceableError, attempt
from tasks.provers.choices import ProverConfig
from tasks.provers.loading import faults
from tasks.provers.rocq import RocqProver
from tasks.records import GradedSample, Problem, Sample, TheoremCheck, Verdict

# Proofs that are handed to the prover ahead of the results that have been yielded.
_AT_ONCE = 1_000
# How often a theorem may fail to load before its other proofs are no longer tried. The first time it may be the process
# that is broken, by the proof before; a failure has it replaced.
_LOADS = 3
# Theorems that a warning names.
_NAMED = 5
_log = logging.getLogger(__name__)

_Key = tuple[str, PlacedProof]
"""A proof, and the id of the problem whose theorem it proves."""


class ProofGrader(TextGrader):
    """Grades a proof by running it in a prover."""

    version: ClassVar[int] = 4
    runs_code: ClassVar[bool] = False
    name: Literal["proof"] = "proof"
    prover: ProverConfig = Field(RocqProver(), description="The prover")

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises UserError where a problem has no theorem for this prover, or the prover cannot run here. Theorems that
        do not load are named in a warning: they have no verdicts."""
        require_checks(problems, TheoremCheck, self.name)
        for problem in problems:
            try:
                self.prover.check_theorem(require_check(problem, TheoremCheck))
            except UnplaceableError as error:
                raise UserError(f"grader: {self.name} cannot grade problem {problem.id!r}: {error}") from error
        self.prover.check()
        theorems = {problem.id: require_check(problem, TheoremCheck) for problem in problems}
        found = faults(self.prover.session(), theorems)
        if found:
            name, said = next(iter(found.items()))
            _log.warning(
                "grader: %d of %d theorems cannot be graded, because they do not load in %s %s: %s (%s)%s",
                *(len(found), len(problems), self.prover.name, self.prover.description(), name, shortened(said)),
                f", {', '.join(list(found)[1:_NAMED])}" if len(found) > 1 else "",
            )

    def ingredients(self) -> Mapping[str, Any]:
        """See `tasks.graders.HasIngredients`: those of the prover."""
        return self.prover.ingredients()

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:  # noqa: ARG002
        """One graded sample for each pair, in any order."""
        samples: dict[_Key, list[Sample]] = {}
        limits: dict[str, float | None] = {}
        for problem, sample in pairs:
            limits[problem.id] = problem.time_limit_s
            theorem = require_check(problem, TheoremCheck)
            try:
                proof = self.prover.place(self.answer_text(sample.text), theorem)
            except UnplaceableError as error:
                yield GradedSample(sample.problem_id, sample.index, Verdict.NO_ANSWER, shortened(str(error)))
                continue
            samples.setdefault((problem.id, proof), []).append(sample)
        session = self.prover.session()
        # Those of one theorem follow one another, so that its header stays loaded, and those that begin alike, so that
        # a prover can go on where they part.
        order = sorted(samples, key=lambda key: (key[1].header, key[0], key[1].proof))
        for key, made in _proved(session, order, limits):
            for copy, sample in enumerate(samples[key]):
                cost = (made.cpu_s, made.wall_s) if copy == 0 else (0.0, 0.0)
                detail = shortened(made.detail)
                yield GradedSample(sample.problem_id, sample.index, made.verdict, detail, *cost)


def _proved(
    session: ProverSession, order: Sequence[_Key], limits: Mapping[str, float | None]
) -> Iterator[tuple[_Key, Attempt]]:
    """Every proof with what became of it, as they finish."""
    running: dict[Future[Attempt], _Key] = {}
    unloaded: defaultdict[str, list[Attempt]] = defaultdict(list)

    def made(key: _Key) -> Attempt:
        problem_id, proof = key
        failures = unloaded[problem_id]
        if len(failures) >= _LOADS:
            return failures[-1]._replace(cpu_s=0.0, wall_s=0.0)
        result = attempt(session, proof, limits[problem_id])
        if result.theorem_fails:
            failures.append(result)
        return result

    with ThreadPoolExecutor(session.workers, thread_name_prefix="prover") as pool:
        try:
            for key in order:
                running[pool.submit(made, key)] = key
                if len(running) >= _AT_ONCE:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        finally:
            for future in running:
                future.cancel()


def _finished(running: dict[Future[Attempt], _Key]) -> Iterator[tuple[_Key, Attempt]]:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        yield running.pop(future), future.result()
