"""The confidences that are kept of vLLM's samples are those that another engine gives for the same texts."""

from dataclasses import astuple
from pathlib import Path

import pytest

from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.onnx import OnnxConfig
from tests.vllm.real import config, draw, request, sampling

REQUESTS = [request(problem, 0, 2) for problem in range(8)]
SETTINGS = ConfidenceSettings(top=5, window=12)


@pytest.mark.parametrize("mode", ["in_process", "server"])
def test_confidences_of_greedy_samples_are_those_of_the_onnx_engine(tmp_path: Path, mode: str) -> None:
    greedy = sampling(temperature=0.0)
    with OnnxConfig(model="arithmetic", confidence=SETTINGS).open() as engine:
        expected = draw(engine, REQUESTS, greedy)
    with config(mode, tmp_path, confidence=SETTINGS).open() as engine:
        drawn = draw(engine, REQUESTS, greedy)
        random = draw(engine, REQUESTS, sampling())
    same = [key for key in drawn if drawn[key].text == expected[key].text]
    assert len(same) >= len(drawn) / 2, "bits differ between the engines, and so may a text"
    for key in same:
        found, wanted = drawn[key].confidence, expected[key].confidence
        assert found is not None
        assert wanted is not None
        assert astuple(found) == pytest.approx(astuple(wanted), abs=2e-3), key
        assert (found.top, found.window) == (5, 12)
    assert all(sample.confidence is not None for sample in random.values())


def test_samples_are_the_same_with_and_without_confidences(tmp_path: Path) -> None:
    drawn = []
    for confidence in (None, SETTINGS):
        with config("in_process", tmp_path, confidence=confidence).open() as engine:
            drawn.append(draw(engine, REQUESTS, sampling()))
    for key, sample in drawn[0].items():
        assert (sample.text, sample.logprob) == (drawn[1][key].text, drawn[1][key].logprob)
