"""From a file in SWE-bench's format to a coverage curve, as a person runs it, with attempts that a model has made."""

import json
import os
import re
from pathlib import Path

import pandas as pd
import pytest
from docker import DockerClient

from tests.flows.command import Ended, monkeys
from tests.repositories.images import attempts
from tests.repositories.instances import DJANGO_LIKE, FIXED, TEXTKIT

SWEEP = """\
dataset: {name: swe_bench, path: issues.jsonl}
engine: {name: recorded, path: attempts.jsonl}
grader: {name: swe_bench, containers: {pull: false, memory_limit_mb: 256}}
k: 4
store: ./runs
"""


def run(folder: Path, *arguments: str) -> Ended:
    variables = {"PREFECT_HOME": str(folder / "home"), "DOCKER_HOST": os.environ["DOCKER_HOST"]}
    return monkeys("sweep", "sweep.yaml", *arguments, cwd=folder, **variables)


def prepare(client: DockerClient, folder: Path) -> None:
    """Two issues with six attempts: one of the first solves it, none of the second does."""
    work = folder / "work"
    instances = (TEXTKIT, DJANGO_LIKE)
    rows = [each.row(each.build(client), work) for each in instances]
    (folder / "issues.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    wrong = TEXTKIT.patch(work, {"textkit/words.py": FIXED.replace("split()", "split('  ')")})
    of_texts = ["I give up.", wrong, f"```diff\n{TEXTKIT.patch(work)}```", wrong, "", wrong]
    of_forms = [DJANGO_LIKE.patch(work, {"note.txt": f"{number % 2}\n"}) for number in range(6)]
    with (folder / "attempts.jsonl").open("w") as file:
        for instance, texts in zip(instances, (of_texts, of_forms), strict=True):
            for index, text in enumerate(texts):
                row = {"problem_id": instance.id, "index": index, "text": text, "tokens": 10, "prompt_tokens": 5}
                file.write(json.dumps(row) + "\n")
    (folder / "sweep.yaml").write_text(SWEEP)


def verdicts(folder: Path) -> dict[tuple[str, int], str]:
    tables = [pd.read_parquet(path) for path in (folder / "runs/verdicts").rglob("i*.parquet")]
    table = pd.concat(tables)
    return dict(zip(zip(table["problem_id"], table["index"], strict=True), table["verdict"], strict=True))


@pytest.mark.slow
def test_a_sweep_over_issues_grades_attempts_in_containers_and_ends_in_a_curve(
    client: DockerClient, tmp_path: Path
) -> None:
    prepare(client, tmp_path)
    ended = run(tmp_path)
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert re.search(r"^\W*1\W+12\.5%\W", ended.out, re.MULTILINE), ended.out
    assert re.search(r"^\W*4\W+50\.0%\W", ended.out, re.MULTILINE), ended.out
    first = [verdicts(tmp_path)[TEXTKIT.id, index] for index in range(4)]
    assert first == ["no_answer", "wrong", "correct", "wrong"]
    assert {verdicts(tmp_path)[DJANGO_LIKE.id, index] for index in range(4)} == {"wrong"}

    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs/verdicts").rglob("i*.parquet")}
    more = run(tmp_path, "--k", "6", "--set", "grader.containers.workers=1")
    assert more.code == 0, more.out + more.err
    assert len(verdicts(tmp_path)) == 12
    assert before.items() <= {path: path.stat().st_mtime_ns for path in before}.items()
    assert not attempts(client)


@pytest.mark.slow
def test_an_image_that_is_missing_ends_the_sweep_in_one_line_and_it_resumes(
    client: DockerClient, tmp_path: Path
) -> None:
    prepare(client, tmp_path)
    client.images.get(DJANGO_LIKE.image).tag("monkeys-tests-kept", "latest")
    client.images.remove(DJANGO_LIKE.image, force=True)
    ended = run(tmp_path)
    assert ended.code == 2
    assert DJANGO_LIKE.image in ended.err + ended.out
    assert "Traceback" not in ended.err + ended.out
    assert not list((tmp_path / "runs").rglob("verdicts/**/i*.parquet"))
    client.images.get("monkeys-tests-kept").tag(*DJANGO_LIKE.image.split(":"))
    assert run(tmp_path).code == 0
    assert len(verdicts(tmp_path)) == 8
