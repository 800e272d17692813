import time
from collections.abc import Generator, Sequence

import pytest

from tasks.engines.recorded import RecordedEngine
from tasks.engines.spend_limit import CapConfig
from tasks.errors import CapReachedError, UserError
from tasks.records import Price, Request, Sample, Sampling
from tests.in_memory import InMemory

SAMPLING = Sampling(temperature=1.0, top_p=1.0, max_tokens=10, stop=(), seed=0)
REQUESTS = [Request(f"p{number}", "?", 0, 10) for number in range(5)]
PRICE = Price(prompt=1e6, completion=2e6)


def engine(tokens: int | None = 3, prompt_tokens: int | None = 4) -> RecordedEngine:
    """Ten samples of each of five problems."""
    samples = {
        request.problem_id: {i: Sample(request.problem_id, i, "!", prompt_tokens, tokens) for i in range(10)}
        for request in REQUESTS
    }
    return RecordedEngine(InMemory(samples), "recorded toy")


def drawn(cap: CapConfig, inner: RecordedEngine, price: Price | None = None) -> tuple[int, str]:
    """How many samples were yielded, and the message of the error that ended them."""
    count = 0
    with cap.start(price).wrap(inner) as capped:
        try:
            for samples in capped.sample(REQUESTS, SAMPLING):
                count += len(samples)
        except CapReachedError as error:
            return count, str(error)
    return count, ""


def test_a_cap_ends_a_run_after_yielding_what_was_drawn() -> None:
    count, why = drawn(CapConfig(tokens=61), engine())
    assert count == 30
    assert why == "cap: this run has spent 90 of 61 tokens"
    assert drawn(CapConfig(tokens=60), engine())[0] == 20
    assert drawn(CapConfig(tokens=1_000), engine()) == (50, "")


def test_the_dollar_cap_counts_prompt_and_completion_tokens() -> None:
    count, why = drawn(CapConfig(dollars=150), engine(), PRICE)
    assert count == 20, "each sample costs 4 + 6 dollars"
    assert why == "cap: this run has spent $200.00 of $150.00"
    free_prompts = Price(prompt=0, completion=2e6)
    assert drawn(CapConfig(dollars=61), engine(prompt_tokens=None), free_prompts)[0] == 20


def test_the_hour_cap_counts_the_time_of_the_run() -> None:
    class Slow(RecordedEngine):
        def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:
            for samples in super().sample(requests, sampling):
                time.sleep(0.05)
                yield samples

    count, why = drawn(CapConfig(hours=0.11 / 3_600), Slow(engine()._source, "slow"))
    assert count < 50
    assert "hours" in why


def test_reaching_a_cap_closes_the_inner_generator_at_once() -> None:
    """Not only once the error, and with it the generator, is garbage-collected: until then, requests cost money."""
    ended = []

    class Noted(RecordedEngine):
        def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[Sequence[Sample], None, None]:
            try:
                yield from super().sample(requests, sampling)
            finally:
                ended.append(True)

    with CapConfig(tokens=1).start(None).wrap(Noted(engine()._source, "noted")) as capped:
        with pytest.raises(CapReachedError) as kept:
            list(capped.sample(REQUESTS, SAMPLING))
        assert ended
        assert kept


def test_all_calls_of_a_run_share_one_cap() -> None:
    with CapConfig(tokens=30).start(None).wrap(engine()) as capped:
        with pytest.raises(CapReachedError):
            list(capped.sample(REQUESTS, SAMPLING))
        with pytest.raises(CapReachedError):
            next(capped.sample(REQUESTS[:1], SAMPLING))


def test_an_engine_without_token_counts_cannot_be_capped_by_tokens() -> None:
    with pytest.raises(UserError, match=r"recorded toy does not report how many tokens .* cap hours instead"):
        drawn(CapConfig(tokens=10), engine(tokens=None))
    with pytest.raises(UserError, match="how many prompt tokens"):
        drawn(CapConfig(dollars=10), engine(prompt_tokens=None), PRICE)
    assert drawn(CapConfig(hours=1), engine(tokens=None)) == (50, "")
