"""Text that a model wrote, read by every grader: thinking is not an answer, and reading takes linear time."""

import random
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from flows.config.choices import _Grader
from sandboxes import Sandbox
from tasks.answers.isolated.pool import Answer, Failure
from tasks.graders import Grader
from tasks.graders.base import code
from tasks.graders.base.algebra_grader import AlgebraGrader
from tasks.graders.base.answer_grader import AnswerGrader
from tasks.graders.base.functions import FunctionGrader
from tasks.graders.base.programs import ProgramGrader
from tasks.graders.code_contests import CodeContestsGrader, same_tokens
from tasks.graders.functions import FunctionsGrader
from tasks.graders.gsm8k import Gsm8kGrader
from tasks.graders.humaneval import HumanEvalGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.proof import ProofGrader
from tasks.graders.stdio import StdioGrader, same_output
from tasks.graders.stdio_exact import StdioExactGrader, same_text
from tasks.graders.swe_bench import SweBenchGrader
from tasks.patches import ExtractedPatch, InapplicableError, NoPatchError
from tasks.patches.extraction import extract
from tasks.provers import PlacedProof, UnplaceableError
from tasks.records import AnswerCheck, FunctionCheck, Problem, Sample, StdioCheck, StdioTest, TheoremCheck, Verdict

BUILT_IN = get_args(_Grader)
FUNCTION = FunctionCheck(entry_point="f", code="def check(candidate):\n    assert candidate(3) == 6")
"""A problem's test of a function that doubles."""
THEOREM = TheoremCheck("rocq", "", "two", "Theorem two : 1 + 1 = 2.")


@pytest.mark.parametrize("grader", [each for each in BUILT_IN if each.runs_code], ids=lambda each: each.__name__)
def test_graders_of_code_leave_thinking_out(grader: type[Any], sandbox: Sandbox) -> None:
    _check_thinking_is_left_out(grader, sandbox)


@pytest.mark.parametrize(
    "grader",
    [each for each in BUILT_IN if not each.runs_code and each is not SweBenchGrader],
    ids=lambda each: each.__name__,
)
def test_graders_of_answers_leave_thinking_out(grader: type[Any]) -> None:
    if grader is ProofGrader and shutil.which("coqc") is None:
        pytest.skip("Rocq is not installed: `make provers`")
    _check_thinking_is_left_out(grader, None)


def test_a_patch_in_a_thought_is_not_the_samples() -> None:
    right, wrong = (f"```diff\n--- a/f\n+++ b/f\n@@ -1 +1 @@\n-0\n+{number}\n```\n" for number in (6, 7))
    read = _reader(SweBenchGrader())
    assert read(f"<think>{right}</think>{wrong}") == read(wrong) != read(right)


def _check_thinking_is_left_out(grader: type[Any], sandbox: Sandbox | None) -> None:
    """The thought is right and the answer wrong, then the other way round."""
    right, wrong, check = _texts(grader)
    problem = Problem("p", "def f(x):\n" if grader is HumanEvalGrader else "", check)
    texts = {
        f"<think>{right}</think>{wrong}": False,
        f"<think>{wrong}</think>{right}": True,
        f"the prompt opened it: {wrong}</think>{right}": True,
        f"<think>{right}": False,
    }
    pairs = [(problem, Sample("p", index, text)) for index, text in enumerate(texts)]
    verdicts = {graded.index: graded.verdict for graded in grader().grade(pairs, sandbox)}
    assert [verdicts[index] is Verdict.CORRECT for index in range(len(texts))] == list(texts.values()), verdicts


def _texts(grader: type[Any]) -> tuple[str, str, Any]:
    """A right and a wrong answer in a form that a grader reads, and the check that tells."""
    if issubclass(grader, ProgramGrader):
        return "```python\nprint(6)\n```", "```python\nprint(7)\n```", StdioCheck((StdioTest("", "6\n"),))
    if grader is ProofGrader:
        return "```coq\nreflexivity.\n```", "```coq\ndiscriminate.\n```", THEOREM
    if grader is HumanEvalGrader:
        return "    return 2 * x\n", "    return x\n", FUNCTION
    if issubclass(grader, FunctionGrader):
        return "```\ndef f(x):\n    return 2 * x\n```", "```\ndef f(x):\n    return x\n```", FUNCTION
    form = (
        "\n#### {0}\nThe answer is $\\boxed{{{0}}}$.\nFinal Answer: The final answer is ${0}$. I hope it is correct.\n"
    )
    return form.format(6), form.format(7), AnswerCheck("6")


def test_the_answer_follows_the_thinking_in_plain_words() -> None:
    text = r"<think>Maybe \boxed{7}? No.</think> The answer is 8."
    (graded,) = MathTolerantGrader().grade([(Problem("p", "", AnswerCheck("8")), Sample("p", 0, text))], None)
    assert graded.verdict is Verdict.CORRECT


def test_other_tags_can_be_set() -> None:
    text = "[THINK]#### 7[/THINK]#### 8"
    pairs = [(Problem("p", "", AnswerCheck("8")), Sample("p", 0, text))]
    (with_tags,) = Gsm8kGrader(thinking_tags=("[THINK]", "[/THINK]")).grade(pairs, None)
    (whole,) = Gsm8kGrader(thinking_tags=()).grade(pairs, None)
    assert (with_tags.verdict, whole.verdict) == (Verdict.CORRECT, Verdict.WRONG)


@pytest.mark.parametrize("tags", [("<think>",), ("a", "a"), ("", "b"), ("a", "b", "c")])
def test_tags_are_two_that_differ(tags: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError, match="thinking_tags"):
        Gsm8kGrader(thinking_tags=tags)


DRAFTS = """\
A first idea:
```python
print(5)
```
That is wrong. Better:
```python
def answer():
    return 6
print(answer())
```
It prints
```
6
```
"""


@pytest.mark.parametrize(
    ("grader", "verdict"),
    [
        (StdioGrader(), Verdict.CORRECT),
        (StdioExactGrader(), Verdict.CORRECT),
        (StdioGrader(extract="first_fence"), Verdict.WRONG),
        (StdioGrader(extract="whole_text"), Verdict.ERROR),
        (CodeContestsGrader(), Verdict.WRONG),
        (CodeContestsGrader(extract="last_complete"), Verdict.CORRECT),
    ],
    ids=str,
)
def test_the_last_complete_program_is_graded(grader: Grader, verdict: Verdict, sandbox: Sandbox) -> None:
    problem = Problem("p", "", StdioCheck((StdioTest("", "6\n"),)))
    (graded,) = grader.grade([(problem, Sample("p", 0, DRAFTS))], sandbox)
    assert graded.verdict is verdict


FUNCTIONS = (
    "```python\ndef f(x):\n    return x\n```\nNo:\n```python\ndef f(x):\n    return 2 * x\n```\n```python\nf(3)\n```"
)


@pytest.mark.parametrize(
    ("grader", "question", "verdict"),
    [
        (FunctionsGrader(), "", Verdict.CORRECT),
        (FunctionsGrader(extract="first_fence"), "", Verdict.WRONG),
        (FunctionsGrader(extract="whole_text"), "", Verdict.ERROR),
        (HumanEvalGrader(), "def f(x):\n", Verdict.ERROR),
        (HumanEvalGrader(extract="last_complete"), "def f(x):\n", Verdict.CORRECT),
    ],
    ids=str,
)
def test_the_last_fence_that_defines_the_function_is_graded(
    grader: Grader, question: str, verdict: Verdict, sandbox: Sandbox
) -> None:
    (graded,) = grader.grade([(Problem("p", question, FUNCTION), Sample("p", 0, FUNCTIONS))], sandbox)
    assert graded.verdict is verdict


def test_a_completion_is_completed_also_where_fences_are_looked_for(sandbox: Sandbox) -> None:
    problem = Problem("p", "def f(x):\n", FUNCTION)
    (graded,) = HumanEvalGrader(extract="last_complete").grade([(problem, Sample("p", 0, "    return 2 * x"))], sandbox)
    assert graded.verdict is Verdict.CORRECT


def test_a_lost_process_that_reads_programs_costs_no_verdict(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    class Lost:
        def map(self, calls: Iterable[Any]) -> Iterator[Answer]:
            return (Answer(failure=Failure.LOST) for _ in calls)

    monkeypatch.setattr(code, "shared", lambda *_: Lost())
    problem = Problem("p", "", StdioCheck((StdioTest("", "6\n"),)))
    pairs = [(problem, Sample("p", 0, DRAFTS)), (problem, Sample("p", 1, "print(6)"))]
    verdicts = {graded.index: graded.verdict for graded in StdioGrader().grade(pairs, sandbox)}
    assert verdicts == {0: Verdict.INFRASTRUCTURE, 1: Verdict.CORRECT}


# What the extraction of answers, programs and proofs looks for, and what numbers and formulas are made of.
ATOMS = (
    *("1", "1,", "1,111", "1 ", "1.", "1/", "e1", "+ 1", "-", "=", "x = 1 + ", "$", "$$", "\u00a0", " ", "\n", "\t"),
    *("a", "#### ", "####", "#### 1", "answer is ", "Answer:", "A: 1 1", "The final answer is ", "and ", "**", "^"),
    *("I hope it is correct.", "Final Answer: The final answer is ", "\\boxed{", "\\boxed", "\\frac", "\\frac{1}"),
    *("\\text{", "\\sqrt", "\\left(", "{", "}", "(", ")", "_", "\\\\", "```", "```\n", "```python\n", "~~~\n", "~"),
    *("Proof.", "Qed.", "(*", "*)", ". ", "...", "- ", "1: {", "[>", "all:", "A.b", '"', "'"),
    *('"""', "[BEGIN]", "[DONE]", "<think>", "</think>"),
)
SHORT, LONG = 2_000, 32_000


@pytest.mark.parametrize("grader", BUILT_IN, ids=lambda each: each.__name__)
def test_reading_a_text_takes_linear_time(grader: type[Any]) -> None:
    """Sixteen times the text takes about sixteen times as long, where quadratic time would be 256 times as long."""
    read = _reader(grader())
    generator = random.Random(0)
    pairs = [(one, "") for one in ATOMS] + [tuple(generator.choices(ATOMS, k=2)) for _ in range(60)]
    for one, other in pairs:
        for before in ("", "#### ", "The answer is ", "\\boxed{"):
            unit = one + other
            long, short = (before + unit * (length // len(unit)) for length in (LONG, SHORT))
            # Only what is slow at all is looked at again, for CPU time varies too.
            if _seconds(read, long) > 0.07:
                seconds, base = (min(_seconds(read, text) for _ in range(4)) for text in (long, short))
                assert seconds < 64 * base, (before, one, other, base, seconds)


def test_comparing_outputs_takes_linear_time() -> None:
    for same in (same_tokens, same_output, same_text):
        for unit in ("1", "1 ", "1.", "1e", "-", "\n", " \n", ".5 ", "٣", "x"):
            text = unit * (200_000 // len(unit))
            for expected, got in (("2", f"{text}x"), (text, f"{text}x"), (f"{text}y", f"{text}x")):
                assert _seconds(partial(same, expected), got) < 3


def _reader(grader: Any) -> Callable[[str], object]:
    """What a grader does with a text in its own process."""
    if isinstance(grader, (AnswerGrader, AlgebraGrader)):
        return lambda text: grader.decide("7", grader.answer_text(text))
    if isinstance(grader, ProgramGrader):
        return lambda text: grader.program(grader.answer_text(text))
    if isinstance(grader, SweBenchGrader):
        return lambda text: _patch(grader.answer_text(text))
    if isinstance(grader, ProofGrader):
        return lambda text: _placed(grader, grader.answer_text(text))
    problem = Problem("p", "def f(x):\n", FUNCTION)
    return lambda text: grader.function(problem, Sample("p", 0, grader.answer_text(text)))


def _patch(text: str) -> ExtractedPatch | None:
    try:
        return extract(text, {"f": "0\n"})
    except (NoPatchError, InapplicableError):
        return None


def _placed(grader: ProofGrader, text: str) -> PlacedProof | None:
    try:
        return grader.prover.place(text, THEOREM)
    except UnplaceableError:
        return None


def _seconds(read: Callable[[str], object], text: str) -> float:
    started = time.process_time()
    read(text)
    return time.process_time() - started
