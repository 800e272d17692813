"""The checks of `monkeys.testing` find what is wrong: the example's and the guide's classes, broken in one place."""

import ast
import itertools
from pathlib import Path
from typing import Any

import pytest

from monkeys.testing import (
    ContractError,
    GradingCase,
    check_budget,
    check_dataset,
    check_engine,
    check_grader,
    check_importer,
    check_sandbox,
)
from sandboxes import SandboxUnavailableError
from tasks.records import AnswerCheck, Problem, Verdict
from tests.plugins.test_guide import blocks

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "plugin" / "monkeys_example"
PROMPTS = {"sums/2": "2 + 4 = ", "sums/3": "3 + 9 = "}
SUM = Problem("sums/3", "3 + 9 = ", check=AnswerCheck("12"))
CASES = [GradingCase(SUM, "#### 12", Verdict.CORRECT), GradingCase(SUM, "#### 14", Verdict.WRONG)]


def broken(source: str, old: str, new: str) -> dict[str, Any]:
    """The names of a module in which one thing is replaced. What replaces it can take turns."""
    assert old in source
    text = source.replace(old, new)
    names: dict[str, Any] = {"__name__": "broken", "TURNS": itertools.cycle([1, -1])}
    exec(compile(ast.parse(text), "broken.py", "exec"), names)
    return names


def of_guide(path: str) -> str:
    (text,) = (block for block in blocks("python") if block.startswith(f"# {path}\n"))
    return text


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('description="Number of problems"', "", "have no description: count"),
        ('("final_answer", "close_enough")', '("close_enough",)', "the grader final_answer is not among graders"),
        ('f"sums/{n}", f"{n} + {n * n} = "', 'f"sums/{n // 2}", f"{n} + {n * n} = "', "occurs 2 times"),
        ('f"#### {n + n * n}"', 'f"#### {n}"', "final_answer finds a known right solution of sums/1 wrong"),
        ("range(self.count)]", "range(self.count)][:: next(TURNS)]", "another order, the second time"),
        ("check=AnswerCheck(str(n + n * n))", "check=None", "sums/0: nothing to check a sample by"),
        ('stop: ClassVar[tuple[str, ...]] = ("\\n",)', 'stop: ClassVar[str] = "\\n"', "stop is not a tuple of texts"),
    ],
)
def test_a_broken_dataset_is_found(old: str, new: str, message: str) -> None:
    dataset = broken((EXAMPLE / "sums.py").read_text(), old, new)["SumsDataset"](count=5)
    with pytest.raises(ContractError, match=message):
        check_dataset(dataset)


INDICES = "indices = range(request.start, request.stop)"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (INDICES, "indices = range(request.start, request.stop + 1)", "was not asked for"),
        (INDICES, "indices = range(request.start + 1, request.stop)", "22 of 24 samples came"),
        (INDICES, "indices = [request.start] * 2", "came twice"),
        ("{request.problem_id}/{index}", "{request.problem_id}/{index}/{request.start}", "deterministic is True, but"),
        ("deterministic = True", "deterministic = None", "deterministic is not a bool"),
        ('f"#### {answer}", tokens', '"\\ud800", tokens', "not valid Unicode"),
        ("tokens=2", "tokens=-2", "tokens is -2"),
        ("tokens=2", "logprob=0.5", "logprob is 0.5"),
        ('"seed": sampling.seed', '"seed": next(TURNS)', "and then"),
        ('return f"guesser-{self.spread}"', 'return " "', "label is empty"),
        ("max_concurrent_calls = 1", "max_concurrent_calls = 0", "max_concurrent_calls is 0"),
    ],
)
def test_a_broken_engine_is_found(old: str, new: str, message: str) -> None:
    config = broken((EXAMPLE / "guesser.py").read_text(), old, new)["GuesserConfig"]()
    with pytest.raises(ContractError, match=message):
        check_engine(config, PROMPTS)


def test_what_only_a_model_keeps_to_is_checked_on_request() -> None:
    config = broken((EXAMPLE / "guesser.py").read_text(), "", "")["GuesserConfig"]()
    check_engine(config, PROMPTS)
    with pytest.raises(ContractError, match="2 tokens of 1"):
        check_engine(config, PROMPTS, has_model=True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("in pairs:", "in pairs[1:]:", "1 of 2 samples are graded"),
        ("in pairs:", "in [*pairs, *pairs]:", "is graded twice"),
        ("sample.problem_id, sample.index", "sample.problem_id, 7", "was not asked for"),
        ("yield GradedSample(", "yield (", "yields tuple, not a GradedSample"),
        ("<= self.tolerance", ">= self.tolerance", "is correct .*, not wrong"),
        ("[0-9]{1,100}", "[0-9]+", "ValueError on the sample"),
        ("Verdict.NO_ANSWER", "Verdict.INFRASTRUCTURE", "is taken for a failed sandbox"),
        ("version: ClassVar[int] = 1", "version: ClassVar[int] = 0", "version is 0"),
    ],
)
def test_a_broken_grader_is_found(old: str, new: str, message: str) -> None:
    grader = broken((EXAMPLE / "close_enough.py").read_text(), old, new)["CloseEnoughGrader"]()
    with pytest.raises(ContractError, match=message):
        check_grader(grader, CASES)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Plan((half, k), (half, half))", "Plan((half, k), (0, half))", "a limit below 1 makes coverage biased"),
        ("Plan((half, k), (half, half))", "Plan((k, half), (half, half))", "do not grow"),
        ("Plan((half, k), (half, half))", "Plan((half, k + 1), (half, half))", "ends at 3"),
        ("Plan((half, k), (half, half))", "Plan((half, k), (half,))", "2 ends and 1 limits"),
        ("Plan((half, k), (half, half))", "((half, k), (half, half))", "returned tuple, not a Plan"),
        ("k // 2", "k / 2", "not all numbers are integers"),
    ],
)
def test_a_broken_budget_is_found(old: str, new: str, message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_budget(broken(of_guide("shop/budgets.py"), old, new)["TwiceConfig"]())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('path.suffix == ".tsv"', "True", "is not False for a file"),
        ('path.suffix == ".tsv"', "False", "is not True for s.tsv"),
        ("problem, problem, text", 'problem, "", text', "no problem is named"),
        ("problem, problem, text", "problem, problem, 7", "text is not a text"),
        ('f"{path}, line {number}"', '""', "does not say where it stands"),
        ("yield Imported(", "yield (", "yields tuple, not Imported"),
        ('{"tool": "shop"}', '{"tool": {1, 2}}', "not JSON"),
        ('name: ClassVar[str] = "tsv"', 'name: ClassVar[str] = ""', "has no name"),
        ('"tab-separated lines of problem and text"', '" "', "description is empty"),
    ],
)
def test_a_broken_importer_is_found(tmp_path: Path, old: str, new: str, message: str) -> None:
    (tmp_path / "s.tsv").write_text("spelling/cat\ttac\n")
    with pytest.raises(ContractError, match=message):
        check_importer(broken(of_guide("shop/importers.py"), old, new)["Tsv"](), [tmp_path / "s.tsv"])


def test_an_importer_must_refuse_a_malformed_file_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "s.tsv").write_text("spelling/cat\ttac\n")
    importer = broken(of_guide("shop/importers.py"), "", "")["Tsv"]()
    with pytest.raises(ContractError, match=r"s\.tsv is read without an error"):
        check_importer(importer, [tmp_path / "s.tsv"], malformed=[tmp_path / "s.tsv"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("run(program, stdin, limits)", 'run(program, b"", limits)', "not ok with b'42"),
        ("run(program, stdin, limits)", "run(program, stdin, Limits(output_bytes=10))", "output_limit"),
        ("run_checked(checker, program, limits", "run_checked(program, checker, limits", "not ok with b'pong"),
    ],
)
def test_a_broken_sandbox_is_found(old: str, new: str, message: str) -> None:
    config = broken(of_guide("shop/sandboxes.py"), old, new)["LoggedConfig"](workers=1)
    try:
        config.check()
    except SandboxUnavailableError as error:
        pytest.skip(str(error))
    with pytest.raises(ContractError, match=message):
        check_sandbox(config)
