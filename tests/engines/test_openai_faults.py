"""The client of OpenAI-compatible servers, against a real server that misbehaves: every sample arrives exactly once."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tasks.engines import seeds
from tasks.engines.http.requester import ServerUnreachableError
from tasks.errors import EngineFailedError
from tasks.records import Request
from tests.engines.misbehaving_server import Asked, MisbehavingServer, Said, play_well, reply
from tests.engines.openai_client import REQUESTS, assert_complete, draw, engine_on, keys, sampling

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
    "choices are null": lambda asked: Said(body={"choices": None}),
    "no text": _broken(lambda said: said["choices"][-1].pop("text") and None),
    "text is a number": _broken(lambda said: said["choices"][0].update(text=5)),
    "NaN": _broken(lambda said: said["choices"][0]["logprobs"]["token_logprobs"].append(float("nan"))),
    "no number": _broken(lambda said: said["choices"][0]["logprobs"]["token_logprobs"].append(10**400)),
    "endless depth": lambda asked: Said(body=b"[" * 100_000),
    "deep trouble": lambda asked: Said(500, b"[" * 100_000),
    "null": _broken(lambda said: said["choices"][0]["logprobs"]["token_logprobs"].append(None)),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_passing_fault_loses_no_sample(server, fault):
    server.behave = lambda asked: FAULTS[fault](asked) if asked.number in {0, 1, 4} else play_well(asked)
    with engine_on(server, timeout_s=0.5 if fault == "silent" else 20.0) as engine:
        assert_complete(draw(engine))
    assert len(server.asked) == 4 + 2 + 3, "only what failed was requested again"


def test_a_chat_reply_without_content_is_requested_again(server):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        if asked.number == 0:
            del said["choices"][0]["message"]["content"]
        if asked.number == 1:
            del said["choices"][0]["message"]
        return Said(body=said)

    server.behave = behave
    with engine_on(server, api="chat") as engine:
        assert_complete(draw(engine))
    assert len(server.asked) == 8


@pytest.mark.parametrize("header", ["1", "date"])
def test_a_server_gets_no_requests_for_as_long_as_retry_after_says(server, header):
    until: list[float] = []

    def behave(asked: Asked) -> Said:
        if asked.number == 0:
            value = header if header == "1" else _in_a_second(2)
            until.append(asked.at + 0.9)
            return Said(429, headers={"Retry-After": value})
        return play_well(asked)

    server.behave = behave
    with engine_on(server, concurrency=1) as engine:
        assert_complete(draw(engine))
    assert all(asked.at >= until[0] for asked in server.asked[1:])


def test_a_retry_after_beyond_the_longest_wait_ends_sampling(server):
    server.behave = lambda asked: Said(429, {"error": {"message": "daily limit"}}, {"Retry-After": "86400"})
    with (
        engine_on(server) as engine,
        pytest.raises(EngineFailedError, match=r"429 \(daily limit\), and asks for no requests for 86,400 s$"),
    ):
        draw(engine)


def test_a_used_up_quota_ends_sampling(server):
    error = {"message": "You exceeded your current quota", "code": "insufficient_quota"}
    server.behave = lambda asked: Said(429, {"error": error})
    with engine_on(server) as engine, pytest.raises(EngineFailedError, match="exceeded your current quota"):
        draw(engine)
    assert len(server.asked) <= 4


# Servers that do not support n.


def test_a_server_that_ignores_n_is_asked_for_one_sample_per_request(server):
    server.behave = lambda asked: Said(body=reply({**asked.body, "n": 1}))
    with engine_on(server) as engine:
        assert_complete(draw(engine))
    # The requests in flight at first, and then one for each sample.
    assert [asked.body["n"] for asked in server.asked].count(1) >= len(server.asked) - 4
    assert len(server.asked) <= len(keys()) + 4


def test_missing_choices_are_requested_again(server):
    def behave(asked: Asked) -> Said:
        said = reply(asked.body)
        if asked.body["n"] > 1:
            said["choices"] = [choice for choice in said["choices"] if choice["index"] % 3 == 1]
        return Said(body=said)

    server.behave = behave
    with engine_on(server) as engine:
        assert_complete(draw(engine))


def test_choices_beyond_those_requested_are_ignored(server):
    server.behave = lambda asked: Said(body=reply({**asked.body, "n": asked.body["n"] + 2}))
    with engine_on(server) as engine:
        assert_complete(draw(engine))


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_that_refuses_n_is_asked_for_one_sample_per_request(server, status):
    refusal = Said(status, {"error": {"message": "Only one completion choice is allowed"}})
    server.behave = lambda asked: refusal if asked.body["n"] > 1 else play_well(asked)
    with engine_on(server) as engine:
        assert_complete(draw(engine))
        before = len(server.asked)
        assert_complete(draw(engine))
    assert {asked.body["n"] for asked in server.asked[before:]} == {1}, "the engine remembers it"


def test_a_server_that_uses_one_seed_for_all_choices_is_asked_for_one_sample_per_request(server):
    """Such a server would return one sample n times, so samples are drawn one by one."""
    server.behave = lambda asked: Said(body=reply(asked.body, [f"sample {asked.body['seed']}"] * asked.body["n"]))
    with engine_on(server) as engine:
        assert_complete(draw(engine))
        assert engine.choices.n_per_request == 1


def test_equal_samples_do_not_make_the_engine_fall_back_to_n_1(server):
    server.behave = lambda asked: Said(body=reply(asked.body, ["42"] * asked.body["n"]))
    with engine_on(server) as engine:
        drawn = draw(engine)
        assert engine.choices.n_per_request == 8, "drawn singly they are equal too: n is honoured"
    assert drawn.keys() == keys()
    assert {sample.text for sample in drawn.values()} == {"42"}


def test_a_server_that_requires_max_completion_tokens_gets_it(server):
    message = (
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    )
    server.behave = lambda asked: (
        Said(400, {"error": {"message": message}}) if "max_tokens" in asked.body else play_well(asked)
    )
    with engine_on(server, api="chat") as engine:
        assert_complete(draw(engine))
    assert server.asked[-1].body["max_completion_tokens"] == 50


def test_vllm_is_asked_for_the_rest_of_its_context_if_it_refuses_max_tokens(server):
    server.behave = lambda asked: (
        Said(400, {"error": {"message": "maximum context length"}}) if asked.body["max_tokens"] else play_well(asked)
    )
    with engine_on(server, vllm=True) as engine:
        assert_complete(draw(engine))


# Replicas, and servers that do not come back.


def test_no_sample_is_lost_if_a_replica_dies(server):
    with MisbehavingServer() as dying:

        def behave(asked: Asked) -> Said:
            if asked.number == 5:
                dying.stop()
            return play_well(asked)

        dying.behave = behave
        requests = [Request("p", "x", 0, 200)]
        with engine_on(server, dying, n_per_request=2, retries=0) as engine:
            assert_complete(draw(engine, requests), requests)
    assert len(dying.asked) >= 6
    assert len(server.asked) >= 90


def test_replicas_share_the_work(server):
    with MisbehavingServer() as other:
        server.behave = other.behave = lambda asked: Said(body=reply(asked.body), delay_s=0.02)
        with engine_on(server, other, n_per_request=1) as engine:
            assert_complete(draw(engine))
        assert min(len(server.asked), len(other.asked)) > 10


def test_failures_of_several_replicas_count_as_one_retry(server):
    """Failures of eight replicas count as one."""
    with contextlib.ExitStack() as stack:
        others = [stack.enter_context(MisbehavingServer()) for _ in range(7)]
        replicas = [server, *others]
        for each in replicas:
            each.behave = lambda asked: Said(500) if asked.number < 3 else play_well(asked)
        with engine_on(*replicas, retries=3, concurrency=1) as engine:
            assert_complete(draw(engine))


def test_a_server_that_never_comes_back_ends_sampling_after_what_was_drawn(server):
    def behave(asked: Asked) -> Said:
        if asked.number == 3:
            server.stop()
            return Said(cut=0)
        return play_well(asked)

    server.behave = behave
    drawn = []
    with engine_on(server, concurrency=1, retries=2) as engine, pytest.raises(ServerUnreachableError) as caught:
        for batch in engine.sample(REQUESTS, sampling()):
            drawn += batch
    assert len(drawn) == 24, "what arrived before is yielded first"
    message = str(caught.value)
    assert server.url in message
    assert "3 failures in a row" in message
    assert "\n" not in message


@pytest.mark.parametrize("fault", ["500", "malformed", "NaN", "no choices"])
def test_a_server_that_only_returns_faults_ends_sampling_after_what_was_drawn(server, fault):
    server.behave = lambda asked: FAULTS[fault](asked) if asked.number >= 2 else play_well(asked)
    drawn = []
    with engine_on(server, concurrency=1, retries=2) as engine, pytest.raises(EngineFailedError) as caught:
        for batch in engine.sample(REQUESTS, sampling()):
            drawn += batch
    assert not isinstance(caught.value, ServerUnreachableError)
    assert len(drawn) == 16
    assert "\n" not in str(caught.value)


def test_a_request_that_keeps_failing_ends_sampling_after_all_others(server):
    """While other requests succeed, a failing one does not end sampling; everything else is drawn first."""
    bad = seeds.base_seed(11, "p/0")
    server.behave = lambda asked: Said(500) if asked.body["seed"] == bad else play_well(asked)
    drawn = []
    with engine_on(server, concurrency=2, n_per_request=1, retries=1) as engine, pytest.raises(EngineFailedError):
        for batch in engine.sample(REQUESTS, sampling()):
            drawn += batch
    assert {(each.problem_id, each.index) for each in drawn} == keys() - {("p/0", 0)}
