"""The client of OpenAI-compatible servers, against a real server that misbehaves: every sample comes exactly once."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from flows.config import SweepConfig
from tasks.engines import Request, Sample, Sampling, seeds
from tasks.engines.openai import OpenAIConfig
from tasks.engines.openai_engine import OpenAIEngine, ServerUnreachableError
from tasks.errors import CancelledError, EngineFailedError, InputError
from tasks.progress import listener
from tests.engines.misbehaving_server import Asked, MisbehavingServer, Said, play_well, reply

KEY = "sk-very-secret-0123456789"


def _sampling(**changes) -> Sampling:
    usual = {"temperature": 0.6, "top_p": 0.9, "max_tokens": 50, "stop": ("\n", "END"), "seed": 11}
    return Sampling(**usual | changes)


def _engine(*servers: MisbehavingServer, **settings) -> OpenAIEngine:
    usual = {"model": "m", "n_per_request": 8, "concurrency": 4, "backoff_s": 0.01, "timeout_s": 20.0}
    return OpenAIEngine(**usual | {"base_urls": [each.url for each in servers]} | settings)


REQUESTS = [Request("p/0", "What is 1 + 1?", 0, 30), Request("p/1", "Wie heißt der Affe? 🐒", 5, 18)]


def _draw(engine: OpenAIEngine, requests: Sequence[Request] = REQUESTS, **changes) -> dict[tuple[str, int], Sample]:
    drawn: dict[tuple[str, int], Sample] = {}
    for batch in engine.sample(requests, _sampling(**changes)):
        for sample in batch:
            assert (sample.problem_id, sample.index) not in drawn, "came twice"
            drawn[sample.problem_id, sample.index] = sample
    return drawn


def _keys(requests: Sequence[Request] = REQUESTS) -> set[tuple[str, int]]:
    return {(request.problem_id, i) for request in requests for i in range(request.start, request.stop)}


def _all_right(drawn: dict[tuple[str, int], Sample], requests: Sequence[Request] = REQUESTS) -> None:
    """Every sample is there, and each is the one of its own seed."""
    assert drawn.keys() == _keys(requests)
    for (problem_id, index), sample in drawn.items():
        assert sample.text == f"sample {seeds.base(11, problem_id) + index}"


@pytest.fixture
def server() -> Iterator[MisbehavingServer]:
    with MisbehavingServer() as running:
        yield running


# A server that plays well.


@pytest.mark.parametrize("api", ["completions", "chat"])
@pytest.mark.parametrize("n", [1, 3, 100])
def test_any_cut_draws_the_same_samples(server, api, n):
    with _engine(server, api=api, n_per_request=n) as engine:
        drawn = _draw(engine)
    _all_right(drawn)
    assert set(drawn.values()) == {
        Sample(p, i, f"sample {seeds.base(11, p) + i}", 7, 2, -0.75, "stop") for p, i in _keys()
    }
    assert max(asked.body["n"] for asked in server.asked) == min(n, 30)


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_what_is_asked(server, api):
    with _engine(server, api=api, extra={"top_k": 20}, n_per_request=100) as engine:
        _draw(engine, [Request("p/1", "Wie heißt der Affe? 🐒", 5, 18)])
    (asked,) = server.asked
    assert asked.path == ("/v1/completions" if api == "completions" else "/v1/chat/completions")
    prompt = asked.body.pop("messages" if api == "chat" else "prompt")
    assert prompt == ([{"role": "user", "content": REQUESTS[1].prompt}] if api == "chat" else REQUESTS[1].prompt)
    assert asked.body == {
        "model": "m",
        "n": 13,
        "seed": seeds.base(11, "p/1") + 5,
        "temperature": 0.6,
        "top_p": 0.9,
        "max_tokens": 50,
        "stop": ["\n", "END"],
        "logprobs": True if api == "chat" else 1,
        "top_k": 20,
    }
    assert "authorization" not in asked.headers


def test_no_seeds_no_logprobs(server):
    with _engine(server, seeds_sent=False, logprobs=False, n_per_request=13) as engine:
        drawn = _draw(engine, [REQUESTS[1]])
    assert not {"seed", "logprobs", "return_token_ids"} & server.asked[0].body.keys()
    # The total of 13 choices says nothing of one.
    assert {(each.tokens, each.logprob) for each in drawn.values()} == {(None, None)}
    with _engine(server, logprobs=False, n_per_request=1) as engine:
        assert {each.tokens for each in _draw(engine).values()} == {2}


def test_vllm_counts_tokens_by_choice(server):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        assert asked.body["return_token_ids"]
        for choice in said["choices"]:
            choice["token_ids"] = [1] * (choice["index"] + 1)
        return Said(body=said)

    server.behave = behave
    with _engine(server, logprobs=False, n_per_request=13, vllm=True) as engine:
        drawn = _draw(engine, [REQUESTS[1]])
    assert [drawn["p/1", i].tokens for i in range(5, 18)] == list(range(1, 14))


def test_greedy_asks_once_and_answers_for_all(server):
    with _engine(server) as engine:
        drawn = _draw(engine, temperature=0.0)
    assert drawn.keys() == _keys()
    assert [asked.body["n"] for asked in server.asked] == [1, 1]
    assert len({sample.text for sample in drawn.values()}) == 2


def test_nothing_asked_nothing_done(server):
    with _engine(server) as engine:
        assert list(engine.sample([], _sampling())) == []
        assert list(engine.sample([Request("p", "x", 4, 4)], _sampling())) == []
    assert server.asked == []


TEXTS = ["", "🐒 Äffchen", "half \ud83d", "\ud83d\udc12 whole", "a\x00b"]


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_empty_and_odd_texts(server, api):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body, TEXTS)
        said["choices"][1]["finish_reason"] = "length"
        said["choices"][2]["finish_reason"] = "content_filter"
        if api == "chat":
            said["choices"][0]["message"]["content"] = None
        return Said(body=said)

    server.behave = behave
    with _engine(server, api=api) as engine:
        drawn = _draw(engine, [Request("p", "x", 0, 5)])
    assert [drawn["p", i].text for i in range(5)] == ["", "🐒 Äffchen", "half \ufffd", "🐒 whole", "a\x00b"]
    assert [drawn["p", i].finish_reason for i in range(3)] == ["stop", "length", "content_filter"]


def test_choices_in_another_order(server):
    server.behave = lambda asked: Said(body={"choices": reply(asked.body)["choices"][::-1]})
    with _engine(server) as engine:
        _all_right(_draw(engine))


# Faults that pass.


def _in_a_second(seconds: int = 1) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


def _broken(change: Callable[[dict[str, Any]], Any]) -> Callable[[Asked], Said]:
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        changed = change(said)
        return Said(body=said if changed is None else changed)

    return behave


FAULTS: dict[str, Callable[[Asked], Said]] = {
    "429": lambda asked: Said(429, {"error": {"message": "slow down"}}),
    "429 with seconds": lambda asked: Said(429, headers={"Retry-After": "1"}),
    "429 with a date": lambda asked: Said(429, headers={"Retry-After": _in_a_second()}),
    "429 with nonsense": lambda asked: Said(429, headers={"Retry-After": "soon"}),
    "503": lambda asked: Said(503, b"<html>busy</html>"),
    "500": lambda asked: Said(500, {"error": "internal"}),
    "502": lambda asked: Said(502, b""),
    "reset at once": lambda asked: Said(cut=0),
    "reset in the body": lambda asked: Said(body=reply(asked.body), cut=40),
    "silent": lambda asked: Said(hang=True),
    "malformed": lambda asked: Said(body=b"{'choices': oops"),
    "truncated": lambda asked: Said(body=json.dumps(reply(asked.body)).encode()[:-20]),
    "not UTF-8": lambda asked: Said(body=b'{"choices": [{"text": "\xff\xfe"}]}'),
    "a list": lambda asked: Said(body=b"[]"),
    "no choices": lambda asked: Said(body={"choices": []}),
    "choices are none": lambda asked: Said(body={"choices": None}),
    "no text": _broken(lambda said: said["choices"][-1].pop("text") and None),
    "text is a number": _broken(lambda said: said["choices"][0].update(text=5)),
    "NaN": _broken(lambda said: said["choices"][0]["logprobs"]["token_logprobs"].append(float("nan"))),
    "null": _broken(lambda said: said["choices"][0]["logprobs"]["token_logprobs"].append(None)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_pass_and_nothing_is_lost(server, fault):
    server.behave = lambda asked: FAULTS[fault](asked) if asked.number in {0, 1, 4} else play_well(asked)
    with _engine(server, timeout_s=0.5 if fault == "silent" else 20.0) as engine:
        _all_right(_draw(engine))
    assert len(server.asked) == 4 + 2 + 3, "only what failed was asked for again"


def test_a_chat_reply_without_content(server):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        if asked.number == 0:
            del said["choices"][0]["message"]["content"]
        if asked.number == 1:
            del said["choices"][0]["message"]
        return Said(body=said)

    server.behave = behave
    with _engine(server, api="chat") as engine:
        _all_right(_draw(engine))
    assert len(server.asked) == 8


@pytest.mark.parametrize("header", ["1", "date"])
def test_a_server_is_left_alone_as_long_as_it_asks(server, header):
    until: list[float] = []

    def behave(asked: Asked) -> Said:
        if asked.number == 0:
            value = header if header == "1" else _in_a_second(2)
            until.append(asked.at + 0.9)
            return Said(429, headers={"Retry-After": value})
        return play_well(asked)

    server.behave = behave
    with _engine(server, concurrency=1) as engine:
        _all_right(_draw(engine))
    assert all(asked.at >= until[0] for asked in server.asked[1:])


def test_a_wait_beyond_patience_ends_it(server):
    server.behave = lambda asked: Said(429, {"error": {"message": "daily limit"}}, {"Retry-After": "86400"})
    with _engine(server) as engine, pytest.raises(EngineFailedError, match=r"429 \(daily limit\), .* for 86,400 s$"):
        _draw(engine)


def test_a_spent_quota_ends_it(server):
    error = {"message": "You exceeded your current quota", "code": "insufficient_quota"}
    server.behave = lambda asked: Said(429, {"error": error})
    with _engine(server) as engine, pytest.raises(EngineFailedError, match="exceeded your current quota"):
        _draw(engine)
    assert len(server.asked) <= 4


# Servers that know no n.


def test_fewer_choices_than_asked(server):
    server.behave = lambda asked: Said(body=reply({**asked.body, "n": 1}))
    with _engine(server) as engine:
        _all_right(_draw(engine))
    # Those in flight at first, and each sample alone after.
    assert [asked.body["n"] for asked in server.asked].count(1) >= len(server.asked) - 4
    assert len(server.asked) <= len(_keys()) + 4


def test_some_choices_are_missing(server):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        if asked.body["n"] > 1:
            said["choices"] = [choice for choice in said["choices"] if choice["index"] % 3 == 1]
        return Said(body=said)

    server.behave = behave
    with _engine(server) as engine:
        _all_right(_draw(engine))


def test_more_choices_than_asked(server):
    server.behave = lambda asked: Said(body=reply({**asked.body, "n": asked.body["n"] + 2}))
    with _engine(server) as engine:
        _all_right(_draw(engine))


@pytest.mark.parametrize("status", [400, 422])
def test_n_is_refused(server, status):
    refusal = Said(status, {"error": {"message": "Only one completion choice is allowed"}})
    server.behave = lambda asked: refusal if asked.body["n"] > 1 else play_well(asked)
    with _engine(server) as engine:
        _all_right(_draw(engine))
        before = len(server.asked)
        _all_right(_draw(engine))
    assert {asked.body["n"] for asked in server.asked[before:]} == {1}, "it was learnt"


def test_a_seed_that_counts_for_all_choices_alike(server):
    """Such a server would give one sample n times; they are drawn by themselves."""
    server.behave = lambda asked: Said(body=reply(asked.body, [f"sample {asked.body['seed']}"] * asked.body["n"]))
    with _engine(server) as engine:
        _all_right(_draw(engine))
        assert engine.n_per_request == 1


def test_samples_may_be_alike(server):
    server.behave = lambda asked: Said(body=reply(asked.body, ["42"] * asked.body["n"]))
    with _engine(server) as engine:
        drawn = _draw(engine)
        assert engine.n_per_request == 8, "singles came out the same: n is honoured"
    assert drawn.keys() == _keys()
    assert {sample.text for sample in drawn.values()} == {"42"}


def test_only_max_completion_tokens(server):
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    server.behave = lambda asked: (
        Said(400, {"error": {"message": message}}) if "max_tokens" in asked.body else play_well(asked)
    )
    with _engine(server, api="chat") as engine:
        _all_right(_draw(engine))
    assert server.asked[-1].body["max_completion_tokens"] == 50


def test_vllm_is_asked_for_the_rest_of_its_context(server):
    server.behave = lambda asked: (
        Said(400, {"error": {"message": "maximum context length"}}) if asked.body["max_tokens"] else play_well(asked)
    )
    with _engine(server, vllm=True) as engine:
        _all_right(_draw(engine))


# Replicas, and servers that do not come back.


def test_a_replica_that_dies(server):
    with MisbehavingServer() as dying:

        def behave(asked: Asked) -> Said:
            if asked.number == 5:
                dying.stop()
            return play_well(asked)

        dying.behave = behave
        requests = [Request("p", "x", 0, 200)]
        with _engine(server, dying, n_per_request=2, retries=0) as engine:
            _all_right(_draw(engine, requests), requests)
    assert len(dying.asked) >= 6
    assert len(server.asked) >= 90


def test_replicas_share_the_work(server):
    with MisbehavingServer() as other:
        server.behave = other.behave = lambda asked: Said(body=reply(asked.body), delay_s=0.02)
        with _engine(server, other, n_per_request=1) as engine:
            _all_right(_draw(engine))
        assert min(len(server.asked), len(other.asked)) > 10


def test_all_replicas_are_back_before_patience_ends(server):
    """Eight dead replicas are one failure, not eight."""
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(MisbehavingServer()) for _ in range(7)]
        replicas = [server, *others]
        for each in replicas:
            each.behave = lambda asked: Said(500) if asked.number < 3 else play_well(asked)
        with _engine(*replicas, retries=3, concurrency=1) as engine:
            _all_right(_draw(engine))


def test_a_server_that_never_comes_back(server):
    def behave(asked: Asked) -> Said:
        if asked.number == 3:
            server.stop()
            return Said(cut=0)
        return play_well(asked)

    server.behave = behave
    drawn = []
    with _engine(server, concurrency=1, retries=2) as engine, pytest.raises(ServerUnreachableError) as caught:
        for batch in engine.sample(REQUESTS, _sampling()):
            drawn += batch
    assert len(drawn) == 24, "what had come is handed over first"
    message = str(caught.value)
    assert server.url in message
    assert "3 failures in a row" in message
    assert "\n" not in message


@pytest.mark.parametrize("fault", ["500", "malformed", "NaN", "no choices"])
def test_a_server_that_only_talks_nonsense(server, fault):
    server.behave = lambda asked: FAULTS[fault](asked) if asked.number >= 2 else play_well(asked)
    drawn = []
    with _engine(server, concurrency=1, retries=2) as engine, pytest.raises(EngineFailedError) as caught:
        for batch in engine.sample(REQUESTS, _sampling()):
            drawn += batch
    assert not isinstance(caught.value, ServerUnreachableError)
    assert len(drawn) == 16
    assert "\n" not in str(caught.value)


def test_one_bad_request_waits_for_the_others(server):
    """While others succeed, a failing request is no failing engine; everything else is drawn first."""
    bad = seeds.base(11, "p/0")
    server.behave = lambda asked: Said(500) if asked.body["seed"] == bad else play_well(asked)
    drawn = []
    with _engine(server, concurrency=2, n_per_request=1, retries=1) as engine, pytest.raises(EngineFailedError):
        for batch in engine.sample(REQUESTS, _sampling()):
            drawn += batch
    assert {(each.problem_id, each.index) for each in drawn} == _keys() - {("p/0", 0)}


# How many at once.


def test_concurrency_falls_and_rises_again(server):
    crowded = 16

    def behave(asked: Asked) -> Said:
        return Said(429) if asked.in_flight > crowded else Said(body=reply(asked.body), delay_s=0.04)

    server.behave = behave
    requests = [Request("p", "x", 0, 200)]
    with _engine(server, n_per_request=1, concurrency=16) as engine:
        _all_right(_draw(engine, requests), requests)
        assert (server.most_in_flight, engine.limit.limit) == (16, 16)
        crowded = 3
        _all_right(_draw(engine, requests), requests)
        low = engine.limit.limit
        assert low < 8
        crowded, server.most_in_flight = 16, 0
        _all_right(_draw(engine, requests), requests)
        assert engine.limit.limit > 2 * low
        assert 8 < server.most_in_flight <= 16


def test_calls_side_by_side_share_the_limit_and_the_first_goes_first(server):
    server.behave = lambda asked: Said(body=reply(asked.body), delay_s=0.02)
    first, second = [Request("first", "1", 0, 60)], [Request("second", "2", 0, 60)]
    drawn: dict[str, Any] = {}
    with _engine(server, n_per_request=1, concurrency=4) as engine:
        assert engine.side_by_side >= 2
        one = threading.Thread(target=lambda: drawn.update(first=_draw(engine, first)))
        two = threading.Thread(target=lambda: drawn.update(second=_draw(engine, second)))
        one.start()
        server.wait_until(lambda: len(server.asked) >= 8)
        two.start()
        one.join()
        two.join()
    _all_right(drawn["first"], first)
    _all_right(drawn["second"], second)
    assert server.most_in_flight == 4
    order = [asked.body["prompt"] for asked in server.asked]
    assert "2" not in order[:56], "the older call's requests go first"
    assert order[56:64].count("2") >= 4, "and its last replies come in while the next one's requests fill in"


def test_no_more_is_asked_for_than_is_taken(server):
    """Memory does not depend on k: a million samples are not a million tasks, nor replies nobody takes."""
    with _engine(server, n_per_request=1, concurrency=4) as engine:
        drawing = engine.sample([Request("p", "x", 0, 1_000_000)], _sampling())
        next(drawing)
        server.wait_until(lambda: len(server.asked) >= 8)
        time.sleep(0.5)
        assert len(server.asked) <= 40
        drawing.close()


# Giving up.


def test_closing_drops_the_requests(server):
    server.behave = lambda asked: play_well(asked) if asked.number < 4 else Said(hang=True)
    with _engine(server, n_per_request=1) as engine:
        drawing = engine.sample(REQUESTS, _sampling())
        next(drawing)
        server.wait_until(lambda: server.in_flight == 4)
        drawing.close()
        server.wait_until(lambda: server.dropped == 4)
        assert server.in_flight == 0
        server.behave = play_well
        _all_right(_draw(engine))


def test_cancel_ends_every_call(server):
    server.behave = lambda asked: Said(hang=True)
    ended = []

    def draw() -> None:
        with pytest.raises(CancelledError):
            _draw(engine)
        ended.append(1)

    with _engine(server) as engine:
        threads = [threading.Thread(target=draw, daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
        server.wait_until(lambda: server.in_flight == 4)
        engine.cancel()
        for thread in threads:
            thread.join(10)
        assert len(ended) == 2
        server.wait_until(lambda: server.dropped == 4)
        with pytest.raises(CancelledError):
            _draw(engine)


def test_cancel_ends_a_call_that_has_just_begun(server):
    server.behave = lambda asked: Said(hang=True)
    for wait_s in [0.0, 0.0, 0.0, 0.001, 0.002, 0.005]:
        with _engine(server) as engine:
            canceller = threading.Timer(wait_s, engine.cancel)
            canceller.start()
            with pytest.raises(CancelledError):
                _draw(engine)
            canceller.join()


def test_leaving_the_engine_ends_its_calls(server):
    server.behave = lambda asked: Said(hang=True)
    with _engine(server) as engine:
        ended = []

        def draw() -> None:
            with pytest.raises(CancelledError):
                _draw(engine)
            ended.append(1)

        thread = threading.Thread(target=draw, daemon=True)
        thread.start()
        server.wait_until(lambda: server.in_flight == 4)
    thread.join(10)
    assert ended


# What only the user can mend.


def _opens(server: MisbehavingServer, **settings) -> OpenAIEngine:
    return OpenAIConfig(**{"model": "m", "base_urls": server.url} | settings).open()


def test_the_key_is_sent_and_never_told(server, monkeypatch):
    monkeypatch.setenv("TEST_KEY", KEY)

    def behave(asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Bearer {KEY}":
            return Said(401, {"error": {"message": "no key"}})
        if "bad" in asked.body.get("prompt", ""):
            return Said(400, {"error": {"message": f"you, {KEY}, sent nonsense"}})
        if "odd" in asked.body.get("prompt", ""):
            return Said(500, {"error": {"message": f"you, {KEY}, broke me"}})
        return play_well(asked)

    server.behave = behave
    config = OpenAIConfig(model="m", base_urls=server.url, api_key_env="TEST_KEY", retries=0)
    config.check(["p"], 1)
    with config.open() as engine:
        _all_right(_draw(engine))
        said = [repr(config), repr(engine), config.model_dump_json(), str(config.ingredients(_sampling(), "t"))]
        for prompt, kind in [("bad", InputError), ("odd", EngineFailedError)]:
            with pytest.raises(kind) as caught:
                _draw(engine, [Request("p", prompt, 0, 1)])
            said.append(str(caught.value))
            assert "you, …," in said[-1]
    sweep = SweepConfig(task="arithmetic", engine=config.model_dump())
    said.append(sweep.to_yaml())
    assert not any(KEY in text for text in said)


def test_a_missing_or_odd_key(monkeypatch):
    monkeypatch.delenv("TEST_KEY", raising=False)
    config = OpenAIConfig(model="m", base_urls="http://localhost:1/v1", api_key_env="TEST_KEY")
    with pytest.raises(InputError, match="the environment has no TEST_KEY"):
        config.check([], 1)
    monkeypatch.setenv("TEST_KEY", "schlüssel")
    with pytest.raises(InputError, match="characters that no key can have") as caught:
        config.check([], 1)
    assert "schlüssel" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key(server, monkeypatch, status):
    server.behave = lambda asked: Said(status, {"error": {"message": f"bad key {KEY}"}})
    with pytest.raises(InputError, match=r"engine.api_key_env: http.*refuses requests without a key") as caught:
        _opens(server)
    monkeypatch.setenv("TEST_KEY", KEY)
    with pytest.raises(InputError, match=r"engine.api_key_env: http.* refuses the key in TEST_KEY") as caught:
        _opens(server, api_key_env="TEST_KEY")
    engine = _engine(server, api_key=KEY, api_key_env="TEST_KEY")
    with engine, pytest.raises(InputError, match="refuses the key in TEST_KEY") as caught:
        _draw(engine)
    assert KEY not in str(caught.value)
    assert len(server.asked) <= 4, "no use in asking again"


def test_an_unknown_model(server):
    server.models = ("mistral", "llama")
    server.behave = lambda asked: Said(404, {"error": {"message": "The model `m` does not exist."}})
    with _engine(server) as engine, pytest.raises(InputError, match=r"has no 'm'; it offers mistral, llama$"):
        _draw(engine)


def test_a_wrong_path(server):
    server.behave = lambda asked: Said(404, {"detail": "Not Found"})
    with _engine(server) as engine, pytest.raises(InputError, match=r"engine.base_urls: .* usually ends in /v1"):
        _draw(engine)


@pytest.mark.parametrize("n", [1, 8])
def test_a_prompt_that_is_too_long(server, n):
    message = "This model's maximum context length is 10 tokens.\nHowever, you requested 12."
    server.behave = lambda asked: (
        Said(400, {"error": {"message": message}}) if "Affe" in asked.body["prompt"] else play_well(asked)
    )
    with _engine(server, n_per_request=n) as engine, pytest.raises(InputError) as caught:
        _draw(engine)
    said = str(caught.value)
    assert said.startswith("problem 'p/1': ")
    assert "maximum context length is 10 tokens. However" in said
    assert said.endswith("lower sampling.max_tokens")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("You are not allowed to request logprobs from this model", "set engine.logprobs: false"),
        ("Unknown parameter: seed", "set engine.seeds: false"),
        ("max_tokens=600 cannot be greater than 512", "lower sampling.max_tokens"),
    ],
)
def test_a_refused_setting(server, message, advice):
    server.behave = lambda asked: Said(400, {"error": {"message": message}})
    with _engine(server) as engine, pytest.raises(InputError) as caught:
        _draw(engine)
    assert str(caught.value).endswith(f"refuses its request (400: {message}); {advice}")


def test_no_server_answers(server):
    server.stop()
    with pytest.raises(InputError, match=r"engine.base_urls: no server answers at http.*; start it") as caught:
        _opens(server)
    assert "\n" not in str(caught.value)


def test_one_replica_is_enough_to_begin(server):
    with MisbehavingServer() as gone:
        gone_url = gone.url
    config = OpenAIConfig(model="m", base_urls=(gone_url, server.url), n_per_request=8)
    with config.open() as engine:
        assert not engine.deterministic
        assert engine.version == "OpenAI API of test, m"
        _all_right(_draw(engine))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base_urls": ()}, "at least 1 item"),
        ({"base_urls": "localhost:8000"}, "no URL of a server"),
        ({"base_urls": "http://me:secret@host/v1"}, "must hold no credentials"),
        ({"base_urls": "http://host/v1?key=secret"}, "no URL of a server"),
        ({"extra": {"n": 3, "stop": "x"}}, "n, stop: set by the sweep's own fields"),
        ({"api": "responses"}, "'completions' or 'chat'"),
    ],
)
def test_settings_that_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message) as caught:
        OpenAIConfig(**{"model": "m", "base_urls": "http://localhost/v1"} | fields)
    assert "secret" not in str(caught.value).replace("me:secret", "") or "credentials" not in message


def test_what_a_set_depends_on():
    config = OpenAIConfig(model="meta-llama/Llama-3.1-8B-Instruct", base_urls="http://host:1/v1", extra={"top_k": 5})
    assert config.base_urls == ("http://host:1/v1",)
    assert config.label == "Llama-3.1-8B-Instruct"
    ingredients = config.ingredients(_sampling(), "template")
    other = config.model_copy(
        update={"base_urls": ("http://b/v1",), "api_key_env": "K", "n_per_request": 1, "logprobs": False, "retries": 1}
    )
    assert ingredients == other.ingredients(_sampling(), "template")
    assert "host" not in str(ingredients)
    for change in [{"model": "x"}, {"api": "chat"}, {"seeds": False}, {"extra": {}}]:
        assert config.model_copy(update=change).ingredients(_sampling(), "template") != ingredients
    assert yaml.safe_load(yaml.safe_dump(json.loads(json.dumps(ingredients)))) == json.loads(json.dumps(ingredients))


def test_trouble_is_told_in_one_line(server):
    told: list[str] = []

    class Listener:
        def plan(self, stage: str, total: int) -> None: ...

        def advance(self, stage: str, done: int) -> None: ...

        def say(self, line: str) -> None:
            told.append(line)

    server.behave = lambda asked: Said(429, b"x\ny") if asked.number < 12 else Said(body=reply({**asked.body, "n": 1}))
    token = listener.set(Listener())
    try:
        with _engine(server) as engine:
            _all_right(_draw(engine))
    finally:
        listener.reset(token)
    assert len(told) == 3, told
    assert "going on with fewer requests at once" in told[0]
    assert any("trying again" in line for line in told)
    assert told[-1] == "the server gives fewer samples than a request asks for: going on with one sample a request"
    assert not any("\n" in line for line in told)
