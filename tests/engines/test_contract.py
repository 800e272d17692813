"""The contract of engines and the rules of decoding, tested on every engine that can be opened here."""

import math
from collections.abc import Callable, Iterator
from statistics import mean

import pytest

from monkeys.testing.engines import ENGINE_CHECKS, MODEL_CHECKS, EngineUnderTest, draw, ends_all_calls
from tasks.engines import Engine
from tasks.engines.onnx import OnnxConfig
from tasks.errors import UserError
from tasks.records import Problem, Request, Sample
from tests.engines.contract import (
    CONTEXT,
    MODEL,
    SUBJECTS,
    Subject,
    logprob_of,
    request,
    sampling,
    tokens_of,
)

WHOLE = [request(0, 24, problem) for problem in (3, 20, 70)]


@pytest.fixture(scope="module")
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineUnderTest]:
    subject: Subject = request.param
    with subject.configured(tmp_path_factory.mktemp("engine")) as config:
        config.check([Problem(each.problem_id, each.prompt) for each in WHOLE], 24)
        with config.open() as engine:
            yield EngineUnderTest.of(config, engine, WHOLE, sampling())


@pytest.fixture(scope="module")
def engine(opened: EngineUnderTest) -> Engine:
    return opened.engine


def _on(subjects: list[Subject]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("opened", subjects, ids=[each.name for each in subjects], indirect=True)


HERE = [each for each in SUBJECTS if not each.absent]
every = _on(HERE)
models = _on([each for each in HERE if each.model])
deterministic = _on([each for each in HERE if each.name != "openai"])


@pytest.mark.parametrize("subject", [each for each in SUBJECTS if each.absent], ids=lambda each: each.name)
def test_an_engine_whose_packages_are_missing_is_skipped(subject: Subject):
    pytest.skip(f"{subject.name}: {' and '.join(subject.absent)} not in this environment")


@deterministic
def test_an_engine_is_deterministic_in_the_contracts_configuration(opened: EngineUnderTest):
    assert opened.engine.deterministic


@every
@pytest.mark.parametrize("check", ENGINE_CHECKS, ids=lambda check: check.__name__)
def test_an_engine_keeps_to_the_contract(opened: EngineUnderTest, check: Callable[[EngineUnderTest], None]) -> None:
    check(opened)


@models
@pytest.mark.parametrize("check", MODEL_CHECKS, ids=lambda check: check.__name__)
def test_an_engine_with_a_model_keeps_to_its_contract(
    opened: EngineUnderTest, check: Callable[[EngineUnderTest], None]
) -> None:
    check(opened)


@every
def test_samples_have_tokens_a_log_probability_and_a_finish_reason(opened: EngineUnderTest):
    for sample in opened.drawn.values():
        assert sample.tokens is not None and 1 <= sample.tokens <= 60
        assert sample.prompt_tokens is not None and sample.prompt_tokens > 20
        assert sample.logprob is not None and math.isfinite(sample.logprob) and sample.logprob <= 0
        assert sample.finish_reason in {"stop", "length"}
    assert {sample.finish_reason for sample in opened.drawn.values()} == {"stop", "length"}
    assert len({sample.text for sample in opened.drawn.values()}) > 36, "varied texts are needed to tell samples apart"


@models
def test_temperature_0_and_a_tiny_top_p_take_the_likeliest_tokens(engine: Engine):
    greedy = draw(engine, [request(10, 14)], sampling(temperature=0))
    assert len({(s.text, s.tokens, s.finish_reason) for s in greedy.values()}) == 1
    narrow = draw(engine, [request(0, 4)], sampling(top_p=1e-6))
    assert {s.text for s in narrow.values()} == {s.text for s in greedy.values()}


@models
def test_a_smaller_top_p_gives_fewer_distinct_texts(engine: Engine):
    texts = [{s.text for s in draw(engine, [request(0, 24)], sampling(top_p=p)).values()} for p in (0.2, 1.0)]
    assert len(texts[0]) < len(texts[1])


def _greedy(engine: Engine, problem: int = 3) -> Sample:
    (sample,) = draw(engine, [request(0, 1, problem)], sampling(temperature=0, max_tokens=120)).values()
    assert sample.finish_reason == "stop"
    return sample


@models
def test_a_text_ends_before_its_first_stop_string(engine: Engine):
    """Stop strings of several lengths, taken from the text, so that they cross token boundaries in every way."""
    text = _greedy(engine).text
    for start, length in [(1, 1), (3, 2), (5, 4), (8, 7), (20, 11), (len(text) - 6, 6)]:
        stop = text[start : start + length]
        ((_, sample),) = draw(engine, [request(0, 1)], sampling(temperature=0, max_tokens=120, stop=(stop,))).items()
        assert (sample.text, sample.finish_reason) == (text[: text.index(stop)], "stop"), repr(stop)


@models
def test_no_text_contains_a_stop_string(opened: EngineUnderTest):
    stop = ("+ ", "\n5", "99", "#### 1")
    for key, sample in draw(opened.engine, WHOLE, sampling(stop=stop)).items():
        assert not any(each in sample.text for each in stop)
        whole = opened.drawn[key].text
        if opened.engine.deterministic:
            assert (
                sample.text == whole[: min((place for each in stop if (place := whole.find(each)) >= 0), default=60**2)]
            )


@models
def test_a_completion_may_be_empty(engine: Engine):
    first = _greedy(engine).text[0]
    (stopped,) = draw(engine, [request(0, 1)], sampling(temperature=0, stop=(first,))).values()
    assert (stopped.text, stopped.finish_reason) == ("", "stop")
    assert tokens_of(stopped) >= 1
    # After the whole completion, only the end-of-text token follows.
    answered = Request("answered", request(0, 1).prompt + _greedy(engine).text, 0, 3)
    for sample in draw(engine, [answered], sampling(temperature=0, max_tokens=1)).values():
        assert (sample.text, sample.tokens, sample.finish_reason) == ("", 1, "stop")


@models
def test_an_incomplete_last_character_is_left_out(opened: EngineUnderTest):
    """At this temperature the model emits any byte, so some texts are cut within a character."""
    whole = draw(opened.engine, [request(0, 150)], sampling(temperature=2.0))
    cut = 0
    for max_tokens in range(5, 35, 5):
        drawn = draw(opened.engine, [request(0, 150)], sampling(temperature=2.0, max_tokens=max_tokens))
        for key, sample in drawn.items():
            if sample.finish_reason == "length":
                assert not sample.text.endswith("\ufffd"), (max_tokens, sample)
            if opened.engine.deterministic:
                assert whole[key].text.startswith(sample.text)
                cut += not whole[key].text[len(sample.text) :][:1].isascii()
    assert cut > 0 or not opened.engine.deterministic, "some texts must be cut within a character"


@models
def test_the_error_about_a_prompt_that_is_too_long_names_the_problem(engine: Engine):
    long = Request("long", request(0, 1).prompt * (CONTEXT // 20), 0, 2)
    with pytest.raises(UserError, match="long") as caught:
        draw(engine, [long], sampling())
    assert "\n" not in str(caught.value)
    draw(engine, [request(0, 2)], sampling())


@models
def test_greedy_texts_equal_those_of_the_onnx_engine(engine: Engine):
    """Logits differ only in their last bits: texts are equal, and log-probabilities close."""
    greedy = sampling(temperature=0, max_tokens=120)
    requests = [request(0, 1, problem) for problem in range(0, 120, 10)]
    with OnnxConfig(model=MODEL).open() as onnx:
        expected = draw(onnx, requests, greedy)
    drawn = draw(engine, requests, greedy)
    for key, sample in expected.items():
        assert (drawn[key].text, drawn[key].tokens, drawn[key].prompt_tokens, drawn[key].finish_reason) == (
            sample.text,
            sample.tokens,
            sample.prompt_tokens,
            sample.finish_reason,
        )
    assert mean(abs(logprob_of(drawn[key]) - logprob_of(expected[key])) for key in expected) < 1e-3


@models
@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_a_second_engine_draws_the_same_samples_and_ends_when_cancelled_or_closed(
    opened: EngineUnderTest, how: str
) -> None:
    """A thread waits for thousands of samples; another one cancels."""
    with opened.config.open() as fresh:
        opened.same(draw(fresh, WHOLE[:2], sampling()))
        endless = [request(0, 1, problem) for problem in range(8)]
        ends_all_calls(fresh, endless, fresh.cancel if how == "cancelled" else fresh.__exit__)


@models
def test_settings_that_an_engine_refuses_are_a_user_error(engine: Engine):
    try:
        draw(engine, [request(0, 2)], sampling(temperature=9.5))
    except UserError as error:
        assert "temperature" in str(error)
        assert "\n" not in str(error)
    draw(engine, [request(0, 2)], sampling())
