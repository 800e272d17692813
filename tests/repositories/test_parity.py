"""Our verdicts next to those of SWE-bench's harness, on the same patches, images and engine."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from docker import DockerClient

from tasks.datasets.swe_bench import SweBenchDataset
from tasks.patches import InapplicableError, NoPatchError
from tasks.records import GradedSample, Verdict
from tests.datasets.files import written
from tests.repositories.instances import DJANGO_LIKE, NETWORK, TEXTKIT
from tests.repositories.patches import patches_of_forms, patches_of_texts
from tests.repositories.stock import Outcome, stock_client, stock_outcome
from tests.repositories.test_patches_graded import GRADER, TIME_LIMIT_S, graded


class Difference(NamedTuple):
    """Our verdict, what the harness says, and why ours is right."""

    ours: Verdict
    stock: Outcome
    why: str


DIFFERENCES = {
    f"{TEXTKIT.id}: PASSED is printed, and the process ends": Difference(
        Verdict.ERROR, "resolved", "no test has run: the lines were printed when the module was imported"
    ),
    f"{TEXTKIT.id}: a session of two tests is printed": Difference(
        Verdict.ERROR,
        "resolved",
        "no test has run, and the printed session does not count the five that are said to pass",
    ),
    f"{DJANGO_LIKE.id}: ok is printed, and the process ends": Difference(
        Verdict.ERROR, "resolved", "no test has run: the lines were printed when the module was imported"
    ),
    f"{TEXTKIT.id}: all memory": Difference(
        Verdict.MEMORY_LIMIT, "unresolved", "the harness sets no limit on memory, so the patch has the machine's"
    ),
    f"{TEXTKIT.id}: Git's own folder": Difference(
        Verdict.ERROR,
        "unresolved",
        "Git refuses the patch, and the program `patch`, which is tried last, writes to .git",
    ),
}


def agrees(ours: GradedSample, stock: Outcome) -> bool:
    """Whether both say the same. The harness calls an issue unresolved where there are no test results, and has no
    verdict where the patch cannot be applied or its tests do not end."""
    if ours.verdict is Verdict.CORRECT:
        return stock == "resolved"
    if ours.verdict is Verdict.WRONG or ours.detail.startswith("no test results"):
        return stock == "unresolved"
    return stock == "no verdict" and (ours.verdict is Verdict.TIME_LIMIT or ours.detail.startswith("does not apply"))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_verdicts_are_those_of_the_stock_harness_except_where_it_is_wrong(client: DockerClient, tmp_path: Path) -> None:
    if not shutil.which("docker"):
        pytest.skip("the harness removes its containers with the command `docker`, which this machine lacks")
    work = tmp_path / "work"
    instances = (TEXTKIT, DJANGO_LIKE, NETWORK)
    rows = {each.id: each.row(each.build(client), work) for each in instances}
    problems = {each.id: each for each in SweBenchDataset(path=written(tmp_path / "a.jsonl", [*rows.values()])).load()}
    samples = {
        TEXTKIT.id: patches_of_texts(work),
        DJANGO_LIKE.id: patches_of_forms(work),
        NETWORK.id: {"gold, without a network": (NETWORK.patch(work), Verdict.WRONG, "unresolved")},
    }
    patches = {}
    for issue, named in samples.items():
        for name, (text, _, _) in named.items():
            try:
                patches[issue, name] = GRADER.patch(problems[issue], text).patch
            except InapplicableError:
                patches[issue, name] = text
            except NoPatchError:
                continue  # the harness does not run it, either

    def outcome(numbered: tuple[int, tuple[tuple[str, str], str]]) -> Outcome:
        number, ((issue, _), patch) = numbered
        logs = tmp_path / "logs"
        return stock_outcome(harness, rows[issue], patch, run_id=f"r{number}", logs=logs, time_limit_s=TIME_LIMIT_S)

    harness = stock_client(stop_delay=False)
    with ThreadPoolExecutor(2) as pool:
        stock = dict(zip(patches, pool.map(outcome, enumerate(patches.items())), strict=True))
    found: dict[str, Difference] = {}
    for issue, named in samples.items():
        ours = graded(GRADER, problems[issue], {name: text for name, (text, _, _) in named.items()})
        for name, given in ours.items():
            if (issue, name) in stock and not agrees(given, stock[issue, name]):
                key = f"{issue}: {name}"
                why = DIFFERENCES[key].why if key in DIFFERENCES else given.detail
                found[key] = Difference(given.verdict, stock[issue, name], why)
    assert len(patches) >= 50
    assert found == DIFFERENCES
