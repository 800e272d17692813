"""The answers and scores of stored sets, as selectors take them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flows.setup.picking import from_store
from sandboxes import Sandbox
from tasks.engines.confidence import ConfidenceSettings, sample_confidence
from tasks.engines.recorded import RecordedEngine
from tasks.errors import UserError
from tasks.graders.stdio import StdioGrader
from tasks.records import Problem, Sample, Sampling, ScoredSample, StdioCheck, StdioTest
from tasks.report.sweep.publish import publish
from tasks.selection.available import available
from tasks.selection.best_of import BestOf
from tasks.selection.first_passing import FirstPassing
from tasks.selection.summary import summarise
from tasks.store.fsspec_store import FsspecStore
from tasks.store.identity import problems_digest, sample_identity, score_identity
from tasks.store.inspect.answers import stored_answers
from tasks.store.inspect.catalog import find
from tasks.store.sets import SampleSet, ScoreSet
from tasks.sweep.budgets import AdaptiveConfig, SolveConfig
from tasks.sweep.grading import Grading
from tasks.sweep.selection import Selection
from tasks.sweep.sweep import Sweep
from tests.flows.command import monkeys
from tests.in_memory import InMemory
from tests.sandboxes.conftest import open_sandbox
from tests.store.stored import LastLineGrader, answers, complete, draw, fill, grade, sweep_of

pytestmark = pytest.mark.usefixtures("without_figures_of_counts")


def url(tmp_path: Path) -> str:
    return str(tmp_path / "runs")


def scored(store: FsspecStore, sweep: Sweep, *, without: int | None = None) -> None:
    """A score of each sample: minus its index."""
    samples = sweep.grading.samples
    scores = ScoreSet(store, samples.identity, score_identity(samples.identity, "reward", 1, model="m"))
    for block, footer in samples.stored().items():
        records = [
            ScoredSample(each.problem_id, each.index, None if each.index == without else -float(each.index))
            for each in samples.read(block)[0]
        ]
        scores.write(block, records, samples_checksum=footer.checksum, made_by="test", seconds=0.0)


def test_every_graded_sample_has_its_answer_verdict_and_log_probability(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    fill(store, problems=3, k=6)
    found = find(store, "arith")
    (verdicts,) = found.verdicts
    read = stored_answers(store, found, verdicts)
    expected = answers(3, 6)
    assert read.notes == []
    for problem in read.problems:
        drawn = expected[problem.problem_id]
        assert problem.samples == list(range(6))
        assert problem.scores["logprob_sum"] == [drawn[index].logprob for index in range(6)]
        for index, answer in enumerate(problem.answers):
            assert (answer is None) == (drawn[index].text.strip() == "I do not know")
            assert problem.correct[index] == (answer not in {None, "-1"})


def test_scores_are_read_by_their_scorers_name_unless_some_are_missing(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    scored(store, fill(store, problems=3, k=6))
    read = from_store(url(tmp_path), "arith", None, None)
    assert [each.scores["reward"].tolist() for each in read.problems] == [[0.0, -1.0, -2.0, -3.0, -4.0, -5.0]] * 3

    scored(store, fill(store, problems=3, k=6, seed=1), without=2)
    second = next(each for each in store.sizes("samples") if "arith" in each).split("/")[1]
    names = {each.split("/")[1] for each in store.sizes("samples")}
    (other,) = names - {second}
    notes = [note for name in (second, other) for note in from_store(url(tmp_path), name, None, None).notes]
    assert notes == ["The score reward is left out: 3 of 18 samples lack it."]


def test_samples_without_a_verdict_are_left_out_and_counted(tmp_path: Path) -> None:
    fill(FsspecStore(url(tmp_path)), problems=3, k=6, grader=LastLineGrader(broken=4))
    read = from_store(url(tmp_path), "arith", None, "final_answer")
    assert [each.n for each in read.problems] == [5, 5, 5]
    assert read.notes == ("3 samples were lost to failures of the infrastructure: they are left out.",)


def test_where_the_grader_is_not_installed_answers_are_equal_as_text(tmp_path: Path) -> None:
    fill(FsspecStore(url(tmp_path)), problems=2, k=4, grader=LastLineGrader())
    read = from_store(url(tmp_path), "arith", None, None)
    assert read.notes == ("The grader last_line is not available here: answers are the same if their texts are.",)


def test_a_grader_that_keeps_no_answers_leaves_votes_without_what_they_need(tmp_path: Path) -> None:
    fill(FsspecStore(url(tmp_path)), problems=2, k=4, grader=LastLineGrader())
    assert all(each.answers is None for each in from_store(url(tmp_path), "arith", None, "final_answer").problems)


PROGRAMS = ("print(int(input()) * 2)", "print(2)", "x = int(input())\nprint(x * 2 if x < 3 else 0)", "1/0")


def graded_programs(store: FsspecStore, sandbox: Sandbox, *, public: int | None) -> None:
    """Programs that double a number: one right, one that passes the public test alone, one two of three, one none."""
    tests = tuple(StdioTest(f"{number}\n", f"{2 * number}\n") for number in (1, 2, 3))
    problems = [Problem(name, "Double it.", StdioCheck(tests, public=public)) for name in ("p", "q")]
    samples = SampleSet(store, sample_identity("programs", problems=problems_digest(problems)))
    rows = {each.id: {n: Sample(each.id, n, text) for n, text in enumerate(PROGRAMS)} for each in problems}
    sweep = Sweep(
        grading=Grading(selection=Selection.of(problems, k=4), grader=StdioGrader(), samples=samples),
        template="question",
        sampling=Sampling(1.0, 1.0, 9, (), 0),
    )
    for block in sweep.missing_samples():
        sweep.draw(block, RecordedEngine(InMemory(rows), "recorded"))
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, sandbox)


def test_public_tests_that_stored_samples_passed_pick_among_them(tmp_path: Path) -> None:
    with open_sandbox("bubblewrap") as sandbox:
        graded_programs(FsspecStore(url(tmp_path)), sandbox, public=2)
    read = from_store(url(tmp_path), "programs", None, None)
    for problem in read.problems:
        assert problem.passed is not None
        assert problem.passed.tolist() == [True, False, True, False]
    assert [each.name for each in available(read.problems)] == ["first_passing"]
    (curve,) = summarise(read.problems, [FirstPassing()], [4]).picked
    assert curve.table[0].value == 0.5, "one of the two that pass the public tests is right"


def test_without_public_tests_first_passing_says_what_is_missing(tmp_path: Path) -> None:
    with open_sandbox("bubblewrap") as sandbox:
        graded_programs(FsspecStore(url(tmp_path)), sandbox, public=None)
    read = from_store(url(tmp_path), "programs", None, None)
    assert available(read.problems) == []
    with pytest.raises(UserError, match="first that passes needs whether each sample passed the public tests, which"):
        summarise(read.problems, [FirstPassing()], [4])


def confident(store: FsspecStore, *, windows: Sequence[int | None]) -> None:
    """Graded samples of two tokens; those with a window have confidences, in groups of that many tokens."""
    sweep = sweep_of(store, problems=2, k=len(windows))
    rows = answers(2, len(windows))
    for samples in rows.values():
        for index, window in enumerate(windows):
            if window is not None:
                found = sample_confidence(np.array([0.5, float(index)]), ConfidenceSettings(top=5, window=window))
                samples[index] = replace(samples[index], confidence=found)
    for block in sweep.missing_samples():
        sweep.draw(block, RecordedEngine(InMemory(rows), "recorded"))
    grade(sweep)


def test_confidences_of_stored_samples_are_scores(tmp_path: Path) -> None:
    confident(FsspecStore(url(tmp_path)), windows=[1, 1, 1])
    read = from_store(url(tmp_path), "arith", None, None)
    for problem in read.problems:
        assert problem.scores["confidence_mean"].tolist() == [0.25, 0.75, 1.25]
        assert problem.scores["confidence_lowest_group"].tolist() == [0.0, 0.5, 0.5]
        assert problem.scores["confidence_tail"].tolist() == [0.0, 1.0, 2.0]
    labels = {each.label for each in available(read.problems)}
    assert {"best of k by confidence_tail", "vote weighted by confidence_mean"} <= labels


def test_confidences_that_are_equal_throughout_are_shown_once(tmp_path: Path) -> None:
    confident(FsspecStore(url(tmp_path)), windows=[9, 9])
    read = from_store(url(tmp_path), "arith", None, None)
    labels = [each.label for each in available(read.problems) if "confidence" in each.label]
    assert labels == ["best of k by confidence_bottom_groups", "vote weighted by confidence_bottom_groups"]
    (curve,) = summarise(read.problems, [BestOf(score="confidence_tail")], [2]).picked
    assert curve.label == "best of k by confidence_tail", "each can be named"


def test_a_set_started_without_confidences_says_how_many_samples_lack_them(tmp_path: Path) -> None:
    confident(FsspecStore(url(tmp_path)), windows=[None, 4, 4])
    read = from_store(url(tmp_path), "arith", None, None)
    assert "The score confidence_tail is left out: 2 of 6 samples lack it." in read.notes
    with pytest.raises(UserError, match="best of k by confidence_tail needs the score 'confidence_tail', which 2 of 2"):
        summarise(read.problems, [BestOf(score="confidence_tail")], [2])


def test_a_sample_without_tokens_is_picked_last_and_leaves_the_others_their_confidences(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    sweep = sweep_of(store, problems=2, k=3)
    rows = answers(2, 3)
    for samples in rows.values():
        for index in range(3):
            found = sample_confidence(np.array([0.5, float(index)]), ConfidenceSettings(top=5, window=1))
            samples[index] = replace(samples[index], confidence=found, tokens=2, logprob=-1.0 - index)
    first = rows[next(iter(rows))]
    first[2] = replace(first[2], text="", confidence=None, tokens=0, logprob=0.0)
    for block in sweep.missing_samples():
        sweep.draw(block, RecordedEngine(InMemory(rows), "recorded"))
    grade(sweep)
    read = from_store(url(tmp_path), "arith", None, None)
    assert read.problems[0].scores["confidence_mean"].tolist() == [0.25, 0.75, 0.25]
    assert read.problems[0].scores["logprob_mean"].tolist() == [-0.5, -1.0, -1.5]
    assert read.problems[1].scores["confidence_mean"].tolist() == [0.25, 0.75, 1.25]
    assert len(read.problems[0].correct) == 3, "it still counts as a sample"
    assert read.notes == (
        "Samples without tokens (1) have neither a mean log-probability nor a confidence: by these they are picked "
        "last.",
    )


def test_confidences_of_different_settings_are_never_compared(tmp_path: Path) -> None:
    confident(FsspecStore(url(tmp_path)), windows=[4, 8, 8])
    read = from_store(url(tmp_path), "arith", None, None)
    assert not any("confidence" in name for problem in read.problems for name in problem.scores)
    used = "top: 5, window: 4; top: 5, window: 8"
    assert read.notes == (f"The confidences are left out: they were computed with different settings ({used}).",)


def test_a_set_that_is_not_graded_is_one_line(tmp_path: Path) -> None:
    draw(sweep_of(FsspecStore(url(tmp_path)), problems=2, k=4))
    with pytest.raises(UserError, match=r"is not graded yet; run its sweep, or `monkeys regrade`"):
        from_store(url(tmp_path), "arith", None, None)


def reported(store: FsspecStore, sweep: Sweep) -> None:
    complete(sweep)
    results = sweep.results()
    publish(sweep.grading, results, results.summarise(), "")


def test_of_an_adaptive_set_only_the_samples_that_all_problems_have_are_used(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    sweep = sweep_of(store, problems=8, k=60, budget=AdaptiveConfig())
    reported(store, sweep)
    drawn = sweep.results().tally.by_problem.n
    fewest = int(drawn.min())
    assert fewest < drawn.max()
    read = from_store(url(tmp_path), "arith", None, None)
    assert read.notes == (
        f"The budget was adaptive: of every problem only the first {fewest} samples are used, since how many more it "
        "has depends on their verdicts.",
    )
    expected = answers(8, 60)
    for problem in read.problems:
        first = [expected[problem.problem_id][index] for index in range(fewest)]
        assert problem.scores["logprob_sum"].tolist() == [each.logprob for each in first]
    ended = monkeys("pick", "arith", "--store", url(tmp_path), cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert f"k = {fewest} " in ended.out
    assert "The budget was adaptive: of every problem only the first" in ended.out
    refused = monkeys("pick", "arith", "--store", url(tmp_path), "--k", str(10 * fewest + 1), cwd=tmp_path)
    assert (refused.code, len(refused.err.splitlines()), refused.out) == (2, 1, "")
    assert f"k must be between 1 and {10 * fewest}" in refused.err


def test_a_name_that_is_not_a_file_is_a_set_in_the_default_store(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path / "runs"))
    reported(store, sweep_of(store, problems=3, k=8))
    ended = monkeys("pick", "arith", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert "3 problems, 24 samples" in ended.out


def test_a_set_in_solve_mode_is_refused_in_one_line(tmp_path: Path) -> None:
    store = FsspecStore(url(tmp_path))
    sweep = sweep_of(store, problems=8, k=60, budget=SolveConfig(first=2))
    reported(store, sweep)
    ended = monkeys("pick", "arith", "--store", url(tmp_path), cwd=tmp_path)
    assert (ended.code, len(ended.err.splitlines()), ended.out) == (2, 1, "")
    assert "was last sampled in solve mode: how many samples a problem has depends on their verdicts" in ended.err
    assert "run its sweep with a uniform budget" in ended.err
