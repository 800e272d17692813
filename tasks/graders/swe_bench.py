"""Patches of repositories, graded as SWE-bench does: a patch is applied and the issue's tests are run in a container.

A sample's patch is found by the rules of `tasks.patches.extraction`. The verdicts are

    correct        resolved: all tests to fix pass, and all that passed still do
    wrong          unresolved
    no_answer      the sample has no patch, or an empty one
    error          the patch does not apply, there are no test results, or the results are not believed
    time_limit, memory_limit, output_limit
    infrastructure the container was lost several times in a row: nothing is known, and it is pending again

An engine that is gone, an image that is missing and a full disk end the run, which can be resumed. Patches that lead to
the same files are graded once among the samples that are graded together.
"""

import contextlib
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field, field_validator

from sandboxes import Sandbox, SandboxUnavailableError
from sandboxes.docker_repositories import DockerRepositories
from sandboxes.repositories import ContainerLostError, RepositoryContainers
from tasks.errors import UserError
from tasks.graders.base.requirements import require_check, require_checks
from tasks.graders.base.text import TextGrader
from tasks.graders.base.verdicts import shortened
from tasks.graders.repositories.evaluation import Evaluation, evaluate
from tasks.graders.repositories.report import known_parsers, swebench_version
from tasks.graders.repositories.trees import trees
from tasks.patches import ExtractedPatch, InapplicableError, NoPatchError
from tasks.patches.extraction import extract
from tasks.patches.unified import check_paths
from tasks.records import GradedSample, Problem, RepositoryCheck, Sample, Verdict

_TRIES = 3
"""How often a patch is given another container where one was lost."""


class SweBenchGrader(TextGrader):
    """Grades a patch by the tests of its issue, in a fresh container, by SWE-bench's own reading of their output."""

    version: ClassVar[int] = 2
    runs_code: ClassVar[bool] = False

    name: Literal["swe_bench"] = "swe_bench"
    containers: DockerRepositories = Field(DockerRepositories(), description="Where the tests of repositories run")
    time_limit_s: float = Field(
        1800.0, gt=0, le=86_400, description="Wall-clock seconds for the tests of a patch, for issues that set no limit"
    )
    flaky: tuple[str, ...] = Field(
        (),
        description="Ids of the issues whose tests do not always give the same result: their patches run `runs` times",
    )
    runs: int = Field(11, ge=1, le=101, description="Runs of a patch of a flaky issue; the verdict is the majority's")

    @field_validator("runs")
    @classmethod
    def _odd(cls, runs: int) -> int:
        if runs % 2 == 0:
            raise ValueError("give an odd number, so that there is a majority")
        return runs

    def check(self, problems: Sequence[Problem]) -> None:
        """Raises UserError where a problem has no tests of a repository, swebench is not installed or lacks a parser,
        or no Docker engine answers."""
        require_checks(problems, RepositoryCheck, self.name)
        parsers = known_parsers()
        for problem in problems:
            parser = require_check(problem, RepositoryCheck).log_parser
            if parser not in parsers:
                raise UserError(
                    f"grader: {self.name} cannot grade problem {problem.id!r}: its log_parser {parser!r} is not one of"
                    f" swebench {swebench_version()}, such as parse_log_pytest"
                )
        try:
            self.containers.check()
        except SandboxUnavailableError as error:
            raise UserError(f"grader: {self.name} runs tests in containers: {error}") from error

    def ingredients(self) -> Mapping[str, Any]:
        """What verdicts depend on in addition to the settings: the version of swebench, which reads the logs."""
        return {"swebench": swebench_version(), "containers": self.containers.ingredients()}

    def problem_ingredients(self, problems: Sequence[Problem]) -> Mapping[str, Any]:
        """What verdicts depend on in each problem: the content of its image, and how its tests are run.

        Raises:
            SandboxUnavailableError: no engine answers, or it has no image of a problem and does not find it, either.
        """
        checks = [require_check(problem, RepositoryCheck) for problem in problems]
        digests = self.containers.digests([check.image for check in checks])
        facts = hashlib.sha256()
        for problem, check, digest in zip(problems, checks, digests, strict=True):
            script = hashlib.sha256(check.evaluation_script.encode()).hexdigest()
            facts.update(repr((problem.id, digest, script, check.log_parser, check.fail_only)).encode())
        return {"repositories": facts.hexdigest()[:16]}

    def grade(self, pairs: Sequence[tuple[Problem, Sample]], sandbox: Sandbox | None) -> Iterator[GradedSample]:  # noqa: ARG002
        """One graded sample for each pair, in any order. The patches of one issue follow one another, so that one image
        is in use at a time.

        Raises:
            EngineLostError: the engine is gone, an image is missing, or the disk is full.
        """
        by_problem: dict[str, list[tuple[Problem, Sample]]] = {}
        for problem, sample in pairs:
            by_problem.setdefault(problem.id, []).append((problem, sample))
        with self.containers.open() as containers, ThreadPoolExecutor(containers.workers, "repository") as pool:
            running: dict[Future[Evaluation], _Patches] = {}
            try:
                for some in by_problem.values():
                    patches: dict[str, _Patches] = {}
                    yield from self._extract(some, patches)
                    for each in _by_tree(containers, patches):
                        running[pool.submit(self._evaluated, containers, each)] = each
                    yield from _finished(running, up_to=2 * containers.workers)
                yield from _finished(running, up_to=0)
            finally:
                for future in running:
                    future.cancel()

    def patch(self, problem: Problem, text: str) -> ExtractedPatch:
        """The patch in a sample's text.

        Raises:
            NoPatchError: it has no patch, or an empty one.
            InapplicableError: its edits do not fit the files that the model was shown, or leave the repository.
        """
        files = require_check(problem, RepositoryCheck).files
        found = extract(self.answer_text(text), {each.path: each.text for each in files})
        check_paths(found.patch)
        return found

    def _extract(
        self, pairs: Sequence[tuple[Problem, Sample]], patches: "dict[str, _Patches]"
    ) -> Iterator[GradedSample]:
        """Sort an issue's samples into `patches`, by the text of the patch; those without one are graded at once."""
        for problem, sample in pairs:
            try:
                found = self.patch(problem, sample.text)
            except NoPatchError as error:
                yield GradedSample(sample.problem_id, sample.index, Verdict.NO_ANSWER, shortened(str(error)))
            except InapplicableError as error:
                detail = shortened(f"does not apply: {error}")
                yield GradedSample(sample.problem_id, sample.index, Verdict.ERROR, detail)
            else:
                check = require_check(problem, RepositoryCheck)
                patches.setdefault(found.patch, _Patches(problem, check, found.patch)).samples.append(
                    _Of(sample, found)
                )

    def _evaluated(self, containers: RepositoryContainers, patches: "_Patches") -> Evaluation:
        """The verdict on a patch: of one run, or of the majority of several."""
        problem = patches.problem
        limit = problem.time_limit_s or self.time_limit_s
        runs = self.runs if problem.id in self.flaky else 1
        given: list[Evaluation] = []
        while len(given) < runs:
            once = _retried(containers, patches, limit)
            if once.verdict is Verdict.INFRASTRUCTURE:
                return once
            given.append(once)
            right = sum(each.verdict is Verdict.CORRECT for each in given)
            if max(right, len(given) - right) > runs // 2:
                break
        if runs == 1:
            return given[0]
        majority = [each for each in given if (each.verdict is Verdict.CORRECT) == (2 * right > len(given))]
        detail = f"{right} of {len(given)} runs resolved; {majority[0].detail}"
        return Evaluation(majority[0].verdict, detail, sum(each.wall_s for each in given))


class _Of(NamedTuple):
    """A sample, and how its patch was found."""

    sample: Sample
    found: ExtractedPatch


@dataclass(slots=True)
class _Patches:
    """The samples of an issue with equal patches. `tree` is what they lead to."""

    problem: Problem
    check: RepositoryCheck
    patch: str
    samples: list[_Of] = field(default_factory=list)
    tree: str = ""


def _by_tree(containers: RepositoryContainers, patches: Mapping[str, _Patches]) -> list[_Patches]:
    """The patches of an issue, those that lead to the same files as one; the most frequent first."""
    if not patches:
        return []
    each = list(patches.values())
    found = [f"text:{number}" for number in range(len(each))]
    for _ in range(_TRIES):
        with contextlib.suppress(ContainerLostError):
            found = trees(containers, each[0].check.image, [one.patch for one in each])
            break
    merged: dict[str, _Patches] = {}
    for one, tree in zip(each, found, strict=True):
        one.tree = tree
        first = merged.setdefault(tree, one)
        if first is not one:
            first.samples += one.samples
    return sorted(merged.values(), key=lambda one: -len(one.samples))


def _retried(containers: RepositoryContainers, patches: _Patches, time_limit_s: float) -> Evaluation:
    for _ in range(_TRIES):
        try:
            return evaluate(containers, patches.check, patches.patch, time_limit_s)
        except ContainerLostError as error:
            why = str(error)
    return Evaluation(Verdict.INFRASTRUCTURE, why, 0.0)


def _finished(running: dict[Future[Evaluation], _Patches], *, up_to: int) -> Iterator[GradedSample]:
    """The samples whose patches have been evaluated, until at most `up_to` evaluations are left."""
    while len(running) > up_to:
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            patches = running.pop(future)
            made = future.result()
            answer = None if patches.tree.startswith("text:") else patches.tree
            for copy, (sample, found) in enumerate(patches.samples):
                yield GradedSample(
                    sample.problem_id,
                    sample.index,
                    made.verdict,
                    shortened(f"{made.detail} [{found.rule}]"),
                    wall_s=made.wall_s if copy == 0 else 0.0,
                    answer=answer,
                )
