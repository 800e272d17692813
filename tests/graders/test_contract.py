"""What every grader keeps to (`monkeys.testing`), tried on each that is built in."""

import shutil
from typing import get_args

import pytest

from flows.config import choices
from monkeys.testing import GradingCase, check_grader
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.graders import Grader
from tasks.graders.code_contests import CodeContestsGrader
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.graders.functions import FunctionsGrader
from tasks.graders.gsm8k import Gsm8kGrader
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
from tasks.graders.humaneval import HumanEvalGrader
from tasks.graders.math import MathGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.math_verify import MathVerifyGrader
from tasks.graders.proof import ProofGrader
from tasks.graders.stdio import StdioGrader
from tasks.graders.stdio_exact import StdioExactGrader
from tasks.graders.swe_bench import SweBenchGrader
from tasks.records import AnswerCheck, FunctionCheck, Problem, StdioCheck, StdioTest, TheoremCheck, Verdict

SUM = Problem("sum", "1 + 2?", AnswerCheck("3"))
HALF = Problem("half", "x/2 + 1/2?", AnswerCheck(r"\frac{x+1}{2}"))
PROGRAM = Problem("program", "Add.", StdioCheck((StdioTest("1 2\n", "3\n"), StdioTest("2 2\n", "4\n"))))
PROMPT = 'def double(x):\n    """ Twice x. """\n'
FUNCTION = Problem(
    "function", PROMPT, FunctionCheck("double", "def check(candidate):\n    assert candidate(21) == 42\n")
)
THEOREM = Problem("theorem", "1 + 1 = 2?", TheoremCheck("rocq", "", "sum", "Theorem sum : 1 + 1 = 2."))
ADD = "a, b = map(int, input().split())\nprint(a + b)"


def answers(mark: str, *, algebra: bool = False) -> list[GradingCase]:
    """Cases of answers in a grader's form: `mark` with {} for the answer."""
    cases = [
        GradingCase(SUM, mark.format("3"), Verdict.CORRECT),
        GradingCase(SUM, mark.format("-3"), Verdict.WRONG),
        GradingCase(SUM, mark.format("30"), Verdict.WRONG),
    ]
    if algebra:
        cases += [
            GradingCase(HALF, mark.format(r"\frac{1}{2}(x+1)"), Verdict.CORRECT),
            GradingCase(HALF, mark.format(r"\frac{x-1}{2}"), Verdict.WRONG),
        ]
    return cases


def programs(form: str = "{}") -> list[GradingCase]:
    return [
        GradingCase(PROGRAM, form.format(ADD), Verdict.CORRECT),
        GradingCase(PROGRAM, form.format("print(3)"), Verdict.WRONG),
        GradingCase(PROGRAM, form.format("1/0"), Verdict.ERROR),
        GradingCase(PROGRAM, form.format("while True: pass"), Verdict.TIME_LIMIT),
    ]


def functions(form: str) -> list[GradingCase]:
    return [
        GradingCase(FUNCTION, form.format("    return 2 * x\n"), Verdict.CORRECT),
        GradingCase(FUNCTION, form.format("    return x\n"), Verdict.WRONG),
        GradingCase(FUNCTION, form.format("    while True: pass\n"), Verdict.TIME_LIMIT),
    ]


CASES: list[tuple[Grader, list[GradingCase]]] = [
    (FinalAnswerGrader(), answers("#### {}")),
    (Gsm8kGrader(), answers("#### {}")),
    (Gsm8kTolerantGrader(), answers("#### {}")),
    (MathGrader(), answers("Final Answer: The final answer is ${}$. I hope it is correct.", algebra=True)),
    (MathTolerantGrader(), answers("The answer is $\\boxed{{{}}}$.", algebra=True)),
    (MathVerifyGrader(), answers("The answer is $\\boxed{{{}}}$.", algebra=True)),
    (CodeContestsGrader(), programs("```\n{}\n```")),
    (StdioGrader(), programs()),
    (StdioGrader(behaviour_inputs=3), programs()),
    (StdioExactGrader(), programs()),
    (FunctionsGrader(), functions("def double(x):\n{}")),
    (HumanEvalGrader(), functions("{}")),
    (
        ProofGrader(),
        [
            GradingCase(THEOREM, "reflexivity. Qed.", Verdict.CORRECT),
            GradingCase(THEOREM, "intros. left.", Verdict.ERROR),
            GradingCase(THEOREM, "Admitted.", Verdict.NO_ANSWER),
        ],
    ),
]


def test_every_built_in_grader_is_tried() -> None:
    """That of SWE-bench is tried in tests/repositories, which have containers for it."""
    assert {SweBenchGrader, *(type(grader) for grader, _ in CASES)} == set(get_args(choices._Grader))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("grader", "cases"), CASES, ids=[f"{at}-{grader.name}" for at, (grader, _) in enumerate(CASES)]
)
def test_a_grader_keeps_its_promises(grader: Grader, cases: list[GradingCase]) -> None:
    if isinstance(grader, ProofGrader) and shutil.which("coqc") is None:
        pytest.skip("Rocq is not installed: `make provers`")
    check_grader(grader, cases, sandbox=BubblewrapConfig(time_limit_s=1, memory_limit_mb=256))
