"""The checks of `monkeys.testing`, which any plug-in can use: pytest examples/plugin/tests"""

from monkeys_example.close_enough import CloseEnoughGrader
from monkeys_example.guesser import GuesserConfig
from monkeys_example.sums import SumsDataset

from monkeys.testing import GradingCase, check_dataset, check_engine, check_grader
from tasks.records import AnswerCheck, Problem, Verdict

SUM = Problem("sums/3", "3 + 9 = ", check=AnswerCheck("12"))


def test_the_dataset_keeps_its_promises() -> None:
    check_dataset(SumsDataset(count=5))


def test_the_engine_keeps_its_promises() -> None:
    check_engine(GuesserConfig(), {"sums/2": "2 + 4 = ", "sums/3": "3 + 9 = "})


def test_the_grader_keeps_its_promises() -> None:
    cases = [
        GradingCase(SUM, "#### 12", Verdict.CORRECT),
        GradingCase(SUM, "#### 11", Verdict.CORRECT),
        GradingCase(SUM, "#### 14", Verdict.WRONG),
        GradingCase(SUM, "#### -12", Verdict.WRONG),
        GradingCase(SUM, "twelve", Verdict.NO_ANSWER),
    ]
    check_grader(CloseEnoughGrader(tolerance=1), cases)
