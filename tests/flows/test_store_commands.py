"""`monkeys ls` and what else looks into a store, as a person runs it: local and on a real S3 server."""

import json
from pathlib import Path

import pandas as pd
import pytest

from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.sweep import Sweep
from tests.flows.command import Ended, monkeys, refused
from tests.in_memory import InMemory
from tests.servers import S3
from tests.store.stored import LastLineGrader, answers, fill

COMMANDS = ["ls", "show", "samples", "export", "check", "gc", "regrade"]


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    return fill(FsspecStore(str(tmp_path / "runs")))


def snapshot(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def succeeds(*arguments: str, cwd: Path, **variables: str) -> str:
    ended = monkeys(*arguments, cwd=cwd, **variables)
    assert (ended.code, ended.err) == (0, ""), ended
    assert "\x1b" not in ended.out, "no colour where output is piped"
    return ended.out


def test_sets_are_listed_and_shown(sweep: Sweep, tmp_path: Path) -> None:
    fill(FsspecStore(str(tmp_path / "runs")), seed=1, problems=3, k=5, grader=LastLineGrader())
    name = sweep.samples.identity.name
    counts = sweep.results().tally.verdicts
    share = counts["correct"] / 600

    out = succeeds("ls", cwd=tmp_path)
    (line,) = [line for line in out.splitlines() if line.strip().startswith(name)]
    assert "20 × 30" in line
    assert f"final_answer v2: {share:.1%} correct" in line
    listed = {each["name"]: each for each in json.loads(succeeds("ls", "--json", cwd=tmp_path))}
    assert len(listed) == 2
    assert (listed[name]["problems"], listed[name]["samples"], listed[name]["reproducible"]) == (20, 600, 600)
    assert listed[name]["verdicts"][0]["counts"] == counts

    out = succeeds("show", name[-12:-4], cwd=tmp_path)
    assert name in out
    assert "20 × 30 = 600 samples" in out
    assert "600 samples (same seed, problem and index: same text)" in out
    assert "dataset: arithmetic" in out
    (line,) = [line for line in out.splitlines() if sweep.grading.verdicts.identity.name in line]
    assert [str(counts[verdict]) in line for verdict in ("correct", "wrong", "no_answer")] == [True] * 3
    assert json.loads(succeeds("show", name, "--json", cwd=tmp_path))["ingredients"]["dataset"] == "arithmetic"


def test_samples_are_printed_by_problem_verdict_and_index(sweep: Sweep, tmp_path: Path) -> None:
    expected = answers(20, 30)
    out = succeeds("samples", "arith", "--problem", "arithmetic/017", "--index", "29", cwd=tmp_path)
    assert "arithmetic/017 · sample 29 · " in out
    assert expected["arithmetic/017"][29].text.strip() in out

    arguments = ("samples", "arith", "--problem", "arithmetic/003", "--verdict", "wrong", "--limit", "1000")
    rows = [json.loads(line) for line in succeeds(*arguments, "--json", cwd=tmp_path).splitlines()]
    wrong = [each for each in expected["arithmetic/003"].values() if each.text.endswith("-1")]
    assert [(row["index"], row["text"], row["verdict"]) for row in rows] == [
        (each.index, each.text, "wrong") for each in wrong
    ]
    out = succeeds("samples", "arith", "--limit", "4", cwd=tmp_path)
    assert out.count(" · sample ") == 4
    assert "4 shown; raise --limit to see more" in out
    assert succeeds("samples", "arith", "--index", "4000", cwd=tmp_path).strip() == "no matching samples"


def test_control_characters_of_samples_cannot_reach_the_terminal(tmp_path: Path) -> None:
    from tasks.engines.recorded import RecordedEngine
    from tests.store.stored import sweep_of

    sweep = sweep_of(FsspecStore(str(tmp_path / "runs")), problems=1, k=1)
    recorded = answers(1, 1)
    (sample,) = recorded["arithmetic/000"].values()
    evil = type(sample)(sample.problem_id, 0, "\x1b]0;title\x07[bold red]x[/]\x1b[2J", finish_reason="\x1b[31m")
    for block in sweep.missing_samples():
        sweep.draw(block, RecordedEngine(InMemory({"arithmetic/000": {0: evil}}), "toy"))
    out = succeeds("samples", "arith", cwd=tmp_path)
    assert "‹U+001B›]0;title‹U+0007›[bold red]x[/]‹U+001B›[2J" in out


@pytest.mark.slow
def test_a_set_is_exported_and_checked(sweep: Sweep, tmp_path: Path) -> None:
    before = snapshot(tmp_path / "runs")
    for name in ("out.parquet", "out.jsonl"):
        out = succeeds("export", "arith", "-o", name, cwd=tmp_path)
        assert out.startswith("wrote 600 samples with the verdicts of final-answer-v2-")
        path = tmp_path / name
        table = pd.read_parquet(path) if name.endswith("parquet") else pd.read_json(path, lines=True)
        assert table["verdict"].value_counts().to_dict() == sweep.results().tally.verdicts
    assert "is sound: 600 samples in 2 blocks, 1 verdict set" in succeeds("check", "arith", cwd=tmp_path)

    Path(sweep.samples.url(sweep.samples.blocks()[0])).write_bytes(b"torn")
    before = snapshot(tmp_path)
    ended = monkeys("check", "arith", cwd=tmp_path)
    assert (ended.code, ended.err) == (1, "")
    assert "p00000-00016/i0000000-0000030.parquet: it is torn or damaged" in ended.out
    document = json.loads(monkeys("check", "arith", "--json", cwd=tmp_path).out)
    assert document["sound"] is False
    assert {"where", "what"} == document["findings"][0].keys()
    ended = monkeys("export", "arith", "-o", "out.parquet", cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert snapshot(tmp_path) == before, "neither changes a thing"


def test_garbage_is_listed_and_deleted_only_on_request(sweep: Sweep, tmp_path: Path) -> None:
    assert succeeds("gc", cwd=tmp_path).strip() == "nothing to collect"
    sweep.samples.quarantine(sweep.samples.blocks()[0])
    before = snapshot(tmp_path)
    out = succeeds("gc", cwd=tmp_path)
    assert "nothing was deleted, run again with --delete to do so" in out
    assert "quarantined as damaged" in out
    assert "verdicts on samples that are gone" in out
    assert snapshot(tmp_path) == before
    assert "deleted 2 objects" in succeeds("gc", "--delete", cwd=tmp_path)
    assert len(snapshot(tmp_path)) == len(before) - 2
    assert json.loads(succeeds("gc", "--json", cwd=tmp_path)) == []


@pytest.mark.slow
def test_store_commands_work_on_s3(tmp_path: Path, s3: S3) -> None:
    url = f"s3://{s3.new_bucket()}/runs"

    def on_s3(*arguments: str) -> Ended:
        return monkeys(*arguments, "--store", url, cwd=tmp_path, **s3.environment)

    assert on_s3("ls").out.strip() == f"no sample sets in {url}"
    fill(FsspecStore(url))
    assert json.loads(on_s3("ls", "--json").out)[0]["samples"] == 600
    assert "arithmetic/019 · sample 7" in on_s3("samples", "arith", "--problem", "arithmetic/019", "--index", "7").out
    assert "is sound" in on_s3("check", "arith").out
    assert on_s3("export", "arith", "-o", "out.jsonl").code == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == 600
    assert on_s3("gc").out.strip() == "nothing to collect"
    ended = monkeys("ls", "--store", "s3://nosuchbucket/runs", cwd=tmp_path, **s3.environment)
    assert (ended.code, ended.err) == (2, "monkeys: store: there is no bucket nosuchbucket; give another store\n")
    ended = monkeys("ls", "--store", url, cwd=tmp_path, **(s3.environment | {"AWS_SECRET_ACCESS_KEY": "wrong"}))
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert f"store: {url} cannot be read" in ended.err
    assert "wrong" not in ended.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ls", "--store", "none"], "store: there is no folder"),
        (["show", "nosuch"], "is called 'nosuch'; there are: arithmetic-recorded-"),
        (["show", "arith"], "'arith' could be more than one sample set in"),
        (["samples", "S", "--problem", "nosuch"], "has no problem 'nosuch'; it has arithmetic/000, "),
        (["samples", "S", "--verdict", "bad"], "--verdict: unknown verdict 'bad' (choose from correct, wrong, error"),
        (["samples", "S", "--verdicts", "stdio"], "is called 'stdio'; there are: final-answer-v2-"),
        (["export", "S", "-o", "out.csv"], "--output out.csv: ends in neither .parquet nor .jsonl"),
        (["regrade", "S", "--grader", "nosuch"], "grader.name: 'nosuch' is unknown; one of "),
        (["regrade", "S", "--set", "dataset=programs"], "was not drawn from the problems of programs"),
        (["regrade", "S", "--set", "nosuch=1"], "nosuch: is not a field"),
        (["regrade", "S", "none.yaml"], "none.yaml: cannot be read"),
        (["regrade", "S", "--against", "nosuch"], "is called 'nosuch'; there are: final-answer-v2-"),
    ],
)
def test_bad_input_is_reported_in_one_line_with_exit_code_2_and_nothing_is_written(
    two: Path, names: list[str], arguments: list[str], message: str
) -> None:
    before = snapshot(two)
    ended = refused(*(names[0] if each == "S" else each for each in arguments), cwd=two)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert len(ended.err.splitlines()) == 1
    assert snapshot(two) == before


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two sets, for commands that change nothing."""
    folder = tmp_path_factory.mktemp("two")
    for seed in (0, 1):
        fill(FsspecStore(str(folder / "runs")), seed=seed, problems=2, k=5)
    return folder


@pytest.fixture
def names(two: Path) -> list[str]:
    return sorted(path.name for path in (two / "runs" / "samples").iterdir())


def test_a_newer_schema_is_reported_in_one_line(sweep: Sweep, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "samples" / sweep.samples.identity.name / "set.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    assert "schema 99: needs a newer version of monkeys" in succeeds("ls", cwd=tmp_path)
    before = snapshot(tmp_path)
    ended = monkeys("show", "arith", cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines())) == (2, 1)
    assert "written by a newer version of monkeys" in ended.err
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_store_commands_has_an_example(command: str, tmp_path: Path) -> None:
    out = succeeds(command, "--help", cwd=tmp_path)
    assert "Example" in out
    assert f"monkeys {command}" in out


def test_regrading_shows_what_changes_and_draws_nothing(tmp_path: Path, prefect_url: str) -> None:
    sweep = fill(FsspecStore(str(tmp_path / "runs")), grader=LastLineGrader())
    strict = sweep.results().tally.verdicts
    before = snapshot(tmp_path / "runs")
    arguments = ("regrade", "arith", "--grader", "final_answer")

    out = succeeds(*arguments, "--limit", "3", cwd=tmp_path, PREFECT_API_URL=prefect_url)
    texts = [sample.text for of_problem in answers(20, 30).values() for sample in of_problem.values()]
    fixed = sum(text.endswith("and so on ∑") for text in texts)
    silent = sum(text.endswith("I do not know") for text in texts)
    assert f"compared with {sweep.grading.verdicts.identity.name}: {fixed + silent} of 600 changed" in out
    (line,) = [line for line in out.splitlines() if line.strip().startswith("wrong ")]
    assert line.split() == ["wrong", str(fixed), str(strict["wrong"] - fixed - silent), str(silent)]
    assert out.count(": wrong → ") == 3
    assert f"and {fixed + silent - 3} more" in out
    after = snapshot(tmp_path / "runs")
    assert before.items() <= after.items(), "what was stored is untouched"
    assert {Path(path).parts[len(tmp_path.parts) + 1] for path in after.keys() - before.keys()} == {"verdicts"}

    (tmp_path / "sweep.yaml").write_text("dataset: arithmetic\nengine: {name: onnx, model: none}\n")
    again = ("regrade", "arith", "sweep.yaml", "--against", "last-line", "--json")
    document = json.loads(monkeys(*again, cwd=tmp_path, PREFECT_API_URL=prefect_url).out)
    assert snapshot(tmp_path / "runs") == after, "nothing is graded twice"
    apart = document["difference"]
    assert (apart["samples"], apart["changed"], apart["uncompared"]) == (600, fixed + silent, 0)
    assert {"before": "wrong", "after": "correct", "samples": fixed} in apart["verdicts"]
    assert len(apart["changes"]) == 20
    assert sum(problem["correct_after"] - problem["correct_before"] for problem in apart["problems"]) == fixed


def test_what_libraries_do_as_the_interpreter_ends_cannot_change_how_a_command_ends(
    sweep: Sweep, tmp_path: Path
) -> None:
    """Arrow's threads abort a process now and then; here another object does. What is registered to run then is run."""
    (tmp_path / "sitecustomize.py").write_text(
        "import atexit, os, pathlib\n"
        "class Thread:\n"
        "    def __del__(self):\n"
        "        os.abort()\n"
        "thread = Thread()\n"
        f"atexit.register(pathlib.Path({str(tmp_path / 'ended')!r}).write_text, 'yes')\n"
    )
    for arguments, code in ((("samples", "arith", "--limit", "1"), 0), (("show", "nosuch"), 2)):
        ended = monkeys(*arguments, cwd=tmp_path, PYTHONPATH=str(tmp_path))
        assert ended.code == code, ended
        assert (tmp_path / "ended").read_text() == "yes"
        (tmp_path / "ended").unlink()
