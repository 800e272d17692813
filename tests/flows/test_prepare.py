import json
from pathlib import Path
from typing import Any

import pytest

from flows.config.sweep import SweepConfig
from flows.setup.defaults import verdict_origins
from flows.setup.sweep import prepare
from tasks.errors import UserError
from tasks.graders.humaneval import HumanEvalGrader


def config(folder: Path, rows: list[dict[str, Any]], **more: Any) -> SweepConfig:
    (folder / "H.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "s.jsonl").write_text('{"problem_id": "a", "index": 0, "text": ""}\n')
    engine = {"name": "recorded", "path": str(folder / "s.jsonl")}
    dataset = {"name": "humaneval", "path": str(folder / "H.jsonl")}
    return SweepConfig.model_validate(
        {"dataset": dataset, "engine": engine, "k": 1, "store": str(folder / "runs"), **more}
    )


def row(task_id: str, prompt: str = "def f():\n") -> dict[str, str]:
    return {"task_id": task_id, "prompt": prompt, "entry_point": "f", "test": "def check(candidate): pass"}


def names(sweep_config: SweepConfig) -> tuple[str, str]:
    sweep = prepare(sweep_config)
    return sweep.samples.identity.name, sweep.grading.verdicts.identity.name


def test_settings_that_results_do_not_depend_on_are_not_ingredients(tmp_path: Path) -> None:
    rows = [row("a"), row("b")]
    base = names(config(tmp_path, rows, limit=1))
    assert names(config(tmp_path, rows, limit=1, sandbox={"workers": 7})) == base
    assert names(config(tmp_path, rows, limit=1, store=str(tmp_path / "elsewhere"))) == base


def test_settings_that_results_depend_on_are_ingredients(tmp_path: Path) -> None:
    base = names(config(tmp_path, [row("a"), row("b")], limit=1))
    limited = names(config(tmp_path, [row("a"), row("b")], limit=1, sandbox={"time_limit_s": 1}))
    assert limited[0] == base[0], "the same samples"
    assert limited[1] != base[1], "other verdicts"
    assert names(config(tmp_path, [row("a"), row("b", "def g():\n")], limit=1))[0] != base[0]


def test_the_error_about_a_repeated_problem_names_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'a' more than once"):
        prepare(config(tmp_path, [row("a"), row("a")]))


@pytest.mark.parametrize("dataset", ["programs", "humaneval"])
def test_a_vote_is_refused_where_programs_have_no_answers(tmp_path: Path, dataset: str) -> None:
    chosen = {"dataset": dataset} if dataset == "programs" else {}
    expected = r"budget: vote stops by the samples' answers, .* set grader\.behaviour_inputs for a vote over behaviour"
    with pytest.raises(UserError, match=expected):
        prepare(config(tmp_path, [row("a")], budget="vote", **chosen))


def test_a_pin_requires_the_same_texts_in_the_same_order(tmp_path: Path) -> None:
    rows = [row("a"), row("b")]
    digest = prepare(config(tmp_path, rows, limit=1)).samples.identity.ingredients["problems"]
    assert names(config(tmp_path, rows, limit=1, pin=digest)) == names(config(tmp_path, rows, limit=1))
    assert names(config(tmp_path, rows, limit=1, pin=digest[:8]))
    for others in (rows[::-1], [row("a"), row("b", "def g():\n")]):
        with pytest.raises(UserError, match=f"pin: the problems of humaneval hash to .*, not to {digest[:12]}"):
            prepare(config(tmp_path, others, limit=1, pin=digest[:12]))


def test_a_field_of_a_grader_may_have_the_name_of_a_role() -> None:
    """Such as that of a plug-in's grader that asks another one."""

    class Asking(HumanEvalGrader):
        grader: str = "another"
        sandbox: str = "another"

    assert verdict_origins(Asking(), object()) is None
