"""MATH's answers: Minerva's rule, the tolerant one, math-verify, and what must never hang, crash or pass."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.answers import minerva_math
from tasks.answers.equality_without_algebra import equal_without_algebra, number
from tasks.answers.finding import find
from tasks.answers.isolated.pool import IsolatedPool
from tasks.answers.minerva_math import boxed, final_answer
from tasks.answers.normalization import normalize
from tasks.answers.structure import parts
from tasks.graders import Grader
from tasks.graders.base import algebra_grader as base_algebra
from tasks.graders.math import MathGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.math_verify import MathVerifyGrader
from tasks.records import AnswerCheck, GradedSample, Problem, Sample, Verdict

pytest.importorskip("math_verify", reason="the math extra is not installed")

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "math"
PAPER, TOLERANT, VERIFY = MathGrader(), MathTolerantGrader(), MathVerifyGrader()
ALL = pytest.mark.parametrize("grader", [PAPER, TOLERANT, VERIFY], ids=lambda grader: grader.name)


_POOLS: dict[str, IsolatedPool] = {}


@pytest.fixture(scope="module", autouse=True)
def impatient() -> Iterator[None]:
    """The graders with a second of CPU time for a comparison, instead of five."""

    def shared(target: str, _: float) -> IsolatedPool:
        return _POOLS.setdefault(target, IsolatedPool(target, cpu_s=1, memory_mb=512, processes=2))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base_algebra, "shared", shared)
        yield
    for pool in _POOLS.values():
        pool.close()


def grade(grader: Grader, gold: str, *texts: str) -> list[GradedSample]:
    pairs = [(Problem("p", "?", AnswerCheck(gold)), Sample("p", index, text)) for index, text in enumerate(texts)]
    return sorted(grader.grade(pairs, None), key=lambda graded: graded.index)


def said(answer: str) -> str:
    return f"Thus.\nFinal Answer: The final answer is ${answer}$. I hope it is correct."


@pytest.mark.parametrize(
    ("gold", "answer", "paper", "tolerant"),
    [
        (r"\frac{1}{2}", r"\frac12", True, True),
        (r"\frac{1}{2}", r"\dfrac{1}{2}", True, True),
        (r"\frac{1}{2}", "0.5", True, True),
        (r"\frac{1}{2}", "1/2", True, True),
        (r"\frac{3}{2}", r"1\frac{1}{2}", False, True),
        (r"\frac{1}{2}", r"1\frac{1}{2}", True, False),
        (r"\frac{\sqrt{3}}{3}", r"\frac{1}{\sqrt3}", True, True),
        ("x^2-1", "(x-1)(x+1)", True, True),
        ("x^2-1", "(x-1)(x+2)", False, False),
        ("10080", r"10,\!080", True, True),
        ("5", "x=5", True, True),
        ("90^\\circ", "90", True, True),
        (r"12\text{ inches}", "12", True, True),
        ("(3,4]", r"\left(3, 4\right]", False, True),
        ("(3,4]", "(3,4)", False, False),
        ("(1,2)", "(2,1)", False, False),
        ("1,-2", "-2, 1", False, True),
        ("1,-2", "1", True, False),
        (r"\text{Evelyn}", "evelyn", False, True),
        (r"\text{(B)}", "B", True, True),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{bmatrix} 1 \\ 2 \end{bmatrix}", False, True),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix} 2 \\ 1 \end{pmatrix}", False, False),
        (r"\begin{pmatrix} 1 & 2 \end{pmatrix}", r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", False, False),
        (r"1 \pm \sqrt{19}", r"1-\sqrt{19}, 1+\sqrt{19}", False, True),
        ("5", "-5", False, False),
        ("5x", "5", False, False),
        ("5", "5x", False, False),
        ("5", r"5\text{ m}^2", True, True),
        ("5", "5 square meters", True, True),
        (r"3\frac{1}{2}", "3 1/2", False, True),
        (r"\frac{31}{2}", "3 1/2", True, False),
        ("12", "1 2", True, False),
        ("10000", "10 000", True, True),
        (r"\sin x", r"\sin  x", True, True),
        ("2516_8", "2516_{8}", True, True),
        ("2516_8", "2516_9", True, False),
        ("2516_8", "2516", True, True),
        ("2516", "2516_8", True, False),
    ],
)
def test_the_papers_rule_errs_both_ways_and_the_tolerant_one_does_not(
    gold: str, answer: str, paper: bool, tolerant: bool
) -> None:
    """The paper's rule errs in both directions; the tolerant one in neither, here."""
    found = [grade(grader, gold, said(answer))[0].verdict is Verdict.CORRECT for grader in (PAPER, TOLERANT)]
    assert found == [paper, tolerant]


SAME = [
    ("2\\frac{1}{3}", r"\frac{7}{3}", r"2\tfrac13"),
    (r"\frac52", "2½", "2.5", "2 1/2"),
    (r"\sqrt{10}", "√10", "√(10)", "sqrt(10)", "sqrt{10}"),
    ("x^2+3x", "x²+3*x", "x(x+3)"),
    (r"\frac{1}{x}", "x⁻¹", "x^-1"),
    ("12", "１２", "12.", "+12", r"24\div2"),
    ("1,2", "1，2", r"x=1 \text{ or } x=2", r"\{2,1\}"),
    (r"\frac{2\pi}{3}", "2*pi/3", "2pi/3"),
    (r"3.0\times10^8", "3e8", "300000000", r"3 \cdot 10^{8}"),
    (r"1.5\times 10^{-7}", "1.5e-7", "0.00000015"),
    (r"\frac13", r"0.\overline{3}", r".\bar{3}"),
    (r"\frac16", r"0.1\overline{6}"),
    (r"-\frac43", r"-1.\overline{3}"),
    ("1", r"0.\overline{9}"),
    ("1011_2", r"1011_{\text{two}}", "(1011)_2", "1011 base 2"),
    ("[1,3]", r"1\le x\le 3"),
    ("(1,3)", "1<x<3"),
    (r"(3,\infty)", "x>3", "3 < x"),
    (r"\langle 1,2\rangle", r"\left\langle 1, 2\right\rangle"),
    (r"\emptyset", r"\varnothing", "∅"),
    (r"100\pi\text{ cm}^2", r"100\pi", r"100\pi\text{ square cm}"),
    (r"4:30\text{ p.m.}", "4:30 PM", r"4:30\,\text{pm}", r"\text{4:30 p.m.}"),
    (r"\text{4:30 p.m.}", r"4:30 \text{ p.m.}", "4:30pm"),
    (r"5\text{ p.m.}", "5:00 pm"),
    ("4:2", "2:1", "2"),
    ("x\\neq 2", r"x \not= 2", "x != 2"),
    ("3", "3=x", "x=3"),
    ("ab", "ba", r"a \cdot b"),
    ("r=1,s=2", "s=2, r=1"),
]
OTHER = [
    ("r=1,s=2", "r=2,s=1"),
    (r"\langle 1,2\rangle", r"\langle 2,1\rangle"),
    ("2", r"\ge 2", "<2", r"\ne 2", "x>2", "2:5"),
    (r"x \ne 2", "2", "x=2"),
    ("[1,3]", "1<x<3", r"1\le x\le 4"),
    ("4:30", "4:31", "2:15"),
    (r"5\text{ p.m.}", r"5\text{ a.m.}"),
    (r"0.\overline{3}", "0.3", "0.33"),
    (r"\frac{5}{11}", r"0.\overline{46}"),
    (r"1.5\times 10^{-7}", "1.5e-8", "0"),
    ("1011_2", "1011 base 3", "(1011)_3"),
    ("ab", "bc"),
    (r"\text{no}", "yes"),
    (r"100\pi\text{ cm}^2", r"10\pi"),
    ("a+b=c", "a+b=d"),
]


@pytest.mark.parametrize("forms", SAME, ids=lambda forms: forms[0])
def test_the_tolerant_rule_knows_one_answer_in_many_forms(forms: tuple[str, ...]) -> None:
    gold, *others = forms
    wrong = [each for each in grade(TOLERANT, gold, *map(said, others)) if each.verdict is not Verdict.CORRECT]
    assert wrong == []


@pytest.mark.parametrize("forms", OTHER, ids=lambda forms: forms[0])
def test_the_tolerant_rule_tells_answers_apart(forms: tuple[str, ...]) -> None:
    gold, *others = forms
    right = [each for each in grade(TOLERANT, gold, *map(said, others)) if each.verdict is not Verdict.WRONG]
    assert right == []


def test_the_tolerant_rule_is_right_on_pairs_whose_truth_is_known() -> None:
    """Units, percent, mixed numbers, intervals, sets, matrices, degrees, words, bases, coordinates, equations."""
    lines = [line.split("\t") for line in Path(__file__).with_name("math_pairs.tsv").read_text("utf-8").splitlines()]
    assert {truth for truth, _, _ in lines} == {"same", "other"}
    pairs = [
        (Problem(str(at), "?", AnswerCheck(gold)), Sample(str(at), at, said(answer)))
        for at, (_, gold, answer) in enumerate(lines)
    ]
    found = {each.index: each.verdict is Verdict.CORRECT for each in TOLERANT.grade(pairs, None)}
    assert [line for at, line in enumerate(lines) if found[at] is not (line[0] == "same")] == []


def test_an_answer_stands_between_minervas_words_or_in_the_last_box() -> None:
    assert final_answer(said("4")) == "$4$"
    assert final_answer("Final Answer: The final answer is $4$. ") == "$4$", "the closing words were cut off"
    assert final_answer("Final answer: 4") is None
    assert boxed(r"\boxed{1} and \boxed{\frac{1}{2}}.") == r"\frac{1}{2}"
    assert boxed(r"\fbox{a{b}c}") == "a{b}c"
    assert boxed(r"$\boxed 5$") == "5"
    assert boxed(r"\boxed{open") is None
    assert find(r"so \boxed{7} it is") == "7"
    assert find("The answer is: $7$, as was asked") == "7"
    assert find("#### 7") == "7"
    assert find("7") is None


def test_a_sample_without_an_answer_gets_no_answer() -> None:
    for grader in (PAPER, TOLERANT, VERIFY):
        assert [each.verdict for each in grade(grader, "7", "", "no idea")] == [Verdict.NO_ANSWER] * 2


def test_an_answer_has_one_normal_form_and_parts() -> None:
    assert minerva_math.normalize(r"x = \frac12 \text{ meters}") == r"\frac{1}{2}"
    assert normalize(r"$\left( 3,\,\dfrac 12 \right]$.") == r"(3,\frac{1}{2}]"
    assert number("-1\\frac{1}{2}") == number("-1.5")
    assert number("7" * 5_000) is None
    taken = parts(r"\{(1,2),3\}")
    assert taken is not None
    assert (taken.brackets, taken.elements) == ("{}", ("(1,2)", "3"))
    assert parts("f(x,y)+1") is None


PIECES = [
    "1",
    "2",
    "x",
    ",",
    ".",
    ":",
    " ",
    "$",
    "=",
    "-",
    "+",
    "*",
    "/",
    "^",
    "_",
    "<",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "|",
]
PIECES += [
    "\\frac",
    "\\sqrt",
    "\\pi",
    "\\pm",
    "\\text{",
    "\\{",
    "\\}",
    "\\\\",
    "&",
    "\\begin{pmatrix}",
    "\\end{pmatrix}",
]
PIECES += [
    "\\overline{",
    "\\langle",
    "\\ge",
    "e",
    "1e",
    "base",
    "p.m.",
    " or ",
    "√",
    "½",
    "²",
    "−",
    "１",
    "％",
    "\0",
    "\n",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from(["7", "(1,2)", "\\{1,2\\}", "x"]))
@settings(max_examples=500, deadline=None)
def test_whatever_stands_there_can_be_spelt_and_taken_apart(answer: str, gold: str) -> None:
    spelt = normalize(answer)
    number(spelt)
    parts(spelt)
    assert equal_without_algebra(gold, spelt) is equal_without_algebra(gold, spelt)
    minerva_math.normalize(answer)


@pytest.mark.parametrize("answer", [".", "**", r"\text{}", r"\,", "{}", "()", r"\{\}", ","])
def test_an_answer_of_nothing_is_wrong(answer: str) -> None:
    for gold in ("(1,2)", "7", r"\{1,2\}"):
        (graded,) = grade(TOLERANT, gold, said(answer))
        assert graded.verdict is Verdict.WRONG


@ALL
@pytest.mark.slow
def test_what_never_ends_or_takes_all_memory_costs_one_verdict(grader: Grader) -> None:
    hangs = ["9^{9^{9^{9}}}", "(10^{9})!", r"\int_0^1 \sin(\sin(\sin(x^{x^{x}}))) dx"]
    texts = [said("x^2+2x+1"), *map(said, hangs), said("(x+1)(x+1)")]
    verdicts = [each.verdict for each in grade(grader, "(x+1)^2", *texts)]
    assert (verdicts[0], verdicts[-1]) == (Verdict.CORRECT, Verdict.CORRECT)
    assert set(verdicts[1:-1]) <= {Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT, Verdict.WRONG}
    assert Verdict.TIME_LIMIT in verdicts


@ALL
@pytest.mark.parametrize(
    "text",
    [
        "7" * 1_000_000,
        said("7" * 1_000_000),
        "Final Answer: The final answer is " * 30_000,
        "The answer is " * 70_000,
        " " * 1_000_000 + "I hope it is correct.",
        said("5 " + "a" * 900 + "!"),
        said("1" * 900 + "\\text{ a!}"),
        "\\boxed{" * 150_000,
        said("{" * 400 + "x" + "}" * 400),
        said("\\" * 999),
        said("\0 \ufffd 気温 ]}$"),
        said("\\input{/etc/passwd}"),
        said("__import__('os').system('touch forged')"),
    ],
    ids=range(13),
)
def test_odd_samples_are_graded(grader: Grader, text: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (graded,) = grade(grader, "7", text)
    assert graded.verdict in {Verdict.WRONG, Verdict.NO_ANSWER, Verdict.TIME_LIMIT, Verdict.MEMORY_LIMIT}
    assert len(graded.detail) < 200
    assert list(tmp_path.iterdir()) == []


def test_equal_questions_are_asked_once() -> None:
    graded_samples = grade(TOLERANT, "x^2-1", *[said("(x-1)(x+1)")] * 5)
    assert {each.verdict for each in graded_samples} == {Verdict.CORRECT}
    assert sum(each.cpu_s > 0 for each in graded_samples) == 1


@pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent")
@pytest.mark.parametrize(
    "grader", [PAPER, TOLERANT, pytest.param(VERIFY, marks=pytest.mark.slow)], ids=lambda grader: grader.name
)
def test_every_gold_answer_equals_itself(grader: Grader) -> None:
    rows = [json.loads(line) for line in (DATA / "math500_first200.jsonl").read_text().splitlines()]
    pairs = [
        (Problem(str(at), "", AnswerCheck(row["answer"])), Sample(str(at), 0, said(row["answer"])))
        for at, row in enumerate(rows)
    ]
    assert [each for each in grader.grade(pairs, None) if each.verdict is not Verdict.CORRECT] == []
