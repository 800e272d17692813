"""Scorers on a real HTTP server: what is sent, how replies are read, and replies that are not what was asked for."""

import itertools
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.errors import ScorerFailedError, ScoringCancelledError, UserError
from tasks.scorers import Candidate, Scored, Spent, Unscored
from tasks.scorers.checked import CheckedScorer
from tasks.scorers.http import MAX_TEXTS, HttpScorerConfig
from tasks.scorers.steps import combined, marked
from tests.scorers.scoring_server import ScoringServer

CANDIDATES = [Candidate(f"p{i}", f"question {i}", f"prompt {i}", "x" * i) for i in range(10)]
LENGTHS = [float(i) for i in range(10)]


def lengths(path: str, body: dict[str, Any]) -> Any:
    """Every API's reply, with a text's length (without its prompt) as its score."""
    if path == "/scores":
        return {"scores": [float(len(each["text"])) for each in body["items"]]}
    if path == "/score":
        scores = [float(len(each)) for each in body["text_2"]]
        return {"data": [{"index": i, "object": "score", "score": score} for i, score in enumerate(scores)]}
    texts = [body["messages"][-1]["content"]] if "messages" in body else [each.split("|")[1] for each in body["input"]]
    if path == "/classify":
        return {"data": [{"index": i, "probs": [float(len(each))]} for i, each in enumerate(texts)][::-1]}
    return {"data": [{"index": i, "object": "pooling", "data": [float(len(each))]} for i, each in enumerate(texts)]}


@pytest.fixture
def server() -> Iterator[ScoringServer]:
    with ScoringServer(lengths).serving() as serving:
        yield serving


def config(server: ScoringServer, **fields: Any) -> HttpScorerConfig:
    defaults = {"base_urls": server.url, "api": "scores", "model": "owner/reward", "retries": 2}
    return HttpScorerConfig.model_validate(defaults | fields)


def scored(server: ScoringServer, candidates: list[Candidate] = CANDIDATES, **fields: Any) -> list[float | Unscored]:
    with config(server, **fields).open() as scorer:
        checked = CheckedScorer(scorer, "scorer: http").score(candidates)
    return [each.value if isinstance(each, Scored) else each for each in checked]


@pytest.mark.parametrize(
    ("api", "fields"),
    [
        ("scores", {}),
        ("score", {}),
        ("classify", {}),
        ("classify", {"template": "{prompt}|{text}"}),
        ("pooling", {}),
        ("pooling", {"template": "{prompt}|{text}"}),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 3, 64])
def test_each_api_gives_each_candidate_the_score_for_its_text(
    server: ScoringServer, api: str, fields: dict[str, Any], batch_size: int
) -> None:
    assert scored(server, api=api, batch_size=batch_size, **fields) == LENGTHS
    assert {path for path, _ in server.asked} == {f"/{api}"}
    assert all(body["model"] == "owner/reward" for _, body in server.asked)


def test_vllm_is_asked_for_logits_or_probabilities_explicitly(server: ScoringServer) -> None:
    for api in ("score", "classify", "pooling"):
        for output, activated in (("logit", False), ("probability", True)):
            server.asked.clear()
            scored(server, api=api, output=output)
            assert {body["use_activation"] for _, body in server.asked} == {activated}
            assert config(server, api=api, output=output).ingredients()["output"] == output


def test_a_conversation_has_the_question_and_the_sample(server: ScoringServer) -> None:
    scored(server, CANDIDATES[2:3], api="classify")
    scored(server, CANDIDATES[2:3], api="classify", reads="prompt")
    assert [body["messages"] for _, body in server.asked] == [
        [{"role": "user", "content": before}, {"role": "assistant", "content": "xx"}]
        for before in ("question 2", "prompt 2")
    ]


def test_a_text_that_looks_like_a_template_is_not_filled_in(server: ScoringServer) -> None:
    hostile = Candidate("p", "{text}{prompt}", "", "{prompt} {0} {model}")
    scored(server, [hostile], api="classify", template="<{prompt}>|<{text}>{other}")
    assert server.asked[0][1]["input"] == ["<{text}{prompt}>|<{prompt} {0} {model}>{other}"]


def test_no_request_has_more_texts_than_vllm_takes(server: ScoringServer) -> None:
    many = [Candidate("p", "q", "q", "x" * (i % 7)) for i in range(3_000)]
    assert len(scored(server, many, api="score", batch_size=MAX_TEXTS)) == 3_000
    assert sorted(len(body["text_2"]) for _, body in server.asked) == [952, 1_024, 1_024]
    with pytest.raises(ValidationError):
        config(server, batch_size=MAX_TEXTS + 1)


@pytest.mark.parametrize(("by", "score"), [("min", 0.2), ("product", 0.09), ("last", 0.9)])
def test_the_steps_of_a_process_reward_model_are_combined(server: ScoringServer, by: str, score: float) -> None:
    server.answer = lambda path, body: {"data": [{"index": 0, "data": [[0.5, 0.5], [0.8, 0.2], [0.1, 0.9]]}]}
    (found,) = scored(
        server,
        [Candidate("p", "q", "q", "one\n\ntwo\n\n\n\nthree")],
        api="pooling",
        steps=by,
        label_index=1,
        step_mark="<extra_0>",
    )
    assert found == pytest.approx(score)
    assert server.asked[0][1]["task"] == "token_classify"
    assert server.asked[0][1]["messages"][-1]["content"] == "one<extra_0>two<extra_0>three<extra_0>"


def test_combining_steps() -> None:
    assert combined([0.5, 0.25], "min") == 0.25
    assert combined([0.5, 0.25], "product") == 0.125
    assert combined([0.5, 0.25], "last") == 0.25
    assert combined([float("nan"), 0.25], "min") != combined([float("nan"), 0.25], "min"), "NaN is not dropped"
    assert marked("one", "\n\n", "#") == "one#"
    assert marked("", "\n\n", "#") == "#"
    assert marked("one#more\n\n#", "\n\n", "#") == "onemore#", "a sample cannot add steps"


@pytest.mark.parametrize(
    ("api", "reply", "said"),
    [
        ("scores", {"scores": [1.0] * 9}, "its reply has 9 scores for 10 samples"),
        ("scores", {"scores": [1.0] * 11}, "its reply has 11 scores for 10 samples"),
        ("scores", {"scores": "0.5"}, "its reply has no list `scores`"),
        ("scores", [1.0], "its reply has no list `scores`"),
        ("scores", b"<html>oops</html>", "its reply is not JSON, or is truncated"),
        ("scores", b"[" * 100_000, "its reply is not JSON, or is truncated"),
        ("scores", {"scores": [None] * 10}, "the server gave no score"),
        ("scores", {"scores": ["0.5"] * 10}, "the scorer returned str, not a number"),
        ("scores", b'{"scores": [' + b", ".join([b"NaN"] * 10) + b"]}", "the scorer returned nan"),
        ("scores", b'{"scores": [' + b", ".join([b"1e999"] * 10) + b"]}", "the scorer returned inf"),
        ("scores", {"scores": [True] * 10}, "the scorer returned bool, not a number"),
        ("score", {"data": [{"index": 0, "score": 1.0}] * 10}, "its reply does not say which score belongs to which"),
        ("score", {"data": [{"score": 1.0}] * 10}, "its reply does not say which score belongs to which"),
        ("score", {"data": [1.0] * 10}, "its reply has no list `data`"),
        ("score", {"data": [{"index": i} for i in range(10)]}, "the scorer returned NoneType, not a number"),
        ("classify", {"data": [{"index": 0, "probs": []}]}, "its reply has no list of scores for a text"),
        ("classify", {"data": [{"index": 0}]}, "its reply has no list of scores for a text"),
        ("pooling", {"data": [{"index": 0, "data": [[1.0], [2.0]]}]}, "its reply has several scores for a text; set"),
    ],
)
def test_a_reply_that_is_not_what_was_asked_for_gives_no_score_and_says_why(
    server: ScoringServer, api: str, reply: Any, said: str
) -> None:
    server.answer = lambda path, body: reply
    found = scored(server, api=api)
    assert len(found) == 10
    for each in found:
        assert isinstance(each, Unscored)
        assert said in each.reason
        assert len(each.reason.splitlines()) == 1


def test_a_malformed_reply_is_asked_for_again(server: ScoringServer) -> None:
    replies = iter([b"{", {"scores": [1.0]}])
    server.answer = lambda path, body: next(replies, None) or lengths(path, body)
    assert scored(server) == LENGTHS


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_temporary_failure_is_retried(server: ScoringServer, status: int) -> None:
    failures = iter([(status, {"error": "busy"})] * 2)
    server.answer = lambda path, body: next(failures, None) or lengths(path, body)
    assert scored(server) == LENGTHS


def test_a_server_that_keeps_failing_ends_scoring_in_one_line(server: ScoringServer) -> None:
    server.answer = lambda path, body: (500, {"error": "out\nof memory"})
    with pytest.raises(ScorerFailedError) as failed:
        scored(server)
    assert str(failed.value) == f"{server.url} answers 500 (out of memory) (the last of 3 failures in a row)"


def test_another_replica_takes_over(server: ScoringServer) -> None:
    with ScoringServer(lambda path, body: (503, {})).serving() as broken:
        assert scored(server, base_urls=[broken.url, server.url], batch_size=1) == LENGTHS


def test_a_text_that_a_server_refuses_is_found_and_left_out_alone(server: ScoringServer) -> None:
    def answer(path: str, body: dict[str, Any]) -> Any:
        if any(len(each["text"]) == 6 for each in body["items"]):
            return 400, {"error": {"message": "maximum context length is 5 tokens"}}
        return lengths(path, body)

    server.answer = answer
    found = scored(server)
    assert found[6] == Unscored("400: maximum context length is 5 tokens")
    assert [each for i, each in enumerate(found) if i != 6] == [each for i, each in enumerate(LENGTHS) if i != 6]


def test_a_refused_key_is_told_without_the_key(server: ScoringServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret")
    server.answer = lambda path, body: (401, {"error": "sk-secret is wrong"})
    with pytest.raises(UserError) as refused:
        scored(server, api_key_env="MY_KEY")
    assert str(refused.value) == (f"scorers.api_key_env: {server.url} refuses the key in MY_KEY (401: … is wrong)")
    assert server.headers[0]["authorization"] == "Bearer sk-secret"
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(UserError, match="MY_KEY is not set"):
        config(server, api_key_env="MY_KEY").check()


def test_a_path_that_the_server_lacks_is_told(server: ScoringServer) -> None:
    server.answer = lambda path, body: (404, {"detail": "Not Found"})
    with pytest.raises(UserError, match=f"scorers.base_urls: {server.url}/scores does not exist there"):
        scored(server)


def test_a_server_that_does_not_run_is_told_in_one_line() -> None:
    unused = HttpScorerConfig(base_urls=("http://127.0.0.1:9",), api="scores", model="m", retries=1)
    with unused.open() as scorer, pytest.raises(ScorerFailedError, match=r"http://127\.0\.0\.1:9 cannot be reached"):
        scorer.score(CANDIDATES)


def test_a_cancelled_scorer_sends_nothing_more(server: ScoringServer) -> None:
    started, go_on = threading.Event(), threading.Event()

    def slow(path: str, body: dict[str, Any]) -> Any:
        started.set()
        go_on.wait(60)
        return lengths(path, body)

    server.answer = slow
    with config(server, batch_size=1, concurrency=1).open() as scorer:

        def stop() -> None:
            started.wait(60)
            scorer.cancel()
            go_on.set()

        stopper = threading.Thread(target=stop)
        stopper.start()
        with pytest.raises(ScoringCancelledError):
            scorer.score(CANDIDATES)
        stopper.join()
    assert len(server.asked) == 1


def test_its_identity_has_what_scores_depend_on_and_not_where_servers_are(server: ScoringServer) -> None:
    one = config(server).ingredients()
    assert one == config(server, base_urls="http://elsewhere", concurrency=1, batch_size=2, timeout_s=5).ingredients()
    different = (
        {"model": "other"},
        {"api": "score"},
        {"reads": "prompt"},
        {"output": "probability"},
        {"label_index": 1},
    )
    assert all(config(server, **fields).ingredients() != one for fields in different)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"template": "{prompt} only", "api": "classify"}, "template must contain {prompt} and {text}"),
        ({"template": "{prompt}{text}"}, "leave out template"),
        ({"steps": "min"}, "steps needs api: pooling"),
        ({"api": "pooling", "step_mark": "#"}, "step_mark needs steps"),
        ({"base_urls": "ftp://host"}, "is not the URL of a server"),
        ({"base_urls": "http://user:pass@host"}, "a URL must not contain credentials"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(
    server: ScoringServer, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        config(server, **fields)
    assert said in str(refused.value)
    assert "user:pass" not in str(refused.value)


def test_the_version_of_vllm_is_kept_with_the_scores(server: ScoringServer) -> None:
    with config(server).open() as scorer:
        assert scorer.version == "vllm 0.33.0"


@pytest.mark.parametrize(("api", "batch_size"), [("classify", 1), ("score", 5)])
def test_the_tokens_that_a_server_reports_are_counted(server: ScoringServer, api: str, batch_size: int) -> None:
    def reporting(path: str, body: dict[str, Any]) -> Any:
        texts = len(body["text_2"]) if path == "/score" else 1
        return {**lengths(path, body), "usage": {"prompt_tokens": 10 * texts}}

    server.answer = reporting
    with config(server, api=api, batch_size=batch_size).open() as scorer:
        scorer.score(CANDIDATES)
        spent = scorer.spent
    assert (spent.tokens, spent.prompt_tokens, spent.dollars) == (0, 100, None)
    assert spent.context == (10 * 55 if batch_size == 1 else None), (
        "it is not reported how long each of several texts is"
    )


def test_tokens_that_one_reply_does_not_report_are_not_known_rather_than_0(server: ScoringServer) -> None:
    replies = iter([{"usage": {"prompt_tokens": 10}}, {}])
    server.answer = lambda path, body: {**lengths(path, body), **next(replies)}
    with config(server, batch_size=5, concurrency=1).open() as scorer:
        scorer.score(CANDIDATES)
        assert scorer.spent == Spent(0, None, 10, None, unreported=1)
        assert scorer.spent.complete().prompt_tokens is None


@pytest.mark.parametrize("api", ["classify", "score", "pooling", "scores"])
def test_a_reply_without_usage_leaves_the_usage_of_later_replies_known(server: ScoringServer, api: str) -> None:
    replies = itertools.chain([{}], itertools.repeat({"usage": {"prompt_tokens": 1_000}}))
    server.answer = lambda path, body: {**lengths(path, body), **next(replies)}
    with config(server, api=api, batch_size=1, concurrency=1, prompt_price=2.0).open() as scorer:
        scorer.score(CANDIDATES[:1])
        first = scorer.spent
        scorer.score(CANDIDATES[1:2])
        second = scorer.spent.since(first)
    assert first.complete() == Spent(None, None, None, None)
    assert second.complete() == Spent(0, pytest.approx(0.002), 1_000, 500_500)  # type: ignore[arg-type]
