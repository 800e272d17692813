import numpy as np
import pytest

from tasks.costs.flops import ModelShape, shape_of
from tasks.errors import UserError

LLAMA_3_8B = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "tie_word_embeddings": False,
    "vocab_size": 128256,
}
LLAMA_3_70B = LLAMA_3_8B | {
    "hidden_size": 8192,
    "intermediate_size": 28672,
    "num_attention_heads": 64,
    "num_hidden_layers": 80,
}
GEMMA_2B = {
    "model_type": "gemma",
    "head_dim": 256,
    "hidden_size": 2048,
    "intermediate_size": 16384,
    "num_attention_heads": 8,
    "num_hidden_layers": 18,
    "num_key_value_heads": 1,
    "vocab_size": 256000,
}
PYTHIA_70M = {
    "model_type": "gpt_neox",
    "hidden_size": 512,
    "intermediate_size": 2048,
    "num_attention_heads": 8,
    "num_hidden_layers": 6,
    "vocab_size": 50304,
}
GPT_2 = {"model_type": "gpt2", "n_embd": 768, "n_layer": 12, "n_head": 12, "n_positions": 1024, "vocab_size": 50257}
MIXTRAL_8X7B = {
    "model_type": "mixtral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "vocab_size": 32000,
}


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (LLAMA_3_8B, 8_030_261_248),
        (LLAMA_3_70B, 70_553_706_496),
        (GEMMA_2B, 2_506_172_416),
        (PYTHIA_70M, 70_426_624),
        (GPT_2, 124_439_808),
        (MIXTRAL_8X7B, 12_879_925_248),  # of 46.7 thousand millions, those of two experts of eight
    ],
)
def test_the_parameters_of_known_models_are_derived(config, parameters):
    assert shape_of(config, "config.json").parameters == parameters


def test_the_shape_of_a_model_is_read_from_its_text_model():
    shape = shape_of({"model_type": "llava", "text_config": LLAMA_3_8B}, "config.json")
    assert shape == ModelShape(8_030_261_248, 32, 4096)


def test_given_parameters_are_taken_for_a_model_of_any_kind():
    config = {"model_type": "novel", "n_layer": 10, "d_model": 64}
    assert shape_of(config, "config.json", 500) == ModelShape(500, 10, 64)


def test_flops_of_a_token_follow_the_papers_formula():
    assert ModelShape(1_000, 2, 8).flops(np.array([1]), np.array([100])).tolist() == [2 * (1_000 + 2 * 2 * 8 * 100)]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "c.json: has no num_hidden_layers; give the model's config.json, not a file with nothing"),
        ({"num_hidden_layers": 3, "vocab_size": 9}, "c.json: has no hidden_size"),
        ({"num_hidden_layers": 0, "hidden_size": 3}, "has no num_hidden_layers"),
        ({"num_hidden_layers": True, "hidden_size": 3}, "has no num_hidden_layers"),
        ({"num_hidden_layers": "3", "hidden_size": 3}, "has no num_hidden_layers"),
        ({"num_hidden_layers": 3, "hidden_size": 3}, "a model of type None cannot be derived; give .* --parameters"),
        (LLAMA_3_8B | {"model_type": "deepseek_v2"}, "a model of type 'deepseek_v2' cannot be derived"),
        ({**LLAMA_3_8B, "vocab_size": None}, "c.json: has no vocab_size"),
    ],
)
def test_a_config_that_lacks_something_is_told_in_one_line(config, message):
    with pytest.raises(UserError, match=message) as told:
        shape_of(config, "c.json")
    assert "\n" not in str(told.value)
