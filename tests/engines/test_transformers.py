"""The transformers engine: bit-identical in any batch, equal to the ONNX engine, with faults reported in one line."""

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from monkeys.testing.engines import draw
from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.in_process.sampling import choose
from tasks.engines.model_files import BUNDLED
from tasks.engines.onnx import OnnxConfig
from tasks.engines.transformers import TransformersConfig
from tasks.errors import UserError
from tasks.store.identity import canonical
from tests.engines.contract import MODEL, logprob_of, request, sampling, tokens_of

try:
    import torch
    import transformers
except ImportError:
    torch = transformers = None

needs_torch = pytest.mark.skipif(torch is None, reason="torch and transformers not in this environment")

# Other architectures: biases and a sliding window shorter than the text; learned positions and other products; odd
# sizes.
FAMILIES = {
    "qwen2": {"num_key_value_heads": 2, "use_sliding_window": True, "sliding_window": 48, "max_window_layers": 1},
    "gpt2": {"n_inner": 96, "n_positions": 256},
    "odd": {"num_key_value_heads": 1, "hidden_size": 200, "num_attention_heads": 5, "intermediate_size": 333},
}


def _made(folder: Path, family: str) -> str:
    """A model of random weights with the bundled tokenizer."""
    torch.manual_seed(0)
    usual: dict[str, Any] = {
        "vocab_size": 512,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "eos_token_id": 0,
    }
    usual |= {"num_attention_heads": 4, "initializer_range": 0.3, "max_position_embeddings": 256}
    usual |= {"bos_token_id": None, "eos_token_id": 0}
    if family == "gpt2":
        usual.pop("intermediate_size")
    kind = "llama" if family == "odd" else family
    config = transformers.AutoConfig.for_model(kind, **usual | FAMILIES[family])
    transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    shutil.copy(BUNDLED / MODEL / "tokenizer.json", folder)
    return str(folder)


def _copy(folder: Path) -> Path:
    return Path(shutil.copytree(BUNDLED / MODEL, folder / "model", ignore=shutil.ignore_patterns("*.onnx")))


@needs_torch
@pytest.mark.parametrize("settings", [{}, {"top_p": 0.9, "temperature": 0.7, "stop": ("####",)}])
def test_samples_equal_those_of_the_onnx_engine(settings):
    """Both choose tokens by the same rule, and their logits differ only in the last bits."""
    requests = [request(0, 40, problem) for problem in (3, 20, 70)]
    with OnnxConfig(model=MODEL).open() as onnx, TransformersConfig(model=MODEL, device="cpu").open() as engine:
        expected, drawn = (draw(each, requests, sampling(**settings)) for each in (onnx, engine))
    assert {key: sample.text for key, sample in drawn.items()} == {key: s.text for key, s in expected.items()}
    assert all(abs(logprob_of(drawn[key]) - logprob_of(expected[key])) < 1e-3 for key in drawn)


@needs_torch
@pytest.mark.parametrize("family", ["qwen2", "gpt2"])
def test_samples_do_not_depend_on_batch_size_threads_or_cuts(tmp_path, family):
    """Also beyond the window, and beyond the initial size of the cache."""
    model = _made(tmp_path, family)
    settings = sampling(temperature=1.0, max_tokens=170)
    with TransformersConfig(model=model, device="cpu", threads=1, batch_size=48).open() as engine:
        assert engine.deterministic
        whole = draw(engine, [request(0, 48)], settings)
    assert len({sample.text for sample in whole.values()}) == 48
    assert max(tokens_of(sample) for sample in whole.values()) == 170
    for batch_size, threads, edges in [(1, 1, (7, 9)), (2, 2, (5, 9)), (19, 2, (0, 1, 33, 48))]:
        with TransformersConfig(model=model, device="cpu", threads=threads, batch_size=batch_size).open() as engine:
            for key, sample in draw(engine, [request(a, b) for a, b in pairwise(edges)], settings).items():
                assert sample == whole[key]


@needs_torch
@pytest.mark.parametrize("family", ["qwen2", "gpt2"])
def test_log_probabilities_agree_with_one_pass_over_the_text(tmp_path, family):
    model = _made(tmp_path, family)
    with TransformersConfig(model=model, device="cpu").open() as engine:
        settings = sampling(temperature=0.0, max_tokens=150)
        ((_, sample),) = draw(engine, [request(0, 1)], settings).items()
        ids = engine.tokenizer.encode(request(0, 1).prompt).ids
        with torch.inference_mode():
            for _ in range(tokens_of(sample)):
                ids.append(int(engine.decoder.model(torch.tensor([ids])).logits[0, -1].argmax()))
            log_p = engine.decoder.model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    expected = sum(float(log_p[i - 1, ids[i]]) for i in range(len(ids) - tokens_of(sample), len(ids)))
    assert sample.logprob == pytest.approx(expected, abs=1e-2)


@needs_torch
def test_the_engine_is_not_deterministic_if_the_trial_fails_or_precision_is_low(tmp_path):
    with TransformersConfig(model=_made(tmp_path, "odd"), device="cpu").open() as engine:
        assert not engine.deterministic, "this model's sizes are not multiples of the processor's vectors"
        assert len(draw(engine, [request(0, 9)], sampling())) == 9
    with TransformersConfig(model=MODEL, dtype="bfloat16", device="cpu").open() as engine:
        assert not engine.deterministic
        assert len(draw(engine, [request(0, 9)], sampling())) == 9


@needs_torch
@pytest.mark.parametrize(("temperature", "top_p"), [(0, 1.0), (1, 1.0), (0.6, 1.0), (1.0, 0.9), (2.0, 0.3), (1, 1e-9)])
def test_tokens_chosen_on_the_device_equal_those_chosen_in_numpy(temperature, top_p):
    from tasks.engines.in_process.transformers_decoder import sample_on_device

    rng = np.random.default_rng(0)
    logits = (4 * rng.standard_normal((400, 700))).astype(np.float32)
    logits[:, 300:320] = logits[:, 40:60]  # equal tokens
    logits[:50, 100:200] = -np.inf
    u = rng.random(400)
    u[:3] = 0.0, 1 - 2**-53, 0.5
    expected = choose(logits, temperature, top_p, u)
    chosen = sample_on_device(torch.from_numpy(logits), temperature, top_p, torch.from_numpy(u))
    assert (chosen.tokens == expected.tokens).all()
    assert np.allclose(chosen.logprobs, expected.logprobs, atol=1e-12)
    assert chosen.confidences is None
    for top in (1, 20):
        confident = sample_on_device(torch.from_numpy(logits), temperature, top_p, torch.from_numpy(u), top)
        assert (confident.tokens == expected.tokens).all()
        assert confident.confidences == pytest.approx(choose(logits, temperature, top_p, u, top).confidences, abs=1e-12)
    with pytest.raises(FloatingPointError):
        sample_on_device(torch.full((1, 3), torch.nan), temperature, top_p, torch.zeros(1))


@needs_torch
def test_a_model_without_tokenizer_json_is_loaded_with_a_converted_tokenizer(tmp_path):
    folder = _copy(tmp_path)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.json").write_text(json.dumps(tokenizer["model"]["vocab"]))
    merges = [each if isinstance(each, str) else " ".join(each) for each in tokenizer["model"]["merges"]]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]))
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "GPT2Tokenizer"}))
    with TransformersConfig(model=str(folder), device="cpu").open() as engine:
        ((_, sample),) = draw(engine, [request(0, 1)], sampling(temperature=0, max_tokens=120)).items()
    assert "\n####" in sample.text


@needs_torch
def test_confidences_are_those_of_the_onnx_engine():
    settings = ConfidenceSettings(top=5, window=12)
    drawn = []
    for config in (
        OnnxConfig(model=MODEL, confidence=settings),
        TransformersConfig(model=MODEL, device="cpu", confidence=settings),
    ):
        with config.open() as engine:
            drawn.append(draw(engine, [request(0, 2)], sampling(temperature=0)))
    for key, sample in drawn[0].items():
        other = drawn[1][key]
        assert sample.text == other.text
        assert sample.confidence is not None
        assert other.confidence is not None
        assert sample.confidence.lowest_group == pytest.approx(other.confidence.lowest_group, abs=1e-3)
        assert sample.confidence.mean == pytest.approx(other.confidence.mean, abs=1e-3)


@needs_torch
def test_end_tokens_come_from_the_generation_configuration(tmp_path):
    folder = _copy(tmp_path)
    newline = OnnxConfig(model=MODEL).open().tokenizer.encode("\n").ids[0]
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [newline, 0]}))
    with TransformersConfig(model=str(folder), device="cpu").open() as engine:
        ((_, sample),) = draw(engine, [request(0, 1)], sampling(temperature=0)).items()
    assert "\n" not in sample.text
    assert sample.finish_reason == "stop"


@needs_torch
def test_the_error_about_memory_names_the_settings_to_change():
    with TransformersConfig(model=MODEL, device="cpu").open() as engine:
        prefill = engine.decoder.prefill([1, 2, 3])
        with pytest.raises(UserError, match=r"lower engine\.batch_size") as caught:
            engine.decoder.expand(prefill, 2**44)
        assert "\n" not in str(caught.value)


@needs_torch
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_broken_file_is_reported_in_one_line(tmp_path, name):
    folder = _copy(tmp_path)
    (folder / name).write_bytes(b"neither one thing nor another")
    with pytest.raises(UserError, match=r"engine\.model|tokenizer\.json") as caught:
        TransformersConfig(model=str(folder)).open()
    assert "\n" not in str(caught.value)


@needs_torch
@pytest.mark.skipif(torch is not None and torch.cuda.is_available(), reason="there is a GPU here")
def test_a_missing_gpu_is_reported_in_one_line():
    with pytest.raises(UserError, match=r"engine.device: PyTorch finds no GPU"):
        TransformersConfig(model=MODEL, device="cuda").open()


@pytest.mark.skipif(torch is not None, reason="torch is here")
def test_without_pytorch_the_error_says_what_to_install():
    with pytest.raises(UserError, match="make extra-transformers"):
        TransformersConfig(model=MODEL).check([], 1)
    assert TransformersConfig(model=MODEL).ingredients(sampling(), "t"), "what a set depends on needs no PyTorch"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "/no/where"}, "no folder '/no/where'.*arithmetic, programs"),
        ({"model": "a/b/c"}, "no folder 'a/b/c'"),
        ({"model": "."}, r"has no config\.json"),
        ({"model": MODEL, "revision": "main"}, "only a model on the hub has revisions"),
    ],
)
def test_an_impossible_model_name_is_reported_before_the_hub_is_asked(tmp_path, monkeypatch, settings, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        TransformersConfig(**settings).ingredients(sampling(), "t")


def test_a_hub_that_does_not_answer_is_reported_in_one_line(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="no folder nobody/nothing, and the hub could not provide it") as caught:
        TransformersConfig(model="nobody/nothing").ingredients(sampling(), "t")
    assert "\n" not in str(caught.value)


def test_ingredients_leave_out_batch_size_threads_and_device(tmp_path):
    one = TransformersConfig(model=MODEL).ingredients(sampling(), "t")
    folder = _copy(tmp_path)
    changed = TransformersConfig(model=str(folder), batch_size=2, threads=1, device="cpu").ingredients(sampling(), "t")
    assert one != changed, "the folder lacks model.onnx"
    assert one == TransformersConfig(model=MODEL, batch_size=2, threads=1, device="cpu").ingredients(sampling(), "t")
    assert one != TransformersConfig(model=MODEL, dtype="bfloat16").ingredients(sampling(), "t")
    json.dumps(canonical(one))
