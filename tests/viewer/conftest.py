"""A store with two sets to look at, and a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fastapi.testclient import TestClient

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.engines.recorded import RecordedEngine
from tasks.graders.base.requirements import require_check
from tasks.records import AnswerCheck, Sample
from tasks.store.fsspec_store import FsspecStore
from tasks.viewer.app import make_app
from tests.in_memory import InMemory
from tests.report.conftest import page  # noqa: F401 - a fixture
from tests.store.stored import LastLineGrader, fill, grade, sweep_of

PROBLEMS, K = 18, 130
TOKEN = "a-token"
HOSTILE = "</pre><script>window.stolen = 1</script><img src=x onerror=alert(1)>\u202e\x1b[31m\n#### -1"
CODE = "```python\ndef f(x):\n    return x + 1  # <b>\n```\n#### -1"


class Shown(NamedTuple):
    """A folder with two sets: `name` has one sample right of problem 1, hostile texts in problem 0, and two graders'
    verdicts."""

    folder: Path
    name: str
    other: str


def texts(problems: int, k: int) -> dict[str, dict[int, Sample]]:
    """Problem i has i correct samples, the last ones."""
    found: dict[str, dict[int, Sample]] = {}
    for position, problem in enumerate(ArithmeticDataset().load()[:problems]):
        answer = require_check(problem, AnswerCheck).answer
        for index in range(k):
            text = f"so\n#### {answer}" if index >= k - position else f"step {index}\nso\n#### -{index % 3 + 1}"
            if position == 0:
                text = (HOSTILE, CODE, "x" * 300_000)[index % 3]
            found.setdefault(problem.id, {})[index] = Sample(
                problem.id, index, text, 30, index % 7, -float(index), "stop"
            )
    return found


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("shown")
    store = FsspecStore(str(folder))
    sweep = sweep_of(store, problems=PROBLEMS, k=K)
    engine = RecordedEngine(InMemory(texts(PROBLEMS, K)), "recorded by a test")
    for block in sweep.missing_samples():
        sweep.draw(block, engine)
    grade(sweep_of(store, problems=PROBLEMS, k=K, grader=LastLineGrader()))
    grade(sweep)
    other = fill(store, problems=PROBLEMS, k=20, seed=1)
    return Shown(folder, sweep.samples.identity.name, other.samples.identity.name)


@pytest.fixture
def client(shown: Shown) -> Iterator[TestClient]:
    """Whoever has opened the address with the token."""
    with reader(shown.folder) as opened:
        yield opened


def reader(folder: Path) -> TestClient:
    opened = TestClient(make_app(FsspecStore(str(folder)), TOKEN), base_url="http://127.0.0.1")
    assert opened.get(f"/?token={TOKEN}").status_code == 200
    return opened
