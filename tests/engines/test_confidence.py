"""Confidences of samples against a few lines of plain Python, and what engines keep of them."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monkeys.testing.engines import draw
from tasks.engines.confidence import ConfidenceSettings, sample_confidence, token_confidences
from tasks.engines.http.protocol import MalformedError, Wire
from tasks.engines.in_process.sampling import choose
from tasks.engines.onnx import OnnxConfig
from tasks.engines.openai import OpenAIConfig
from tasks.engines.supervised.vllm_worker import confidences as of_flat_logprobs
from tasks.records import Sample
from tests.engines.contract import MODEL, request, sampling


def reference(positions: Sequence[Sequence[float]], top: int, window: int) -> tuple[float, float, float, float]:
    """The paper's definitions (section 2) in its words: log-probabilities of the likeliest tokens at each position."""
    tokens = [-sum(sorted(each, reverse=True)[:top]) / min(top, len(each)) for each in positions]
    if len(tokens) <= window:
        groups = [sum(tokens) / len(tokens)]
    else:
        groups = [sum(tokens[end - window : end]) / window for end in range(window, len(tokens) + 1)]
    bottom = sorted(groups)[: max(1, len(groups) // 10)]
    tail = tokens[-window:]
    return sum(tokens) / len(tokens), min(groups), sum(bottom) / len(bottom), sum(tail) / len(tail)


@given(
    positions=st.lists(st.lists(st.floats(-50, 0), min_size=4, max_size=4), min_size=1, max_size=60),
    top=st.integers(2, 6),
    window=st.integers(1, 70),
)
def test_confidences_are_those_of_the_reference(positions: list[list[float]], top: int, window: int) -> None:
    tokens = token_confidences(np.array(positions), top)
    expected = reference(positions, top, window)
    found = sample_confidence(tokens, ConfidenceSettings(top=top, window=window))
    assert found is not None
    assert (found.mean, found.lowest_group, found.bottom_groups, found.tail) == pytest.approx(expected, abs=1e-9)
    assert (found.top, found.window) == (top, window)


def test_a_model_that_is_sure_has_the_higher_confidence() -> None:
    sure, unsure = np.log([[0.97, 0.01, 0.01, 0.01]]), np.log([[0.25, 0.25, 0.25, 0.25]])
    assert all(token_confidences(sure, top) > token_confidences(unsure, top) for top in (2, 3, 4))
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        ConfidenceSettings(top=1)


@pytest.mark.parametrize("tokens", [[], [1.0, math.nan], [math.inf]])
def test_what_is_not_finite_gives_no_confidence(tokens: list[float]) -> None:
    assert sample_confidence(np.array(tokens), ConfidenceSettings()) is None


@pytest.mark.parametrize("temperature", [0.0, 0.6, 1.0])
def test_a_positions_confidence_is_at_temperature_1_and_changes_no_token(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(size=(7, 30)) * 4
    u = np.random.default_rng(1).random(7)
    plain, confident = (choose(logits, temperature, 0.9, u, top) for top in (0, 5))
    assert plain.confidences is None
    assert confident.confidences is not None
    assert (plain.tokens == confident.tokens).all()
    assert (plain.logprobs == confident.logprobs).all()
    logprobs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    assert confident.confidences == pytest.approx(-np.sort(logprobs, axis=1)[:, -5:].mean(axis=1), abs=1e-12)
    everything = choose(logits, temperature, 0.9, u, 99).confidences
    assert everything == pytest.approx(-logprobs.mean(axis=1), abs=1e-12)


def drawn_with(confidence: ConfidenceSettings | None, **changes: object) -> dict[tuple[str, int], Sample]:
    config = OnnxConfig(model=MODEL, threads=2, confidence=confidence, **changes)
    with config.open() as engine:
        return draw(engine, [request(0, 12), request(0, 12, 20)], sampling())


def test_the_onnx_engine_keeps_confidences_and_draws_the_same_samples() -> None:
    settings = ConfidenceSettings(top=3, window=8)
    plain, confident = drawn_with(None, batch_size=4), drawn_with(settings, batch_size=12)
    again = drawn_with(settings, batch_size=5)
    assert confident == again, "confidences do not depend on the batch"
    for key, sample in confident.items():
        found = sample.confidence
        assert found is not None
        assert found.mean is not None
        assert found.lowest_group is not None
        assert found.lowest_group <= found.mean
        assert (found.top, found.window) == (3, 8)
        assert (sample.text, sample.logprob) == (plain[key].text, plain[key].logprob)
        assert plain[key].confidence is None


def test_confidences_are_not_part_of_a_sets_identity() -> None:
    plain, confident = OnnxConfig(model=MODEL), OnnxConfig(model=MODEL, confidence=ConfidenceSettings())
    assert plain.ingredients(sampling(), "t") == confident.ingredients(sampling(), "t")


class FlatLogprobs:
    """What the worker uses of vLLM's: at each position the sampled token's value, then those of the likeliest."""

    logprobs = (-3.0, -0.5, -1.5, -0.5, -0.5, -2.5, -7.0)
    start_indices = (0, 3, 6)
    end_indices = (3, 6, 7)


def test_vllms_flat_logprobs_become_the_confidence_of_each_position() -> None:
    from base64 import b64decode

    tokens = np.frombuffer(b64decode(of_flat_logprobs(FlatLogprobs())))
    assert tokens[:2] == pytest.approx([1.0, 1.5])
    assert np.isnan(tokens[2]), "the likeliest tokens are missing there"


WIRES = {api: Wire("m", api, True, {}, False, ConfidenceSettings(top=2, window=9)) for api in ("completions", "chat")}


def reply(api: str, positions: object) -> bytes:
    if api == "chat":
        content = [{"token": "a", "logprob": -1.0, "top_logprobs": each} for each in positions]  # type: ignore[attr-defined]
        return json.dumps({"choices": [{"message": {"content": "a"}, "logprobs": {"content": content}}]}).encode()
    logprobs = {"token_logprobs": [-1.0], "top_logprobs": positions}
    return json.dumps({"choices": [{"text": "a", "logprobs": logprobs}]}).encode()


def test_both_apis_are_asked_for_the_likeliest_tokens() -> None:
    assert WIRES["chat"].body("p", 1, None, sampling()) | {"logprobs": True, "top_logprobs": 2} == WIRES["chat"].body(
        "p", 1, None, sampling()
    )
    assert WIRES["completions"].body("p", 1, None, sampling())["logprobs"] == 2
    assert "top_logprobs" not in Wire("m", "chat", True, {}, False).body("p", 1, None, sampling())


def test_replies_of_both_apis_give_the_confidences_of_their_likeliest_tokens() -> None:
    # The sampled token is listed after the likeliest where it is not among them, and -9999 cannot be drawn.
    table = [{"a": -0.5, "b": -1.5, "c": -4.0}, {"a": -0.1, "b": -9999.0}]
    listed = [[{"token": token, "logprob": value} for token, value in each.items()] for each in table]
    for api, positions in (("completions", table), ("chat", listed)):
        (choice,) = WIRES[api].read(reply(api, positions), 1).choices.values()
        assert choice.confidence is not None
        assert choice.confidence.mean == pytest.approx((1.0 + 0.1) / 2)
        assert choice.confidence.top == 2


def test_two_likeliest_tokens_with_one_text_both_count() -> None:
    body = reply("completions", [{"a": -0.5, "b": -1.5}]).replace(b'"b"', b'"a"')
    (choice,) = WIRES["completions"].read(body, 1).choices.values()
    assert choice.confidence is not None
    assert (choice.confidence.mean, choice.confidence.top) == (1.0, 2)
    vllm = Wire("m", "completions", True, {}, True, ConfidenceSettings(top=2))
    assert vllm.body("p", 1, None, sampling())["return_tokens_as_token_ids"], "vLLM would merge them itself"
    assert "return_tokens_as_token_ids" not in WIRES["completions"].body("p", 1, None, sampling())


@pytest.mark.parametrize("api", ["completions", "chat"])
def test_a_server_that_lists_fewer_tokens_than_asked_for_gives_the_confidence_of_as_many(api: str) -> None:
    wire = Wire("m", api, True, {}, False, ConfidenceSettings(top=3, window=9))  # type: ignore[arg-type]
    table = [{"a": -0.5, "b": -1.5, "c": -4.0}, {"a": -0.1, "b": -0.3}]
    listed = [[{"token": token, "logprob": value} for token, value in each.items()] for each in table]
    (choice,) = wire.read(reply(api, table if api == "completions" else listed), 1).choices.values()
    assert choice.confidence is not None
    assert choice.confidence.top == 2


@pytest.mark.parametrize("api", ["completions", "chat"])
@pytest.mark.parametrize(("lengths", "top"), [((3, 3, 2), 3), ((2, 2, 3), 2), ((4, 4, 2), 3), ((3, 2), 2)])
def test_the_top_of_a_confidence_is_the_usual_number_of_listed_tokens(
    api: str, lengths: Sequence[int], top: int
) -> None:
    """One odd position would otherwise give its sample settings that no other sample has, and take the confidences
    from the whole set."""
    wire = Wire("m", api, True, {}, False, ConfidenceSettings(top=3, window=9))  # type: ignore[arg-type]
    table = [{name: -0.5 - at for at, name in enumerate("abcd"[:length])} for length in lengths]
    listed = [[{"token": token, "logprob": value} for token, value in each.items()] for each in table]
    (choice,) = wire.read(reply(api, table if api == "completions" else listed), 1).choices.values()
    assert choice.confidence is not None
    assert choice.confidence.top == top


@pytest.mark.parametrize(
    "positions", [[], [None], [{}], [{"a": -9999.0}], [{"a": -9999.0, "b": -9999.0}], [{"a": -0.1}], [[]], [7]]
)
def test_a_reply_without_likeliest_tokens_gives_no_confidences(positions: list[object]) -> None:
    for api, wire in WIRES.items():
        (choice,) = wire.read(reply(api, positions), 1).choices.values()
        assert choice.confidence is None
        assert choice.logprob is not None


@pytest.mark.parametrize("value", [None, True, "x", 1e300])
def test_a_log_probability_must_be_a_number(value: object) -> None:
    with pytest.raises(MalformedError, match="a log-probability of its reply is"):
        WIRES["completions"].read(reply("completions", [{"a": value}]), 1)
    with pytest.raises(MalformedError, match="a log-probability of its reply is"):
        WIRES["chat"].read(reply("chat", [[{"logprob": value}]]), 1)


def test_confidences_without_log_probabilities_are_refused() -> None:
    with pytest.raises(ValidationError, match="confidence needs logprobs: true"):
        OpenAIConfig(model="m", base_urls=("http://h/v1",), logprobs=False, confidence=ConfidenceSettings())
