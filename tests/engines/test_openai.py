"""The client of OpenAI-compatible servers, against a real server: every sample arrives exactly once."""

import threading
import time
from typing import Any

import pytest

from tasks.engines import seeds
from tasks.errors import SamplingCancelledError
from tasks.records import Request, Sample
from tests.engines.misbehaving_server import Asked, Said, play_well, reply
from tests.engines.openai_client import REQUESTS, assert_complete, draw, engine_on, keys, sampling

# A server that behaves.


@pytest.mark.parametrize("api", ["completions", "chat"])
@pytest.mark.parametrize("n", [1, 3, 100])
def test_n_per_request_does_not_change_the_samples(server, api, n):
    with engine_on(server, api=api, n_per_request=n) as engine:
        drawn = draw(engine)
    assert_complete(drawn)
    assert set(drawn.values()) == {
        Sample(p, i, f"sample {seeds.base_seed(11, p) + i}", 7, 2, -0.75, "stop") for p, i in keys()
    }
    assert max(asked.body["n"] for asked in server.asked) == min(n, 30)


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_a_request_has_the_sampling_settings_and_the_seed(server, api):
    with engine_on(server, api=api, extra={"top_k": 20}, n_per_request=100) as engine:
        draw(engine, [Request("p/1", "Wie heißt der Affe? 🐒", 5, 18)])
    (asked,) = server.asked
    assert asked.path == ("/v1/completions" if api == "completions" else "/v1/chat/completions")
    prompt = asked.body.pop("messages" if api == "chat" else "prompt")
    assert prompt == ([{"role": "user", "content": REQUESTS[1].prompt}] if api == "chat" else REQUESTS[1].prompt)
    assert asked.body == {
        "model": "m",
        "n": 13,
        "seed": seeds.base_seed(11, "p/1") + 5,
        "temperature": 0.6,
        "top_p": 0.9,
        "max_tokens": 50,
        "stop": ["\n", "END"],
        "logprobs": True if api == "chat" else 1,
        "top_k": 20,
    }
    assert "authorization" not in asked.headers


def test_seeds_and_log_probabilities_can_be_left_out(server):
    with engine_on(server, seeds_sent=False, logprobs=False, n_per_request=13) as engine:
        drawn = draw(engine, [REQUESTS[1]])
    assert not {"seed", "logprobs", "return_token_ids"} & server.asked[0].body.keys()
    # The total of 13 choices says nothing about a single one.
    assert {(each.tokens, each.logprob) for each in drawn.values()} == {(None, None)}
    with engine_on(server, logprobs=False, n_per_request=1) as engine:
        assert {each.tokens for each in draw(engine).values()} == {2}


def test_tokens_are_counted_per_choice_on_vllm(server):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        assert asked.body["return_token_ids"]
        for choice in said["choices"]:
            choice["token_ids"] = [1] * (choice["index"] + 1)
        return Said(body=said)

    server.behave = behave
    with engine_on(server, logprobs=False, n_per_request=13, vllm=True) as engine:
        drawn = draw(engine, [REQUESTS[1]])
    assert [drawn["p/1", i].tokens for i in range(5, 18)] == list(range(1, 14))


def test_cached_prompt_tokens_are_kept_if_the_server_reports_them(server):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        said["usage"]["prompt_tokens_details"] = {"cached_tokens": 4}
        return Said(body=said)

    server.behave = behave
    with engine_on(server) as engine:
        drawn = draw(engine, [REQUESTS[1]])
    assert {(each.prompt_tokens, each.cached_prompt_tokens) for each in drawn.values()} == {(7, 4)}


def test_at_temperature_0_one_request_serves_all_samples_of_a_problem(server):
    with engine_on(server) as engine:
        drawn = draw(engine, temperature=0.0)
    assert drawn.keys() == keys()
    assert [asked.body["n"] for asked in server.asked] == [1, 1]
    assert len({sample.text for sample in drawn.values()}) == 2


def test_empty_requests_are_not_sent_to_the_server(server):
    with engine_on(server) as engine:
        assert list(engine.sample([], sampling())) == []
        assert list(engine.sample([Request("p", "x", 4, 4)], sampling())) == []
    assert server.asked == []


TEXTS = ["", "🐒 Äffchen", "half \ud83d", "\ud83d\udc12 whole", "a\x00b"]


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_empty_texts_and_broken_surrogates_are_handled(server, api):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body, TEXTS)
        said["choices"][1]["finish_reason"] = "length"
        said["choices"][2]["finish_reason"] = "content_filter"
        if api == "chat":
            said["choices"][0]["message"]["content"] = None
        return Said(body=said)

    server.behave = behave
    with engine_on(server, api=api) as engine:
        drawn = draw(engine, [Request("p", "x", 0, 5)])
    assert [drawn["p", i].text for i in range(5)] == ["", "🐒 Äffchen", "half \ufffd", "🐒 whole", "a\x00b"]
    assert [drawn["p", i].finish_reason for i in range(3)] == ["stop", "length", "content_filter"]


def test_choices_may_come_in_any_order(server):
    server.behave = lambda asked: Said(body={"choices": reply(asked.body)["choices"][::-1]})
    with engine_on(server) as engine:
        assert_complete(draw(engine))


# Concurrency.


def test_concurrency_falls_and_rises_with_the_servers_refusals(server):
    crowded = 16

    def behave(asked: Asked) -> Said:
        return Said(429) if asked.in_flight > crowded else Said(body=reply(asked.body), delay_s=0.04)

    server.behave = behave
    requests = [Request("p", "x", 0, 200)]
    with engine_on(server, n_per_request=1, concurrency=16) as engine:
        assert_complete(draw(engine, requests), requests)
        assert (server.max_in_flight, engine.requester.limit.limit) == (16, 16)
        crowded = 3
        assert_complete(draw(engine, requests), requests)
        low = engine.requester.limit.limit
        assert low < 8
        crowded, server.max_in_flight = 16, 0
        assert_complete(draw(engine, requests), requests)
        assert engine.requester.limit.limit > 2 * low
        assert 8 < server.max_in_flight <= 16


def test_concurrent_calls_share_the_limit_and_the_oldest_goes_first(server):
    server.behave = lambda asked: Said(body=reply(asked.body), delay_s=0.02)
    first, second = [Request("first", "1", 0, 60)], [Request("second", "2", 0, 60)]
    drawn: dict[str, Any] = {}
    with engine_on(server, n_per_request=1, concurrency=4) as engine:
        assert engine.max_concurrent_calls >= 2
        one = threading.Thread(target=lambda: drawn.update(first=draw(engine, first)))
        two = threading.Thread(target=lambda: drawn.update(second=draw(engine, second)))
        one.start()
        server.wait_until(lambda: len(server.asked) >= 8)
        two.start()
        one.join()
        two.join()
    assert_complete(drawn["first"], first)
    assert_complete(drawn["second"], second)
    assert server.max_in_flight == 4
    order = [asked.body["prompt"] for asked in server.asked]
    assert "2" not in order[:56], "the older call's requests go first"
    assert order[56:64].count("2") >= 4, "its last replies arrive while the next call's requests keep the server busy"


def test_requests_wait_while_the_caller_does_not_read(server):
    """Memory does not depend on k: a million samples are neither a million tasks nor a million unread replies."""
    with engine_on(server, n_per_request=1, concurrency=4) as engine:
        drawing = engine.sample([Request("p", "x", 0, 1_000_000)], sampling())
        next(drawing)
        server.wait_until(lambda: len(server.asked) >= 8)
        time.sleep(0.5)
        assert len(server.asked) <= 40
        drawing.close()


# Cancelling and closing.


def test_closing_the_generator_drops_its_requests(server):
    server.behave = lambda asked: play_well(asked) if asked.number < 4 else Said(hang=True)
    with engine_on(server, n_per_request=1) as engine:
        drawing = engine.sample(REQUESTS, sampling())
        next(drawing)
        server.wait_until(lambda: server.in_flight == 4)
        drawing.close()
        server.wait_until(lambda: server.dropped == 4)
        assert server.in_flight == 0
        server.behave = play_well
        assert_complete(draw(engine))


def test_cancel_ends_every_call(server):
    server.behave = lambda asked: Said(hang=True)
    ended: list[int] = []

    def draw_until_cancelled() -> None:
        with pytest.raises(SamplingCancelledError):
            draw(engine)
        ended.append(1)

    with engine_on(server) as engine:
        threads = [threading.Thread(target=draw_until_cancelled, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        server.wait_until(lambda: server.in_flight == 4)
        engine.cancel()
        for thread in threads:
            thread.join(60)
        assert len(ended) == 2
        server.wait_until(lambda: server.dropped == 4)
        with pytest.raises(SamplingCancelledError):
            draw(engine)


def test_cancel_ends_a_call_that_has_just_started(server):
    server.behave = lambda asked: Said(hang=True)
    for wait_s in [0.0, 0.0, 0.0, 0.001, 0.002, 0.005]:
        with engine_on(server) as engine:
            canceller = threading.Timer(wait_s, engine.cancel)
            canceller.start()
            with pytest.raises(SamplingCancelledError):
                draw(engine)
            canceller.join()


def test_closing_the_engine_ends_its_calls(server):
    server.behave = lambda asked: Said(hang=True)
    with engine_on(server) as engine:
        ended: list[int] = []

        def draw_until_cancelled() -> None:
            with pytest.raises(SamplingCancelledError):
                draw(engine)
            ended.append(1)

        thread = threading.Thread(target=draw_until_cancelled, daemon=True)
        thread.start()
        server.wait_until(lambda: server.in_flight == 4)
    thread.join(60)
    assert ended
