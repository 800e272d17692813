"""The client of OpenAI-compatible servers: what only the user can fix is one line each."""

import json
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from flows.config.sweep import SweepConfig
from tasks.engines.http.engine import OpenAIEngine
from tasks.engines.openai import OpenAIConfig
from tasks.errors import EngineFailedError, UserError
from tasks.progress import progress
from tasks.records import Problem, Request
from tasks.store.identity import canonical
from tests.engines.misbehaving_server import Asked, MisbehavingServer, Said, play_well, reply
from tests.engines.openai_client import KEY, assert_complete, draw, engine_on, sampling

# What only the user can fix.


def _opens(server: MisbehavingServer, **settings: Any) -> OpenAIEngine:
    return OpenAIConfig(**{"model": "m", "base_urls": server.url} | settings).open()


def test_the_api_key_is_sent_and_never_shown(server, monkeypatch):
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
    config.check([Problem("p", "?")], 1)
    with config.open() as engine:
        assert_complete(draw(engine))
        said = [repr(config), repr(engine), config.model_dump_json(), str(config.ingredients(sampling(), "t"))]
        for prompt, kind in [("bad", UserError), ("odd", EngineFailedError)]:
            with pytest.raises(kind) as caught:
                draw(engine, [Request("p", prompt, 0, 1)])
            said.append(str(caught.value))
            assert "you, …," in said[-1]
    sweep = SweepConfig(dataset="arithmetic", engine=config.model_dump())
    said.append(sweep.to_yaml())
    assert not any(KEY in text for text in said)


def test_a_missing_or_invalid_api_key_is_a_user_error(monkeypatch):
    monkeypatch.delenv("TEST_KEY", raising=False)
    config = OpenAIConfig(model="m", base_urls="http://localhost:1/v1", api_key_env="TEST_KEY")
    with pytest.raises(UserError, match="TEST_KEY is not set"):
        config.check([], 1)
    monkeypatch.setenv("TEST_KEY", "schlüssel")
    with pytest.raises(UserError, match="characters that no API key can have") as caught:
        config.check([], 1)
    assert "schlüssel" not in str(caught.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_api_key_is_a_user_error_that_names_its_variable(server, monkeypatch, status):
    server.behave = lambda asked: Said(status, {"error": {"message": f"bad key {KEY}"}})
    with pytest.raises(UserError, match=r"engine.api_key_env: http.*refuses requests without a key") as caught:
        _opens(server)
    monkeypatch.setenv("TEST_KEY", KEY)
    with pytest.raises(UserError, match=r"engine.api_key_env: http.* refuses the key in TEST_KEY") as caught:
        _opens(server, api_key_env="TEST_KEY")
    engine = engine_on(server, api_key=KEY, api_key_env="TEST_KEY")
    with engine, pytest.raises(UserError, match="refuses the key in TEST_KEY") as caught:
        draw(engine)
    assert KEY not in str(caught.value)
    assert len(server.asked) <= 4, "retries would be useless"


def test_the_error_about_an_unknown_model_lists_those_the_server_offers(server):
    server.models = ("mistral", "llama")
    server.behave = lambda asked: Said(404, {"error": {"message": "The model `m` does not exist."}})
    with engine_on(server) as engine, pytest.raises(UserError, match=r"has no 'm'; it offers mistral, llama$"):
        draw(engine)


def test_the_error_about_a_wrong_path_says_how_such_a_url_ends(server):
    server.behave = lambda asked: Said(404, {"detail": "Not Found"})
    with engine_on(server) as engine, pytest.raises(UserError, match=r"engine.base_urls: .* usually ends in /v1"):
        draw(engine)


@pytest.mark.parametrize("n", [1, 8])
def test_the_error_about_a_prompt_that_is_too_long_gives_the_servers_reason_and_advice(server, n):
    message = "This model's maximum context length is 10 tokens.\nHowever, you requested 12."
    server.behave = lambda asked: (
        Said(400, {"error": {"message": message}}) if "Affe" in asked.body["prompt"] else play_well(asked)
    )
    with engine_on(server, n_per_request=n) as engine, pytest.raises(UserError) as caught:
        draw(engine)
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
def test_the_error_about_a_refused_setting_says_what_to_change(server, message, advice):
    server.behave = lambda asked: Said(400, {"error": {"message": message}})
    with engine_on(server) as engine, pytest.raises(UserError) as caught:
        draw(engine)
    assert str(caught.value).endswith(f"refuses its request (400: {message}); {advice}")


def test_a_redirect_is_a_user_error_that_gives_the_new_url(server):
    server.behave = lambda asked: Said(301, b"", {"location": "https://elsewhere/v1/completions"})
    with engine_on(server) as engine, pytest.raises(UserError) as caught:
        draw(engine)
    assert str(caught.value) == (
        f"engine.base_urls: {server.url} answers 301 (moved to https://elsewhere/v1/completions); give the URL it"
        " redirects to"
    )


def test_a_html_page_of_a_proxy_is_reduced_to_its_text(server):
    page = b"<html>\r\n<head><title>413</title></head>\r\n<body><h1>Request Entity Too Large</h1></body></html>"
    server.behave = lambda asked: Said(413, page)
    with engine_on(server) as engine, pytest.raises(UserError) as caught:
        draw(engine)
    assert str(caught.value).endswith("refuses its request (413: 413 Request Entity Too Large); shorten its prompt")


def test_it_is_a_user_error_if_no_server_answers(server):
    server.stop()
    with pytest.raises(UserError, match=r"engine.base_urls: no server answers at http.*; start it") as caught:
        _opens(server)
    assert "\n" not in str(caught.value)


def test_an_engine_opens_if_one_of_its_replicas_answers(server):
    with MisbehavingServer() as gone:
        gone_url = gone.url
    config = OpenAIConfig(model="m", base_urls=(gone_url, server.url), n_per_request=8)
    with config.open() as engine:
        assert not engine.deterministic
        assert engine.version == "OpenAI API of test, m"
        assert_complete(draw(engine))


def test_replicas_with_different_models_are_refused(server):
    with MisbehavingServer(models=("other", "third")) as other:
        with pytest.raises(UserError) as caught:
            _opens(server, base_urls=(server.url, other.url))
        assert str(caught.value) == (
            f"engine.base_urls: {other.url} offers other, third, but not 'm' as {server.url} does; all replicas must"
            " have the same model"
        )
        with _opens(other) as engine:  # some servers take any name, whatever they list
            assert_complete(draw(engine))


def test_replicas_that_are_not_all_vllm_are_used_without_its_extensions(server):
    with MisbehavingServer(owner="vllm") as other, _opens(server, base_urls=(other.url, server.url)) as engine:
        assert not engine.requester.wire.vllm
        assert engine.version == "OpenAI API of test, m and vllm"
        assert_complete(draw(engine))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"base_urls": ()}, "at least 1 item"),
        ({"base_urls": "localhost:8000"}, "not the URL of a server"),
        ({"base_urls": "http://me:secret@host/v1"}, "must not contain credentials"),
        ({"base_urls": "http://host/v1?key=secret"}, "not the URL of a server"),
        ({"extra": {"n": 3, "stop": "x"}}, "n, stop: set by the sweep's own fields"),
        ({"api": "responses"}, "'completions' or 'chat'"),
    ],
)
def test_invalid_settings_are_refused(fields, message):
    with pytest.raises(ValidationError, match=message) as caught:
        OpenAIConfig(**{"model": "m", "base_urls": "http://localhost/v1"} | fields)
    assert "secret" not in str(caught.value).replace("me:secret", "") or "credentials" not in message


def test_ingredients_leave_out_where_and_how_the_servers_are_asked():
    config = OpenAIConfig(model="meta-llama/Llama-3.1-8B-Instruct", base_urls="http://host:1/v1", extra={"top_k": 5})
    assert config.base_urls == ("http://host:1/v1",)
    assert config.label == "Llama-3.1-8B-Instruct"
    ingredients = config.ingredients(sampling(), "template")
    other = config.model_copy(
        update={"base_urls": ("http://b/v1",), "api_key_env": "K", "n_per_request": 1, "logprobs": False, "retries": 1}
    )
    assert ingredients == other.ingredients(sampling(), "template")
    assert "host" not in str(ingredients)
    changes: list[dict[str, Any]] = [{"model": "x"}, {"api": "chat"}, {"seeds": False}, {"extra": {}}]
    for change in changes:
        assert config.model_copy(update=change).ingredients(sampling(), "template") != ingredients
    plain = canonical(ingredients)
    assert plain == json.loads(json.dumps(plain)) == yaml.safe_load(yaml.safe_dump(plain))


def test_problems_with_the_server_are_reported_in_one_line_each(server):
    told: list[str] = []

    class Listener:
        def plan(self, stage: str, total: int) -> None: ...

        def advance(self, stage: str, done: int) -> None: ...

        def say(self, line: str) -> None:
            told.append(line)

    server.behave = lambda asked: Said(429, b"x\ny") if asked.number < 12 else Said(body=reply({**asked.body, "n": 1}))
    token = progress.set(Listener())
    try:
        with engine_on(server) as engine:
            assert_complete(draw(engine))
    finally:
        progress.reset(token)
    assert len(told) == 3, told
    assert "continuing with fewer concurrent requests" in told[0]
    assert any("trying again" in line for line in told)
    assert told[-1] == "the server returns fewer samples than requested: continuing with one sample per request"
    assert not any("\n" in line for line in told)
