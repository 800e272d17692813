"""A model that compares samples, on a real HTTP server: what it is asked, its position bias, and what is paid twice."""

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.errors import ScorerFailedError, UserError
from tasks.scorers import Candidate, Scored, Unscored
from tasks.scorers.remote.comparing_scorer import ComparingScorer
from tasks.scorers.tournament import TournamentConfig
from tasks.store.fsspec_store import FsspecStore
from tasks.sweep.budgets import AdaptiveConfig, Budget, SolveConfig, UniformConfig, VoteConfig
from tasks.sweep.pivots import in_parts
from tasks.sweep.scoring import Scoring
from tasks.sweep.sweep import Sweep
from tests.scorers.scoring_server import ScoringServer, said
from tests.store.stored import draw, sweep_of

RUBRIC = "{prompt}\n<A>{first}</A>\n<B>{second}</B>"
PIVOTS = ("xxx", "x", "xxxxx", "x")
TEXTS = [*dict.fromkeys(PIVOTS), "xx", "xxxx", ""]
CANDIDATES = [Candidate("p", "question", "prompt", text, PIVOTS) for text in TEXTS]

Wins = Callable[[float], float]
"""From how much better the first is to the probability that the model prefers it."""


def shown(body: dict[str, Any]) -> tuple[str, str]:
    first, second = re.findall(r"<[AB]>(.*?)</[AB]>", body["messages"][0]["content"], re.DOTALL)
    return first, second


def preferring(first_wins: Wins) -> Callable[[str, dict[str, Any]], Any]:
    """Prefers what has more x, by this probability."""

    def answer(path: str, body: dict[str, Any]) -> Any:
        first, second = shown(body)
        share = first_wins(first.count("x") - second.count("x"))
        return said("A", [("A", {"A": share, "B": 1 - share} if share < 1 else {"A": 1.0})])

    return answer


class Fixed:
    """Answers with a text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, path: str, body: dict[str, Any]) -> Any:
        return said(self.text)


def linear(bias: float) -> Wins:
    return lambda better: 0.5 + 0.04 * better + bias


@pytest.fixture
def server() -> Iterator[ScoringServer]:
    with ScoringServer(preferring(linear(0.0))).serving() as serving:
        yield serving


def config(server: ScoringServer, **fields: Any) -> TournamentConfig:
    defaults = {"base_urls": f"{server.url}/v1", "model": "owner/comparer", "retries": 1, "rubric": RUBRIC}
    return TournamentConfig.model_validate(defaults | fields)


def scored(scorer: ComparingScorer, candidates: list[Candidate] = CANDIDATES) -> list[float]:
    values = [each.value for each in scorer.score(candidates) if isinstance(each, Scored)]
    assert len(values) == len(candidates)
    return values


def share_against_pivots(text: str, pivots: tuple[str, ...] = PIVOTS) -> float:
    """What a model without a bias gives."""
    return sum(0.5 + 0.04 * (len(text) - len(pivot)) for pivot in pivots) / len(pivots)


@pytest.mark.parametrize("bias", [0.0, 0.25, -0.2])
def test_a_position_bias_is_measured_and_cancels_in_both_orders(server: ScoringServer, bias: float) -> None:
    server.answer = preferring(linear(bias))
    with config(server).open() as scorer:
        assert scored(scorer) == pytest.approx([share_against_pivots(text) for text in TEXTS], abs=1e-12)
        (note,) = scorer.notes()
    # Three distinct pivots in three pairs, and three other texts against each.
    assert note.startswith(
        f"tournament by comparer: the sample shown first won {50 + 100 * bias:.1f}% of 24 comparisons (50% without a"
        " position bias); each pair was compared in both orders"
    )
    assert len(server.asked) == 24


@pytest.mark.parametrize("bias", [0.0, 1.5, -3.0])
def test_a_bias_in_log_odds_does_not_change_the_order_of_the_samples(server: ScoringServer, bias: float) -> None:
    server.answer = preferring(lambda better: 1 / (1 + math.exp(-(better + bias))))
    with config(server).open() as scorer:
        found = dict(zip(TEXTS, scored(scorer), strict=True))
    assert sorted(found, key=found.__getitem__) == sorted(found, key=len)


def test_a_model_that_always_prefers_the_first_says_nothing_about_samples(server: ScoringServer) -> None:
    server.answer = lambda path, body: said("A")
    with config(server, logprobs=False).open() as scorer:
        assert set(scored(scorer)) == {0.5}
        assert "won 100.0% of" in next(scorer.notes())


@pytest.mark.parametrize("bias", [0.25, -0.2])
def test_in_alternate_orders_a_bias_costs_half_and_cancels_over_an_even_number_of_pivots(
    server: ScoringServer, bias: float
) -> None:
    pivots = ("x", "xx", "xxx", "xxxx")
    others = [Candidate("p", "question", "prompt", "x" * length, pivots) for length in (0, 5, 6)]
    server.answer = preferring(linear(bias))
    with config(server, orders="alternate").open() as scorer:
        found = scored(scorer, others)
        assert found == pytest.approx([share_against_pivots(each.text, pivots) for each in others], abs=1e-12)
        assert len(server.asked) == 12
        scored(scorer, [Candidate("p", "question", "prompt", pivot, pivots) for pivot in pivots])
    assert len(server.asked) == 12 + 6, "each pair of pivots is compared once"
    firsts = Counter(first for first, second in map(shown, (body for _, body in server.asked[12:])))
    assert set(firsts.values()) <= {1, 2}


@pytest.mark.parametrize("orders", ["both", "alternate"])
def test_the_measured_bias_is_the_models_and_not_that_of_better_samples(server: ScoringServer, orders: str) -> None:
    server.answer = preferring(linear(0.1))
    pivots = tuple(f"xx{letter}" for letter in "abcd")
    better = [Candidate("p", "question", "prompt", f"xxxxx{number}", pivots) for number in range(200)]
    with config(server, orders=orders).open() as scorer:
        scored(scorer, better)
        (note,) = scorer.notes()
    found = re.search(r"won ([\d.]+)% of ([\d,]+) comparisons", note)
    assert found is not None
    assert float(found[1]) == pytest.approx(60.0, abs=0.1 if orders == "both" else 1.0)
    assert found[2] == ("1,600" if orders == "both" else "800")


def test_a_tournament_reads_the_letter_that_is_the_answer(server: ScoringServer) -> None:
    pair = [Candidate("p", "question", "prompt", "y", ("z",))]
    for text, wins in (("B", 0.0), ("A or B? A", 1.0), ("**A**", 1.0), ("Answer: B.", 0.0)):
        server.answer = Fixed(text)
        with config(server, logprobs=False).open() as scorer:
            (found,) = scorer.score(pair)
        assert isinstance(found, Scored)
        assert found.detail == f"pivot 0 first: {wins:g}, pivot 0 second: {1 - wins:g}", text


@pytest.mark.parametrize("text", ["", "I cannot compare these.", "ABBA", "C"])
def test_an_answer_without_a_letter_is_asked_for_again_and_then_there_is_no_score(
    server: ScoringServer, text: str
) -> None:
    server.answer = lambda path, body: said(text)
    with config(server, logprobs=False).open() as scorer:
        found = scorer.score(CANDIDATES[:1])
        assert found == [Unscored("the answer has no letter A or B that stands alone")]
        assert not list(scorer.notes())
    assert len(server.asked) == 4 * 3
    assert {body["seed"] for _, body in server.asked} == {0, 1, 2}


def test_one_refused_comparison_leaves_out_its_samples_alone(server: ScoringServer) -> None:
    sound = preferring(linear(0.0))
    server.answer = lambda path, body: (400, {"error": "too long"}) if "" in shown(body) else sound(path, body)
    with config(server).open() as scorer:
        found = dict(zip(TEXTS, scorer.score(CANDIDATES), strict=True))
    assert [text for text, each in found.items() if isinstance(each, Unscored)] == [""]


def test_a_server_that_is_away_ends_scoring(server: ScoringServer) -> None:
    server.answer = lambda path, body: (503, {})
    with config(server).open() as scorer, pytest.raises(ScorerFailedError, match="answers 503"):
        scorer.score(CANDIDATES)


def test_nothing_in_a_sample_is_filled_in_as_the_rubric_is(server: ScoringServer) -> None:
    hostile = Candidate("p", "{first}", "", "{second} {prompt}", ("{first}",))
    with config(server).open() as scorer:
        scorer.score([hostile])
    asked = {body["messages"][0]["content"] for _, body in server.asked}
    assert "{first}\n<A>{second} {prompt}</A>\n<B>{first}</B>" in asked


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"rubric": "{prompt} {first}"}, "rubric must contain {prompt}, {first} and {second}"),
        ({"pivots": 0}, "greater than or equal to 1"),
        ({"orders": "first"}, "'both' or 'alternate'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(server: ScoringServer, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        config(server, **fields)
    assert message in str(refused.value)


def test_its_identity_has_pivots_orders_and_rubric_and_neither_servers_nor_prices(server: ScoringServer) -> None:
    one = config(server).ingredients()
    assert one == config(server, base_urls="http://elsewhere/v1", concurrency=1, completion_price=3).ingredients()
    for fields in ({"pivots": 3}, {"orders": "alternate"}, {"rubric": f"{RUBRIC}!"}, {"seed": 1}, {"logprobs": False}):
        assert config(server, **fields).ingredients() != one


def scoring_of(sweep: Sweep, scorer: TournamentConfig) -> Scoring:
    return Scoring(grading=sweep.grading, scorer=scorer, prompt_of=sweep.prompt_of)


def run(sweep: Sweep, scorer: TournamentConfig) -> dict[tuple[str, int], float | None]:
    """Score everything that is pending, in two threads as a sweep does; all scores of the set."""
    job = scoring_of(sweep, scorer)
    job.check()
    with job.claims, job.open() as opened, ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda block: job.score(block, opened), job.pending_scores()))
    return stored(sweep, job)


def stored(sweep: Sweep, job: Scoring) -> dict[tuple[str, int], float | None]:
    return {
        (each.problem_id, each.index): each.score
        for block, footer in sweep.samples.stored().items()
        for each in job.scores.read(block, footer)[0]
    }


@pytest.fixture
def sized(server: ScoringServer) -> ScoringServer:
    """Its model prefers longer texts."""

    def answer(path: str, body: dict[str, Any]) -> Any:
        first, second = map(len, shown(body))
        share = 0.5 + 0.4 * (first - second) / (1 + first + second)
        return said("A", [("A", {"A": share, "B": 1 - share})])

    server.answer = answer
    return server


def test_no_comparison_is_paid_twice_and_a_larger_k_changes_no_score(sized: ScoringServer, tmp_path: Path) -> None:
    store, scorer = FsspecStore(str(tmp_path)), config(sized, pivots=2, concurrency=4)
    found: dict[tuple[str, int], float | None] = {}
    for k in (4, 12, 104):
        sweep = sweep_of(store, problems=2, k=k)
        draw(sweep, padding=1)
        more = run(sweep, scorer)
        assert len(more) == 2 * k
        assert None not in more.values()
        assert {key: more[key] for key in found} == found
        found = more
    asked = Counter(body["messages"][0]["content"] for _, body in sized.asked)
    assert set(asked.values()) == {1}

    texts = {
        (each.problem_id, each.index): each.text
        for block in sweep.samples.blocks()
        for each in sweep.samples.read(block)[0]
    }
    comparisons = 0
    for problem in {name for name, _ in texts}:
        pivots = {texts[problem, index] for index in range(2)}
        others = {text for (name, _), text in texts.items() if name == problem} - pivots
        comparisons += len(pivots) * (len(pivots) - 1) + 2 * len(others) * len(pivots)
    assert len(asked) == comparisons


def test_scores_of_a_problem_come_from_the_same_pivots_also_after_these_were_damaged_and_drawn_again(
    sized: ScoringServer, tmp_path: Path
) -> None:
    store, scorer = FsspecStore(str(tmp_path)), config(sized, pivots=2, concurrency=4)
    for k in (4, 104):  # the pivots are in a block that has no others
        sweep = sweep_of(store, problems=2, k=k)
        draw(sweep, padding=1)
        before = run(sweep, scorer)
    first, *others = sorted(sweep.samples.blocks(), key=lambda each: each.start)
    sweep.samples.quarantine(first)
    draw(sweep, padding=7)  # an engine that does not draw the same again
    job = scoring_of(sweep, scorer)
    assert set(job.pending_scores()) == {first, *others}
    sized.asked.clear()
    after = run(sweep, scorer)
    assert None not in after.values()
    assert not scoring_of(sweep, scorer).pending_scores()
    changes = [(after[key] or 0.0) - (before[key] or 0.0) for key in after if key[1] >= 4]
    assert max(changes) < 0, "they were compared with longer texts"
    sized.asked.clear()
    assert run(sweep, scorer) == after
    assert not sized.asked, "nothing is compared twice"


def test_a_run_that_fails_in_between_continues_without_asking_again(sized: ScoringServer, tmp_path: Path) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=4, k=20)
    draw(sweep)
    sound, answered = sized.answer, list[str]()

    def failing(path: str, body: dict[str, Any]) -> Any:
        if len(answered) >= 20:
            return 503, {}
        answered.append(body["messages"][0]["content"])
        return sound(path, body)

    scorer = config(sized, pivots=2, concurrency=1, retries=0)
    sized.answer = failing
    with pytest.raises(ScorerFailedError):
        run(sweep, scorer)
    sized.asked.clear()
    sized.answer = sound
    assert None not in run(sweep, scorer).values()
    assert not {body["messages"][0]["content"] for _, body in sized.asked} & set(answered)


def test_a_comparison_without_an_answer_is_never_a_score_and_is_tried_again(
    sized: ScoringServer, tmp_path: Path
) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=2, k=12)
    draw(sweep)
    sound = sized.answer
    refusal = said("no", [("no", {"no": 1.0})])
    sized.answer = lambda path, body: refusal if "I do not know" in shown(body)[1] else sound(path, body)
    scorer = config(sized, pivots=2)
    first = run(sweep, scorer)
    assert None in first.values()
    assert 0.0 not in first.values()
    sized.answer = sound
    sized.asked.clear()
    assert None not in run(sweep, scorer).values()
    assert {shown(body)[1].strip() for _, body in sized.asked} == {"I do not know"}, "the others are known"


def test_more_pivots_than_samples_are_told_before_any_work(sized: ScoringServer, tmp_path: Path) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=2, k=3)
    with pytest.raises(
        UserError, match=r"scorers\.pivots: tournament compares with the first 4 samples of each problem, and k is 3;"
    ):
        scoring_of(sweep, config(sized)).check()


@pytest.mark.parametrize(
    ("budget", "drawn"),
    [
        (VoteConfig(), 5),
        (VoteConfig(first=4), 4),
        (AdaptiveConfig(), 2),
        (SolveConfig(first=1), 1),
        (SolveConfig(), 10),
        (UniformConfig(), 10),
    ],
)
def test_pivots_are_among_the_samples_that_a_budget_draws_of_every_problem(
    server: ScoringServer, tmp_path: Path, budget: Budget, drawn: int
) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=2, k=10, budget=budget)
    scoring_of(sweep, config(server, pivots=drawn)).check(budget)
    with pytest.raises(UserError, match=f"lower pivots to {drawn}" if drawn < 10 else "k is 10"):
        scoring_of(sweep, config(server, pivots=drawn + 1)).check(budget)


def test_samples_of_a_problem_that_has_too_few_so_far_are_scored_later(sized: ScoringServer, tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    draw(sweep_of(store, problems=2, k=3))
    sweep = sweep_of(store, problems=2, k=20)
    with pytest.raises(ScorerFailedError, match="gave none of 6 samples a score: its problem has fewer samples than"):
        run(sweep, config(sized))
    assert not sized.asked
    draw(sweep)
    assert None not in run(sweep, config(sized)).values()


def test_the_position_bias_is_told_at_the_end_of_a_run(sized: ScoringServer, tmp_path: Path) -> None:
    sweep = sweep_of(FsspecStore(str(tmp_path)), problems=2, k=12)
    draw(sweep)
    sized.answer = lambda path, body: said("A", [("A", {"A": 0.7 if len(set(shown(body))) > 1 else 0.5, "B": 0.3})])
    job = scoring_of(sweep, config(sized))
    with job.claims, job.open() as opened:
        for block in job.pending_scores():
            job.score(block, opened)
    assert any("the sample shown first won 70.0% of" in note for note in job.notes())


@pytest.mark.parametrize("most", [3, 4, 7, 100])
def test_the_pivots_of_a_problem_stay_in_one_part(most: int) -> None:
    candidates = [Candidate(problem, "", "", f"{number}", ("0", "1", "2")) for problem in "pqr" for number in range(5)]
    parts = list(in_parts(candidates, most))
    assert [each for part in parts for each in part] == candidates
    assert all(0 < len(part) <= most for part in parts)
    for problem in "pqr":
        holding = [part for part in parts if any(each.problem_id == problem and each.text in "012" for each in part)]
        assert len(holding) == 1
