"""The workloads of `sandbox.py`: programs that are known to be right, and samples of a model.

- sum: adds two numbers. Each sample has five tests, and all samples differ in their text.
- contest: accepted contest programs on all their tests. Excluded are programs that take 50 CPU ms or more on a test,
  and programs that call `exit`, which the interpreter lacks under -S.
- function: real samples of HumanEval problems, with the problem's test. Excluded are samples that run into a limit,
  because their cost would be a matter of timeouts.
"""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandboxes import Limits, Sandbox, Status
from tasks.graders.humaneval import HumanEvalGrader
from tasks.graders.stdio import same_output
from tasks.records import FunctionCheck, Problem, Sample, Verdict

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
CONTEST = DATA / "code_contests" / "icpc_style_30.jsonl.gz"
PROBLEMS = DATA / "humaneval" / "HumanEval.jsonl.gz"
SAMPLES = DATA / "humaneval" / "codegen16b_t0.8_n100_first50.jsonl.gz"

SUM = "a, b = map(int, input().split())\nprint(a + b)\n# sample {}"
_TESTS_OF_SUM = ((3, 4), (0, 0), (-7, 2), (10**9, 1), (41, 1))
_CONTEST_PROGRAMS = 20


@dataclass(frozen=True)
class StdioWork:
    """A program on one test."""

    program: str
    stdin: str
    stdout: str


@dataclass(frozen=True)
class FunctionWork:
    """A completion of a problem's prompt, with its test. `calls` has the arguments and right results of the test, for
    tools that need these. `passes` is the expected outcome."""

    prompt: str
    completion: str
    test: str
    entry_point: str
    calls: tuple[tuple[list[Any], Any], ...]
    passes: bool

    @property
    def program(self) -> str:
        """Completion and test as a single program, which is how most tools run it."""
        return f"{self.prompt}{self.completion}\n{self.test}\ncheck({self.entry_point})\n"


Work = StdioWork | FunctionWork


def sums(count: int) -> list[Work]:
    """`count` executions, five for each sample."""
    tests = [(f"{a} {b}\n", f"{a + b}\n") for a, b in _TESTS_OF_SUM]
    return [StdioWork(SUM.format(number // 5), *tests[number % 5]) for number in range(count)]


def contest(sandbox: Sandbox) -> list[Work]:
    """Twenty accepted programs on all their tests. Programs whose problem needs a special checker are excluded."""
    works: list[Work] = []
    programs = 0
    for row in _rows(CONTEST):
        accepted = [
            solution
            for solution in row["solutions"]
            if solution["language"] == "python3"
            and solution["label"] == "correct"
            and not re.search(r"(?<!\.)\b(exit|quit)\(", solution["code"])
        ]
        if accepted and programs < _CONTEST_PROGRAMS:
            tests = [StdioWork(accepted[0]["code"], test["input"], test["output"]) for test in row["tests"]]
            outcomes = [sandbox.run(work.program, work.stdin.encode(), Limits(cpu_s=20.0)) for work in tests]
            right = [
                outcome.status is Status.OK
                and outcome.cpu_s < 0.05
                and same_output(work.stdout, outcome.stdout.decode(errors="replace"))
                for work, outcome in zip(tests, outcomes, strict=True)
            ]
            if all(right):
                works += tests
                programs += 1
    return works


def functions(sandbox: Sandbox, of_each: int) -> list[Work]:
    """The first `of_each` samples of each problem that has samples."""
    known = {_signature(row["prompt"]): row for row in _rows(PROBLEMS)}
    works: list[Work] = []
    for sampled in _rows(SAMPLES):
        row = known.get(_signature(sampled["prompt"]))
        if row is None:
            continue
        calls = _calls(row)
        for completion in sampled["samples"][:of_each]:
            work = FunctionWork(row["prompt"], completion, row["test"], row["entry_point"], calls, passes=False)
            (verdict,) = verdicts_on([work], sandbox)
            if verdict in (Verdict.CORRECT, Verdict.WRONG, Verdict.ERROR):
                works.append(FunctionWork(**{**work.__dict__, "passes": verdict is Verdict.CORRECT}))
    return works


def verdicts_on(works: Sequence[FunctionWork], sandbox: Sandbox) -> list[Verdict]:
    """The verdicts of Monkeys' grader, with each work as a separate problem, so that no two share an execution."""
    pairs = [
        (
            Problem(str(n), work.prompt, FunctionCheck(work.entry_point, work.test), time_limit_s=3.0),
            Sample(str(n), 0, work.completion),
        )
        for n, work in enumerate(works)
    ]
    verdicts = {graded.problem_id: graded.verdict for graded in HumanEvalGrader().grade(pairs, sandbox)}
    return [verdicts[problem.id] for problem, _ in pairs]


def _calls(row: dict[str, Any]) -> tuple[tuple[list[Any], Any], ...]:
    """The arguments with which the test calls the function, and the results of the canonical solution."""
    space: dict[str, Any] = {}
    exec(row["prompt"] + row["canonical_solution"] + "\n" + row["test"], space)
    calls: list[tuple[list[Any], Any]] = []
    space["check"](_recording(space[row["entry_point"]], calls))
    return tuple(calls)


def _recording(function: Callable[..., Any], calls: list[tuple[list[Any], Any]]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        kept = json.loads(json.dumps(arguments, default=str))
        result = function(*arguments)
        calls.append((kept, result))
        return result

    return call


def _signature(prompt: str) -> str:
    """Name and parameters of the last function in a prompt; the rest of the prompt differs between the files."""
    return [line for line in prompt.splitlines() if line.startswith("def ")][-1].replace(" ", "")


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)
