from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.costs.flops import ModelShape
from tasks.costs.measures import LinearCost, Prompts, dollars, flops, known_dollars, seconds, tokens
from tasks.costs.prices import ModelPrice
from tasks.costs.usage import UsageByProblem
from tasks.errors import UserError

# Prompt, cached part and completion of each sample of one problem.
SAMPLES = st.integers(1, 50).flatmap(
    lambda prompt: st.lists(
        st.tuples(st.just(prompt), st.integers(0, prompt), st.integers(0, 40)), min_size=1, max_size=5
    )
)
CENTS = st.integers(0, 2_000).map(lambda cents: cents / 128)


def usage_of(*problems, **others):
    """The usage of problems, each a list of (prompt, cached, completion)."""
    prompt, cached, completion = (
        np.array([sum(sample[i] for sample in samples) for samples in problems]) for i in range(3)
    )
    context = [sum(t * p + t * (t + 1) // 2 for p, _, t in samples) for samples in problems]
    return UsageByProblem(
        tuple(f"p{i}" for i in range(len(problems))),
        np.array([len(samples) for samples in problems]),
        prompt,
        cached,
        completion,
        np.array(context),
        np.array([samples[0][0] for samples in problems]),
        **others,
    )


def price(**fields):
    return ModelPrice.model_validate({"model": "m", "prompt": 1, "completion": 2, "date": "2026-11-01"} | fields)


def mean_cost(samples, k, of):
    """The mean of what k samples cost, over every choice of k."""
    chosen = list(combinations(samples, k))
    return sum(Fraction(of(each)) for each in chosen) / len(chosen)


@given(SAMPLES, st.tuples(CENTS, CENTS, CENTS, CENTS), st.sampled_from(Prompts), st.booleans())
def test_dollars_are_those_of_every_choice_of_k_samples(samples, prices, prompts, batch):
    prompt, completion, read, write = prices
    table = price(prompt=prompt, completion=completion, cached_read=read, cached_write=write, batch_discount=0.25)

    def cost(chosen):
        of_completion = sum(Fraction(completion) * t for _, _, t in chosen)
        shared = samples[0][0]
        match prompts:
            case Prompts.EACH:
                of_prompt = sum(Fraction(prompt) * (p - c) + Fraction(read) * c for p, c, _ in chosen)
            case Prompts.ONCE:
                of_prompt = Fraction(prompt) * shared
            case Prompts.CACHED:
                of_prompt = Fraction(write) * shared + (len(chosen) - 1) * Fraction(read) * shared
        return (of_completion + of_prompt) * (Fraction(3, 4) if batch else 1) / 10**6

    found = dollars(usage_of(samples), table, "a", prompts, batch=batch).at(range(1, len(samples) + 1))
    for k, value in enumerate(found[0], start=1):
        assert value == pytest.approx(float(mean_cost(samples, k, cost)), rel=1e-9, abs=1e-15)


@given(SAMPLES, st.sampled_from([Prompts.ONCE, Prompts.EACH]))
def test_flops_are_those_of_every_token_of_every_choice(samples, prompts):
    shape = ModelShape(parameters=1_000, layers=3, hidden=7)

    def one(context):
        return 2 * (1_000 + 2 * 3 * 7 * context)

    def cost(chosen):
        shared = samples[0][0]
        of_prompt = sum(one(at) for at in range(1, shared + 1))
        of_completions = sum(one(shared + at) for _, _, t in chosen for at in range(1, t + 1))
        return of_completions + of_prompt * (1 if prompts is Prompts.ONCE else len(chosen))

    found = flops(usage_of(samples), shape, "a", prompts).at(range(1, len(samples) + 1))
    for k, value in enumerate(found[0], start=1):
        assert value == pytest.approx(float(mean_cost(samples, k, cost)), rel=1e-12)


@given(SAMPLES, st.sampled_from(Prompts))
def test_tokens_are_those_of_every_choice(samples, prompts):
    def cost(chosen):
        of_prompt = samples[0][0] if prompts is Prompts.ONCE else sum(p for p, _, _ in chosen)
        return of_prompt + sum(t for _, _, t in chosen)

    found = tokens(usage_of(samples), "a", prompts).at(range(1, len(samples) + 1))
    for k, value in enumerate(found[0], start=1):
        assert value == pytest.approx(float(mean_cost(samples, k, cost)), rel=1e-12)


def test_no_sample_costs_nothing():
    cost = LinearCost(np.array([3.0]), np.array([2.0]))
    assert cost.at([0, 1, 2]).tolist() == [[0.0, 5.0, 7.0]]


def test_seconds_and_known_dollars_are_spread_over_the_samples():
    usage = usage_of([(1, 0, 1)] * 4, seconds=np.array([10.0]), dollars=np.array([0.08]))
    assert seconds(usage, "a").at(2).tolist() == [[5.0]]
    assert known_dollars(usage, "a").at(5).tolist() == [[pytest.approx(0.1)]]


def test_an_hour_is_priced_by_the_seconds_of_drawing():
    rented = ModelPrice.model_validate({"model": "m", "hour": 7.2, "date": "2026-11-01"})
    usage = usage_of([(1, 0, 1)] * 4, seconds=np.array([10.0]))
    assert dollars(usage, rented, "a").at(4).tolist() == [[pytest.approx(0.02)]]
    with pytest.raises(UserError, match="no seconds"):
        dollars(usage_of([(1, 0, 1)]), rented, "a")


def test_cached_tokens_cost_as_others_where_neither_their_count_nor_their_price_is_known():
    usage = UsageByProblem(("p",), np.array([1]), np.array([100]), None, np.array([10]))
    assert dollars(usage, price(), "a").at(1)[0, 0] == pytest.approx((100 + 2 * 10) / 1e6)


UNCOUNTED = UsageByProblem(("p",), np.array([1]))


@pytest.mark.parametrize(
    ("cost", "message"),
    [
        (lambda: dollars(UNCOUNTED, price(), "mine"), "cost: mine has no completion tokens for some sample"),
        (lambda: tokens(UNCOUNTED, "mine"), "mine has no completion tokens"),
        (lambda: flops(UNCOUNTED, ModelShape(1, 1, 1), "mine"), "mine has no completion tokens"),
        (lambda: seconds(UNCOUNTED, "mine"), "mine has no seconds for some sample"),
        (lambda: known_dollars(UNCOUNTED, "mine"), "mine has no dollars"),
        (lambda: dollars(UNCOUNTED, price(), "mine", batch=True), "prices: m has no batch_discount"),
    ],
)
def test_what_was_not_reported_is_told_in_one_line(cost, message):
    with pytest.raises(UserError, match=message) as told:
        cost()
    assert "\n" not in str(told.value)


def test_prompts_that_differ_between_samples_count_for_each():
    turns = UsageByProblem(("p",), np.array([2]), np.array([30]), None, np.array([8]), np.array([99]), None)
    assert tokens(turns, "a").at(2)[0, 0] == 38
    with pytest.raises(UserError, match="differ between samples of one problem, so they do not count once"):
        tokens(turns, "a", Prompts.ONCE)


def test_a_price_of_zero_needs_no_count():
    assert dollars(UNCOUNTED, price(prompt=0, completion=0), "a").at(3).tolist() == [[0.0]]
