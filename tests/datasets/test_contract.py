"""What every dataset keeps to (`monkeys.testing`), tried on those that are bundled and on small files of the others."""

from pathlib import Path

import pytest

from monkeys.testing import check_dataset
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.datasets import Dataset
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.datasets.custom import CustomDataset
from tasks.datasets.gsm8k import Gsm8kDataset
from tasks.datasets.math import MathDataset
from tasks.datasets.math500 import Math500Dataset
from tasks.datasets.mbpp import MbppDataset
from tasks.datasets.programs import ProgramsDataset
from tests.datasets.files import written
from tests.datasets.test_mbpp import row
from tests.datasets.test_paper_tasks import MATH_ROWS, SUMS


def datasets(folder: Path) -> dict[str, Dataset]:
    sums, shots = written(folder / "test.jsonl", SUMS[:2]), written(folder / "train.jsonl", SUMS[2:])
    own = [{"id": "1", "question": "1 + 1?", "answer": "2"}]
    math500 = [{**MATH_ROWS[1], "answer": "-\\frac{2}{3}", "unique_id": "test/algebra/1.json"}]
    return {
        "arithmetic": ArithmeticDataset(),
        "programs": ProgramsDataset(),
        "custom": CustomDataset(path=written(folder / "own.jsonl", own)),
        "gsm8k": Gsm8kDataset(path=sums, train_path=shots),
        "math": MathDataset(path=written(folder / "math.jsonl", MATH_ROWS[1:])),
        "math500": Math500Dataset(path=written(folder / "math500.jsonl", math500)),
        "mbpp": MbppDataset(path=written(folder / "mbpp.jsonl", [row(2), row(3), row(4), row(11)])),
    }


@pytest.mark.parametrize("name", ["arithmetic", "programs", "custom", "gsm8k", "math", "math500", "mbpp"])
def test_a_dataset_keeps_its_promises(tmp_path: Path, name: str) -> None:
    check_dataset(datasets(tmp_path)[name], sandbox=BubblewrapConfig(workers=2))
