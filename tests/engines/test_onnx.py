"""The ONNX engine on the bundled models: what a sample depends on, where it ends, and what is reported with it."""

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer

from tasks.datasets import Dataset
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.datasets.programs import ProgramsDataset
from tasks.datasets.theorems import TheoremsDataset
from tasks.engines import Engine
from tasks.engines.in_process.onnx_decoder import MINIMUM_ROWS, Decoder
from tasks.engines.in_process.onnx_engine import OnnxEngine
from tasks.engines.model_files import BUNDLED, bundled_models
from tasks.engines.onnx import OnnxConfig
from tasks.errors import UserError
from tasks.prompts import render
from tasks.records import Request, Sample, Sampling
from tasks.store.identity import canonical
from tests.engines.contract import tokens_of
from tests.engines.logits import logits

DATASETS: dict[str, Dataset] = {
    "arithmetic": ArithmeticDataset(),
    "programs": ProgramsDataset(),
    "theorems": TheoremsDataset(),
}


def _sampling(model: str = "programs", **changes: Any) -> Sampling:
    dataset = DATASETS[model]
    return replace(Sampling(0.6, 1.0, dataset.max_tokens, dataset.stop, seed=0), **changes)


def _request(start: int, stop: int, problem: int = 70, model: str = "programs") -> Request:
    chosen = DATASETS[model].load()[problem]
    return Request(chosen.id, render(DATASETS[model].template, chosen.question), start, stop)


def _draw(engine: Engine, requests: Sequence[Request], sampling: Sampling) -> dict[tuple[str, int], Sample]:
    """All samples by problem and index; each must arrive exactly once."""
    drawn: dict[tuple[str, int], Sample] = {}
    for batch in engine.sample(requests, sampling):
        for sample in batch:
            assert (sample.problem_id, sample.index) not in drawn
            drawn[sample.problem_id, sample.index] = sample
    return drawn


@pytest.fixture(scope="module")
def programs() -> Iterator[OnnxEngine]:
    with OnnxConfig(model="programs", threads=2).open() as engine:
        yield engine


@pytest.mark.parametrize("model", bundled_models())
@pytest.mark.parametrize("settings", [{}, {"temperature": 1.0, "top_p": 0.9}])
@pytest.mark.slow
def test_samples_do_not_depend_on_batch_size_threads_or_cuts(model, settings):
    sampling = _sampling(model, **settings)
    with OnnxConfig(model=model, threads=1, batch_size=48).open() as engine:
        whole = _draw(engine, [_request(0, 48, problem, model) for problem in (3, 70)], sampling)
    assert len(whole) == 96
    assert len({sample.text for sample in whole.values()}) > 2, "different samples are needed for the comparison"
    for batch_size, threads, edges in [(1, 1, (7, 9)), (2, 2, (5, 9)), (7, 2, (0, 1, 33, 48)), (64, 1, (13, 48))]:
        with OnnxConfig(model=model, threads=threads, batch_size=batch_size).open() as engine:
            requests = [_request(a, b, p, model) for p in (3, 70) for a, b in pairwise(edges)]
            # Equal in everything: text, tokens, and the log-probability to the last bit.
            for key, sample in _draw(engine, requests, sampling).items():
                assert sample == whole[key]


@pytest.mark.parametrize("prepacking", ["0", "1"])
def test_logits_are_bit_identical_in_batches_of_any_size(prepacking):
    """Also without prepacked weights, where ONNX Runtime treats a single row as a vector and rounds differently."""
    decoder = Decoder(BUNDLED / "programs" / "model.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.disable_prepacking", prepacking)
    decoder.session = onnxruntime.InferenceSession(BUNDLED / "programs" / "model.onnx", options)
    prefill = decoder.prefill(list(range(5, 45)))
    tokens = np.random.default_rng(0).integers(1, 500, (33, 12))

    def run(rows: int) -> NDArray[np.float32]:
        padded = np.resize(np.arange(rows), max(rows, MINIMUM_ROWS))
        batch = decoder.expand(prefill, len(padded))
        return np.stack([batch.step(tokens[padded, t]) for t in range(12)], axis=1)[:rows]

    whole = run(33)
    for rows in (1, 2, 3, 4, 5, 7, 8, 13, 16, 24, 32):
        assert (run(rows) == whole[:rows]).all(), f"{rows} rows"


def test_other_seeds_problems_and_indices_give_other_samples(programs):
    hot = _sampling(temperature=4.0, max_tokens=30)
    here = _draw(programs, [_request(0, 8)], hot)
    other_seed = _draw(programs, [_request(0, 8)], _sampling(temperature=4.0, max_tokens=30, seed=1))
    same_prompt = Request("another id", _request(0, 8).prompt, 0, 8)
    other_problem = _draw(programs, [same_prompt], hot)
    texts = [sample.text for drawn in (here, other_seed, other_problem) for sample in drawn.values()]
    assert len(set(texts)) == 24


def test_greedy_samples_are_all_equal_and_the_likeliest(programs):
    greedy = _draw(programs, [_request(10, 14)], _sampling(temperature=0))
    assert sorted(index for _, index in greedy) == [10, 11, 12, 13]
    assert len({(s.text, s.tokens, s.logprob, s.finish_reason) for s in greedy.values()}) == 1
    cold = _draw(programs, [_request(0, 4)], _sampling(temperature=0.01))
    assert {sample.text for sample in cold.values()} == {greedy["programs/070", 10].text}


def test_a_truncated_sample_is_a_prefix_of_the_whole_one(programs):
    whole = _draw(programs, [_request(0, 6)], _sampling())
    for key, sample in _draw(programs, [_request(0, 6)], _sampling(max_tokens=20)).items():
        assert sample.finish_reason == "length"
        assert sample.tokens == 20
        assert tokens_of(whole[key]) > 20
        assert whole[key].text.startswith(sample.text)


def test_a_text_ends_at_the_end_of_text_token_or_at_a_stop_string(programs):
    whole = _draw(programs, [_request(0, 6)], _sampling())
    assert {sample.finish_reason for sample in whole.values()} == {"stop"}
    stopped = _draw(programs, [_request(0, 6)], _sampling(stop=("print", "\nxs")))
    for key, sample in stopped.items():
        cut = min(place for stop in ("print", "\nxs") if (place := whole[key].text.find(stop)) >= 0)
        assert sample.text == whole[key].text[:cut]
        assert sample.finish_reason == "stop"
        assert tokens_of(sample) < tokens_of(whole[key])


def test_log_probability_and_counts_agree_with_one_pass_over_the_text(programs: OnnxEngine):
    """The whole text in one pass without the cache gives the same sum as drawing it token by token."""
    sampling = _sampling(max_tokens=25, temperature=0.8)
    for sample in _draw(programs, [_request(0, 3)], sampling).values():
        prompt = programs.tokenizer.encode(_request(0, 3).prompt).ids
        answer = programs.tokenizer.encode(sample.text).ids
        assert (sample.prompt_tokens, sample.tokens) == (len(prompt), len(answer))
        log_p = logits(programs, prompt + answer).astype(np.float64)
        log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
        expected = sum(log_p[len(prompt) - 1 + i, token] for i, token in enumerate(answer))
        assert sample.logprob == pytest.approx(expected, abs=1e-3)


def test_empty_requests_yield_no_samples(programs):
    assert list(programs.sample([], _sampling())) == []
    assert list(programs.sample([_request(5, 5)], _sampling())) == []
    assert len(_draw(programs, [_request(5, 5), _request(5, 6)], _sampling())) == 1


def test_closing_the_generator_stops_the_batch_in_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    before = threading.active_count()
    engine = OnnxConfig(model="programs", threads=2, batch_size=2048).open()
    steps: list[int] = []
    run = engine.decoder.run

    def counted(ids: Any, *rest: Any) -> Any:
        steps.append(len(ids))
        return run(ids, *rest)

    monkeypatch.setattr(engine.decoder, "run", counted)
    list(engine.sample([_request(0, 2)], _sampling()))
    whole = len(steps)
    steps.clear()
    few_and_many = engine.sample([_request(0, 2), _request(2, 2000)], _sampling())
    next(few_and_many)
    few_and_many.close()
    assert threading.active_count() == before
    assert sum(rows > 100 for rows in steps) < whole / 2


def test_the_context_bounds_prompt_and_completion(tmp_path):
    folder = _copy(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    read = len(Tokenizer.from_file(str(folder / "tokenizer.json")).encode(_request(0, 1).prompt).ids)
    (folder / "config.json").write_text(json.dumps(config | {"max_position_embeddings": read + 5}))
    with OnnxConfig(model=str(folder)).open() as engine:
        sample = _draw(engine, [_request(0, 1)], _sampling())["programs/070", 0]
        assert (sample.prompt_tokens, sample.tokens) == (read, 5)
        assert sample.finish_reason == "length"
        long = Request("long", "word " * 100, 0, 1)
        with pytest.raises(UserError, match=rf"problem 'long'.* tokens, and the model's context is {read + 5} tokens"):
            _draw(engine, [long], _sampling())
        with pytest.raises(UserError, match=r"problem 'none'.*empty"):
            _draw(engine, [Request("none", "", 0, 1)], _sampling())


def test_end_tokens_come_from_the_configuration_files(tmp_path):
    folder = _copy(tmp_path)
    newline = OnnxConfig(model="programs").open().tokenizer.encode("\n").ids[0]
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [newline, 0]}))
    with OnnxConfig(model=str(folder)).open() as engine:
        assert "\n" not in _draw(engine, [_request(0, 1)], _sampling())["programs/070", 0].text
    (folder / "generation_config.json").unlink()
    (folder / "config.json").write_text(json.dumps({"eos_token_id": newline}))
    with OnnxConfig(model=str(folder)).open() as engine:
        assert "\n" not in _draw(engine, [_request(0, 1)], _sampling())["programs/070", 0].text


def test_the_fingerprint_depends_on_content_only(tmp_path):
    folder = _copy(tmp_path)
    bundled = OnnxConfig(model="programs").fingerprint()
    (folder / "README.md").write_text("Another card.")
    assert OnnxConfig(model=str(folder), batch_size=3).fingerprint() == bundled
    (folder / "generation_config.json").write_text("{}")
    assert OnnxConfig(model=str(folder)).fingerprint() != bundled


def test_ingredients_leave_out_batch_size_threads_and_device():
    one = OnnxConfig(model="programs", batch_size=1, threads=1).ingredients(_sampling(), "t")
    two = OnnxConfig(model="programs", batch_size=9, threads=2).ingredients(_sampling(), "t")
    assert one == two
    assert one != OnnxConfig(model="programs").ingredients(_sampling(temperature=0.7), "t")
    assert one != OnnxConfig(model="arithmetic").ingredients(_sampling(), "t")
    json.dumps(canonical(one))


def test_the_error_about_a_missing_model_lists_the_bundled_ones(tmp_path):
    with pytest.raises(UserError, match=r"no folder 'nowhere'.*arithmetic, programs"):
        OnnxConfig(model="nowhere").check([], 1)
    with pytest.raises(UserError, match=r"has no model.onnx and no tokenizer.json"):
        OnnxConfig(model=str(tmp_path)).check([], 1)
    with pytest.raises(UserError, match="no folder"):
        OnnxConfig(model="nowhere").open()


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", "generation_config.json", "model.safetensors"])
def test_the_error_about_a_broken_file_names_it_in_one_line(tmp_path, name):
    folder = _copy(tmp_path)
    (folder / name).write_bytes(b"neither one thing nor another")
    with pytest.raises(UserError, match=name if name != "model.safetensors" else "model.onnx") as caught:
        OnnxConfig(model=str(folder)).open()
    assert "\n" not in str(caught.value)


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(BUNDLED / "programs", folder / "model"))


def test_a_decoder_with_another_architecture_is_as_reproducible(tmp_path):
    """A float16 cache, several key-value heads, int32 ids, no position_ids: all of this is read from the graph."""
    folder = Path(shutil.copytree(Path(__file__).parent / "half_model", tmp_path / "model"))
    shutil.copy(BUNDLED / "programs" / "tokenizer.json", folder)
    sampling = _sampling(temperature=1.0, max_tokens=30, stop=())
    with OnnxConfig(model=str(folder), threads=1).open() as engine:
        whole = _draw(engine, [_request(0, 24)], sampling)
    with OnnxConfig(model=str(folder), threads=2, batch_size=5).open() as engine:
        assert _draw(engine, [_request(0, 7), _request(7, 24)], sampling) == whole
        sample = whole["programs/070", 3]
        ids = engine.tokenizer.encode(_request(3, 4).prompt).ids
        drawn = _draw(engine, [_request(3, 4)], _sampling(temperature=1.0, max_tokens=1, stop=()))
        first = engine.tokenizer.encode(drawn["programs/070", 3].text).ids
        log_p = logits(engine, ids).astype(np.float64)[-1]
        assert drawn["programs/070", 3].logprob == pytest.approx(
            log_p[first[0]] - np.log(np.exp(log_p).sum()), abs=1e-2
        )
    assert len({s.text for s in whole.values()}) == 24
    assert sample.prompt_tokens is not None
    assert (sample.prompt_tokens + tokens_of(sample), sample.finish_reason) == (96, "length")
