"""What ways of picking deliver, read from the store of a sweep, under every budget and with faults."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from flows.setup.picking import from_store
from tasks.records import ScoredSample
from tasks.report.picking.model import Picking
from tasks.report.picking.of_sweep import picking_of
from tasks.report.sweep.publish import publish
from tasks.scorers import Candidate
from tasks.selection.available import available
from tasks.selection.summary import summarise
from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.budgets import AdaptiveConfig, Budget, SolveConfig, UniformConfig, VoteConfig
from tasks.sweep.sweep import Sweep
from tests.store.stored import LastLineGrader, complete, draw, grade, sweep_of
from tests.sweep.toy_scorer import ToyScorer, run, scoring_of

from .test_page import read

PROBLEMS, K = 5, 30

pytestmark = pytest.mark.usefixtures("without_figures_of_counts")


def filled(folder: Path, *, budget: Budget = UniformConfig(), scored: bool = False, grader=None) -> Sweep:  # noqa: B008
    store = FsspecStore(str(folder))
    more = {} if grader is None else {"grader": grader}
    sweep = sweep_of(store, problems=PROBLEMS, k=K, budget=budget, **more)
    complete(sweep)
    return with_scorer(sweep) if scored else sweep


def with_scorer(sweep: Sweep) -> Sweep:
    scorer = ToyScorer()
    run(sweep, scorer)
    return of(sweep, scorer)


def of(sweep: Sweep, *scorers: ToyScorer) -> Sweep:
    return Sweep(
        grading=sweep.grading,
        template=sweep.template,
        sampling=sweep.sampling,
        budget=sweep.budget,
        scorings=[scoring_of(sweep, each) for each in scorers],
    )


def picked(sweep: Sweep) -> Picking | str | None:
    results = sweep.results()
    return picking_of(sweep, results.summarise(), results.tally.counted_below)


def published(sweep: Sweep, folder: Path) -> str:
    results = sweep.results()
    summary = results.summarise()
    found = picking_of(sweep, summary, results.tally.counted_below)
    page = Path(publish(sweep.grading, results, summary, "", picking=found).page)
    assert (page.parent / "picking.svg").exists() == isinstance(found, Picking)
    assert (page.parent / "picking.csv").exists() == isinstance(found, Picking)
    return " ".join(" ".join(read(page.read_text()).text).split())


def labels(found: Picking | str | None) -> list[str]:
    assert isinstance(found, Picking), found
    return [each.label for each in found.summary.picked]


def test_a_scored_sweep_shows_coverage_majority_best_of_k_and_the_weighted_vote(tmp_path: Path) -> None:
    sweep = filled(tmp_path, scored=True)
    found = picked(sweep)
    assert labels(found)[:3] == ["majority", "best of k by toy", "vote weighted by toy"]
    assert isinstance(found, Picking)
    assert found.lacking is None
    assert found.secondary == set(labels(found)[3:])
    assert all("logprob" in each for each in found.secondary)
    summary = sweep.results().summarise()
    coverage = {point.k: point.coverage for point in summary.table}
    for point in found.summary.coverage.table:
        assert point.value == pytest.approx(coverage[point.k], abs=1e-12)
    text = published(sweep, tmp_path)
    assert "The gap at k = 30: coverage" in text
    assert "best of k by toy" in text


def test_the_figures_are_those_of_pick(tmp_path: Path) -> None:
    sweep = filled(tmp_path, scored=True)
    found = picked(sweep)
    assert isinstance(found, Picking)
    read_again = from_store(str(tmp_path), "arith", None, None).problems
    expected = {each.label: each for each in summarise(read_again, available(read_again)).picked}
    for each in found.summary.picked:
        for point, other in zip(each.table, expected[each.label].table, strict=True):
            assert point.value == pytest.approx(other.value, abs=4 * (point.error + other.error) + 1e-12)


def test_only_samples_below_k_of_the_selected_problems_count(tmp_path: Path) -> None:
    sweep = filled(tmp_path, scored=True)
    few = sweep_of(FsspecStore(str(tmp_path)), problems=3, k=10)
    found = picked(of(few, ToyScorer()))
    assert isinstance(found, Picking)
    assert (found.summary.problems, found.summary.samples) == (3, 30)
    assert found.summary.coverage.table[-1].k == 10
    whole = picked(sweep)
    assert isinstance(whole, Picking)
    assert whole.summary.samples == PROBLEMS * K


def test_scores_of_scorers_that_the_sweep_does_not_name_are_not_shown(tmp_path: Path) -> None:
    sweep = filled(tmp_path, scored=True)
    found = picked(of(sweep))
    assert not any("toy" in each for each in labels(found))
    assert isinstance(found, Picking)
    assert found.lacking == ("Not shown: best of k by a scorer and votes weighted by it (the sweep has no `scorers`).")


def _powers(exponent: int, candidates: Sequence[Candidate]) -> list[float]:
    return [float(len(each.text) ** exponent) for each in candidates]


def test_a_scorer_with_the_name_of_a_column_is_a_score_and_nothing_else(tmp_path: Path) -> None:
    sweep = filled(tmp_path)
    found = []
    for number, name in enumerate(("verdict", "tokens", "logprob_sum", "<script>$x$"), start=1):
        # Of scores that are equal throughout, only one is shown.
        scorer = ToyScorer(partial(_powers, number))
        scorer.name = name
        run(sweep, scorer)
        found.append(scorer)
    by = labels(picked(of(sweep, *found)))
    assert {"best of k by verdict", "best of k by tokens", "best of k by <script>$x$"} <= set(by)
    assert any(each.startswith("best of k by logprob-sum-toy-v1-") for each in by)
    text = published(of(sweep, *found), tmp_path)
    assert "best of k by <script>$x$" in text


def test_scores_that_some_samples_lack_are_left_out_and_the_page_says_so(tmp_path: Path) -> None:
    sweep = filled(tmp_path)
    scorer = ToyScorer()
    job = scoring_of(sweep, scorer)
    for block, footer in sweep.samples.stored().items():
        records = [
            ScoredSample(each.problem_id, each.index, None if each.index == 3 else 1.0)
            for each in sweep.samples.read(block)[0]
        ]
        job.scores.write(block, records, samples_checksum=footer.checksum, made_by="test", seconds=0.0)
    text = published(of(sweep, scorer), tmp_path)
    assert "The score toy is left out: 5 of 150 samples lack it." in text


def test_infrastructure_failures_are_left_out(tmp_path: Path) -> None:
    sweep = filled(tmp_path, grader=LastLineGrader(broken=4), scored=True)
    found = picked(sweep)
    assert isinstance(found, Picking)
    assert found.summary.samples == PROBLEMS * (K - 1)
    assert "5 samples were lost to failures of the infrastructure: they are left out." in found.summary.notes


def test_without_answers_there_is_no_vote_and_the_page_says_why(tmp_path: Path) -> None:
    sweep = filled(tmp_path, grader=LastLineGrader(), scored=True)
    found = picked(sweep)
    assert "majority" not in labels(found)
    text = published(sweep, tmp_path)
    assert "Not shown: votes (the grader last_line keeps no answers, or no sample has one)." in text


def test_samples_with_nothing_to_pick_by_have_no_section(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.store import stored

    real = stored.answers
    without = lambda *arguments, **more: {  # noqa: E731
        problem: {index: replace(each, logprob=None) for index, each in drawn.items()}
        for problem, drawn in real(*arguments, **more).items()
    }
    monkeypatch.setattr(stored, "answers", without)
    sweep = filled(tmp_path, grader=LastLineGrader())
    assert picked(sweep) is None
    text = published(sweep, tmp_path)
    assert "Picking" not in text
    assert "Coverage" in text


def test_under_an_adaptive_budget_only_the_samples_that_all_problems_have_count(tmp_path: Path) -> None:
    sweep = filled(tmp_path, budget=AdaptiveConfig(), scored=True)
    n = sweep.results().tally.by_problem.n
    assert n.min() < n.max()
    found = picked(sweep)
    assert isinstance(found, Picking)
    assert found.summary.samples == PROBLEMS * n.min()
    text = published(sweep, tmp_path)
    assert f"The budget was adaptive: of every problem only the first {n.min()} samples are used" in text


def test_under_a_vote_budget_the_report_has_its_own_section_and_no_curves(tmp_path: Path) -> None:
    sweep = filled(tmp_path, budget=VoteConfig(first=4), scored=True)
    assert picked(sweep) is None
    assert "Picking an answer" not in published(sweep, tmp_path)


def test_under_a_solve_budget_the_page_says_why_there_are_no_curves(tmp_path: Path) -> None:
    sweep = filled(tmp_path, budget=SolveConfig(first=2), scored=True)
    assert isinstance(picked(sweep), str)
    text = published(sweep, tmp_path)
    assert "cannot be estimated under a budget that stops a problem at its first correct sample" in text
    assert "a uniform budget gives it" in text


def test_a_damaged_score_is_told_and_the_report_is_written(tmp_path: Path) -> None:
    sweep = filled(tmp_path, scored=True)
    (file,) = tmp_path.glob("scores/*/*/*/*.parquet")
    file.write_bytes(b"torn")
    text = published(sweep, tmp_path)
    assert "What ways of picking deliver could not be computed: store:" in text
    assert "Coverage" in text


def test_a_sweep_without_a_graded_sample_has_no_section(tmp_path: Path) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=PROBLEMS, k=K, grader=LastLineGrader(broken=0))
    one = sweep_of(FsspecStore(str(tmp_path)), problems=PROBLEMS, k=1, grader=LastLineGrader(broken=0))
    draw(one)
    grade(one)
    assert picked(one) is None
    assert sweep.selection.k == K
