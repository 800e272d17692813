import json
import random
from pathlib import Path

import pytest

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.graders.base.requirements import require_check
from tasks.records import AnswerCheck

SAMPLES_EACH = 300


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """A folder with a sweep file over recorded answers to the arithmetic problems, from always to never correct."""
    problems = ArithmeticDataset().load()
    chance = random.Random(0)
    with (tmp_path / "samples.jsonl").open("w") as file:
        for problem in problems[:20]:
            rate = chance.random() ** 4
            for index in range(SAMPLES_EACH):
                answer = require_check(problem, AnswerCheck).answer if chance.random() < rate else "-1"
                row = {"problem_id": problem.id, "index": index, "text": f"work\n#### {answer}", "tokens": 9}
                file.write(json.dumps(row) + "\n")
    (tmp_path / "sweep.yaml").write_text(
        "dataset: arithmetic\nlimit: 20\nengine: {name: recorded, path: samples.jsonl}\nk: 100\n"
    )
    return tmp_path
