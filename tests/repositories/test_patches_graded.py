"""Patches of every kind, graded in real containers: what is resolved, what is not, and what only looks resolved."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient

from monkeys.testing import GradingCase, check_dataset, check_grader
from sandboxes.docker_repositories import DockerRepositories
from sandboxes.linux.process_identity import ProcessIdentity
from tasks.datasets.swe_bench import SweBenchDataset
from tasks.graders.base.requirements import require_check
from tasks.graders.repositories import evaluation
from tasks.graders.swe_bench import SweBenchGrader
from tasks.records import GradedSample, Problem, RepositoryCheck, Sample, Verdict
from tests.datasets.files import written
from tests.repositories.images import attempts
from tests.repositories.instances import DJANGO_LIKE, FIXED, INSTANCES, TEXTKIT, Instance
from tests.repositories.patches import at_import, patches_of_forms, patches_of_texts

SETTINGS = DockerRepositories(workers=2, memory_limit_mb=256, processes=128, pull=False)
PatchesOf = Callable[[Path], dict[str, tuple[str, Verdict, str]]]
# Generous: on a busy machine, tests that take a second may take ten.
TIME_LIMIT_S = 40
GRADER = SweBenchGrader(containers=SETTINGS, time_limit_s=TIME_LIMIT_S)


@pytest.fixture(scope="module")
def problems(client: DockerClient, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Problem]:
    folder = tmp_path_factory.mktemp("rows")
    rows = [each.row(each.build(client), folder / "work") for each in INSTANCES]
    return {each.id: each for each in SweBenchDataset(path=written(folder / "test.jsonl", rows)).load()}


@pytest.fixture
def nothing_left(client: DockerClient) -> Iterator[None]:
    yield
    assert not attempts(client, ProcessIdentity.here())


def graded(grader: SweBenchGrader, problem: Problem, texts: dict[str, str]) -> dict[str, GradedSample]:
    samples = [Sample(problem.id, index, text) for index, text in enumerate(texts.values())]
    grader.check([problem])
    found = {each.index: each for each in grader.grade([(problem, sample) for sample in samples], None)}
    assert len(found) == len(texts)
    return {name: found[index] for index, name in enumerate(texts)}


@pytest.mark.parametrize(
    ("instance", "patches"),
    [(TEXTKIT, patches_of_texts), (DJANGO_LIKE, patches_of_forms)],
    ids=["pytest", "unittest"],
)
def test_a_patch_of_every_kind_gets_its_verdict(
    problems: dict[str, Problem], tmp_path: Path, nothing_left: None, instance: Instance, patches: PatchesOf
) -> None:
    expected = patches(tmp_path / "work")
    found = graded(GRADER, problems[instance.id], {name: text for name, (text, _, _) in expected.items()})
    differing = {
        name: (found[name].verdict, found[name].detail)
        for name, (_, verdict, detail) in expected.items()
        if found[name].verdict is not verdict or detail not in found[name].detail
    }
    assert not differing


def test_the_dataset_keeps_its_promises_and_its_gold_patches_are_correct(client: DockerClient, tmp_path: Path) -> None:
    rows = [each.row(each.build(client), tmp_path / "work") for each in INSTANCES[:2]]
    check_dataset(SweBenchDataset(path=written(tmp_path / "test.jsonl", rows)), grader=GRADER)


def test_the_grader_keeps_its_promises(problems: dict[str, Problem], tmp_path: Path) -> None:
    forms = next(each for each in INSTANCES if each.id == "acme__forms-2")
    problem, work = problems[forms.id], tmp_path / "work"
    cases = [
        GradingCase(problem, forms.patch(work), Verdict.CORRECT),
        GradingCase(problem, forms.patch(work, {"note.txt": "x\n"}), Verdict.WRONG),
        GradingCase(problem, "I do not know.", Verdict.NO_ANSWER),
    ]
    check_grader(GRADER, cases)


def test_a_flood_of_output_is_output_limit(
    problems: dict[str, Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "MAX_OUTPUT_BYTES", 1 << 20)
    flood = "import os\nout = open(f'/proc/{os.getppid()}/fd/1', 'w')\nwhile True:\n    out.write('x' * 10000)"
    text = TEXTKIT.patch(tmp_path / "work", at_import(flood))
    found = graded(GRADER, problems[TEXTKIT.id], {"flood": text})
    assert found["flood"].verdict is Verdict.OUTPUT_LIMIT


def test_equal_patches_are_run_once(
    problems: dict[str, Problem], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Equal are those that lead to the same files, however they are written."""
    runs: list[str] = []
    plain = evaluation.evaluate

    def counted(*given: Any) -> evaluation.Evaluation:
        runs.append(given[2])
        return plain(*given)

    monkeypatch.setattr("tasks.graders.swe_bench.evaluate", counted)
    gold = TEXTKIT.patch(tmp_path / "work")
    wider = re.sub(r"^diff.*\nindex.*\n", "", gold)
    other = TEXTKIT.patch(tmp_path / "work", {"textkit/words.py": f"{FIXED}# end\n"})
    texts = {"gold": gold, "again": gold, "fenced": f"```diff\n{gold}```", "no header": wider, "a comment": other}
    found = graded(GRADER, problems[TEXTKIT.id], texts)
    assert {each.verdict for each in found.values()} == {Verdict.CORRECT}
    assert len(runs) == 2
    assert len({each.answer for each in found.values()}) == 2
    assert found["gold"].answer == found["no header"].answer != found["a comment"].answer
    assert sum(each.wall_s > 0 for each in found.values()) == 2


@pytest.mark.parametrize("instance", INSTANCES[:2], ids=lambda each: each.id)
def test_gold_and_empty_changes_of_each_runner(
    problems: dict[str, Problem], tmp_path: Path, instance: Instance
) -> None:
    texts = {"gold": instance.patch(tmp_path / "work"), "other": instance.patch(tmp_path / "work", {"x.txt": "x\n"})}
    found = graded(GRADER, problems[instance.id], texts)
    assert found["gold"].verdict is Verdict.CORRECT, found["gold"].detail
    assert found["other"].verdict is Verdict.WRONG, found["other"].detail


def test_a_flaky_issue_is_decided_by_the_majority_of_its_runs(problems: dict[str, Problem], tmp_path: Path) -> None:
    """A test of it passes in 200 of 256 runs: one run is often wrong, the majority of 11 hardly ever."""
    (flaky,) = [each for each in INSTANCES if each.id == "acme__dice-3"]
    grader = SweBenchGrader(containers=SETTINGS, flaky=(flaky.id,), runs=11)
    found = graded(grader, problems[flaky.id], {"gold": flaky.patch(tmp_path / "work")})
    assert found["gold"].verdict is Verdict.CORRECT, found["gold"].detail
    said = re.match(r"(\d+) of (\d+) runs resolved; resolved", found["gold"].detail)
    assert said
    assert int(said[1]) == 6 <= int(said[2])


def test_tests_that_need_a_network_fail_without_one(problems: dict[str, Problem], tmp_path: Path) -> None:
    (network,) = [each for each in INSTANCES if each.id == "acme__fetch-4"]
    found = graded(GRADER, problems[network.id], {"gold": network.patch(tmp_path / "work")})
    assert (found["gold"].verdict, found["gold"].detail) == (
        Verdict.WRONG,
        "unresolved: 1 of 1 tests to fix fail [diff]",
    )


def test_a_container_that_is_lost_is_infrastructure_and_one_that_was_lost_once_is_not(
    problems: dict[str, Problem], tmp_path: Path, client: DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    gold = TEXTKIT.patch(tmp_path / "work")
    plain = evaluation.with_nonce
    for losses, verdict in ((1, Verdict.CORRECT), (99, Verdict.INFRASTRUCTURE)):
        left = [losses]

        def kill(script: str, nonce: str, left: list[int] = left) -> str:
            left[0] -= 1
            if left[0] >= 0:
                for each in attempts(client, ProcessIdentity.here()):
                    each.kill()
            return plain(script, nonce)

        monkeypatch.setattr(evaluation, "with_nonce", kill)
        found = graded(GRADER, problems[TEXTKIT.id], {"gold": gold})
        assert found["gold"].verdict is verdict, found["gold"].detail


def test_settings_that_change_no_verdict_are_not_in_its_identity(problems: dict[str, Problem]) -> None:
    from flows.setup.grading import grader_settings

    def settings(**fields: Any) -> dict[str, Any]:
        return grader_settings(SweBenchGrader.model_validate({"containers": fields}))

    assert settings(workers=3, pull=False) == {}
    assert settings(memory_limit_mb=128, workers=3) == {"containers": {"memory_limit_mb": 128}}


def test_verdicts_depend_on_the_image_and_the_script(problems: dict[str, Problem], client: DockerClient) -> None:
    problem = problems[TEXTKIT.id]
    check = require_check(problem, RepositoryCheck)
    other = require_check(problems["acme__forms-2"], RepositoryCheck).image

    def facts(changed: RepositoryCheck) -> Any:
        return GRADER.problem_ingredients([replace(problem, check=changed)])

    plain = facts(check)
    assert facts(check) == plain
    for changed in (replace(check, evaluation_script="x"), replace(check, image=other), replace(check, fail_only=True)):
        assert facts(changed) != plain
    client.images.get(TEXTKIT.image).tag("monkeys-tests-mirror", "latest")
    assert facts(replace(check, image="monkeys-tests-mirror:latest")) == plain
