"""Write a trained model as a Hugging Face folder with an ONNX graph that uses the same weights file.

The graph's initializers are external data in `model.safetensors`, so no weight is stored twice. When a session loads
the graph, the casts and transposes of the stored weights are folded into constants.
"""

import json
from pathlib import Path

import onnx
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import float16

from infra.training.graph import DecoderGraph
from infra.training.llama import Llama
from infra.training.shape import Shape
from infra.training.tokenizer import END, END_ID

WEIGHTS = "model.safetensors"


def export(model: Llama, shape: Shape, tokenizer: Tokenizer, folder: Path) -> None:
    """Write the weights, configurations, tokenizer and `model.onnx` to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().to(float16).contiguous() for name, value in model.state_dict().items()}
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    tokenizer.save(str(folder / "tokenizer.json"))
    for name, content in _configs(shape).items():
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    (folder / WEIGHTS).chmod(0o644)
    onnx.save(DecoderGraph(shape, folder / WEIGHTS).model(), folder / "model.onnx")
    onnx.checker.check_model(folder / "model.onnx")


def _configs(shape: Shape) -> dict[str, dict[str, object]]:
    tokens: dict[str, object] = {"bos_token_id": None, "eos_token_id": END_ID, "pad_token_id": END_ID}
    return {
        "config.json": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": shape.vocabulary,
            "hidden_size": shape.hidden,
            "intermediate_size": shape.feed_forward,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "num_key_value_heads": shape.kv_heads,
            "head_dim": shape.head,
            "hidden_act": "silu",
            "max_position_embeddings": shape.positions,
            "rms_norm_eps": shape.norm_epsilon,
            "rope_theta": shape.rope_theta,
            "attention_bias": False,
            "mlp_bias": False,
            "tie_word_embeddings": True,
            "torch_dtype": "float16",
            **tokens,
        },
        "generation_config.json": tokens,
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "pad_token": END,
            "model_max_length": shape.positions,
            "clean_up_tokenization_spaces": False,
        },
    }
