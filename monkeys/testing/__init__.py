"""Checks for plug-in authors: does an implementation, such as a dataset or an engine, keep its role's promises?

    from monkeys.testing import check_dataset

    def test_the_dataset_keeps_its_promises():
        check_dataset(SpellingDataset())

Each check is a plain function for any test framework. It raises `ContractError`, an AssertionError whose message says
which promise is broken. This project's own implementations pass the same checks.
"""

from monkeys.testing.budgets import check_budget
from monkeys.testing.contract import ContractError
from monkeys.testing.datasets import check_dataset
from monkeys.testing.engines import check_engine
from monkeys.testing.graders import GradingCase, check_grader
from monkeys.testing.importers import check_importer
from monkeys.testing.provers import check_prover
from monkeys.testing.sandboxes import check_sandbox
from monkeys.testing.scorers import check_scorer
from monkeys.testing.selectors import check_selector

__all__ = [
    "ContractError",
    "GradingCase",
    "check_budget",
    "check_dataset",
    "check_engine",
    "check_grader",
    "check_importer",
    "check_prover",
    "check_sandbox",
    "check_scorer",
    "check_selector",
]
