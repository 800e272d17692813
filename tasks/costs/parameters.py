"""How many parameters a token passes through, from a model's config.json: all of a dense model, and of a mixture of
experts those of the experts that work on one token. Embeddings count, as they do in the sizes that models are known by;
where the output shares them with the input, they count once."""

from collections.abc import Mapping
from typing import Any

from tasks.errors import UserError

_TIED = {"gemma", "gpt2"}
"""Kinds of model that share embeddings unless the config says otherwise."""
_LLAMA_LIKE = {"llama", "mistral", "mixtral", "qwen2", "qwen3", "qwen3_moe", "gemma"}


def parameters_of(config: Mapping[str, Any], where: str) -> int:
    """The number of parameters.

    Args:
        config: the text model's config.json.
        where: the file, for messages.

    Raises:
        UserError: this kind of model is not known, or a number is missing.
    """
    kind = config.get("model_type")
    if kind in _LLAMA_LIKE:
        return _llama_like(_Numbers(config, where), str(kind))
    if kind == "gpt_neox":
        return _gpt_neox(_Numbers(config, where))
    if kind == "gpt2":
        return _gpt2(_Numbers(config, where))
    raise UserError(
        f"{where}: the parameters of a model of type {kind!r} cannot be derived; give those that a token passes "
        "through with --parameters SET=NUMBER"
    )


class _Numbers:
    """The whole numbers of a config."""

    def __init__(self, config: Mapping[str, Any], where: str) -> None:
        self.config = config
        self._where = where

    def __getitem__(self, name: str) -> int:
        value = self.config.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
            raise UserError(
                f"{self._where}: has no {name}, so its parameters cannot be counted; add it, or give "
                "--parameters SET=NUMBER"
            )
        return value

    def get(self, name: str, default: int) -> int:
        return default if self.config.get(name) is None else self[name]

    def flag(self, name: str, default: bool) -> bool:
        return bool(self.config.get(name, default))


def _llama_like(of: _Numbers, kind: str) -> int:
    """RMS norms, rotary positions, gated MLPs, and heads that share keys and values."""
    hidden, heads = of["hidden_size"], of["num_attention_heads"]
    size = of.get("head_dim", hidden // heads)
    queries, keys = heads * size, of.get("num_key_value_heads", heads) * size
    attention = 2 * hidden * queries + 2 * hidden * keys
    if kind == "qwen2":
        attention += queries + 2 * keys
    elif of.flag("attention_bias", default=False):
        attention += queries + 2 * keys + hidden
    if kind.startswith("qwen3"):
        attention += 2 * size
    if kind in {"mixtral", "qwen3_moe"}:
        experts = of["num_experts"] if kind == "qwen3_moe" else of["num_local_experts"]
        width = of["moe_intermediate_size"] if kind == "qwen3_moe" else of["intermediate_size"]
        mlp = hidden * experts + of["num_experts_per_tok"] * 3 * hidden * width
    else:
        mlp = 3 * hidden * of["intermediate_size"]
    if of.flag("mlp_bias", default=False):
        mlp += 2 * of["intermediate_size"] + hidden
    embeddings = of["vocab_size"] * hidden * (1 if of.flag("tie_word_embeddings", default=kind in _TIED) else 2)
    return embeddings + of["num_hidden_layers"] * (attention + mlp + 2 * hidden) + hidden


def _gpt_neox(of: _Numbers) -> int:
    """Layer norms with bias, biases everywhere, rotary positions."""
    hidden, width = of["hidden_size"], of["intermediate_size"]
    layer = 4 * hidden**2 + 4 * hidden + 2 * hidden * width + width + hidden + 4 * hidden
    embeddings = of["vocab_size"] * hidden * (1 if of.flag("tie_word_embeddings", default=False) else 2)
    return embeddings + of["num_hidden_layers"] * layer + 2 * hidden


def _gpt2(of: _Numbers) -> int:
    """As above, with learned positions and embeddings shared with the output."""
    hidden = of["n_embd"]
    width = of.get("n_inner", 4 * hidden)
    layer = 4 * hidden**2 + 4 * hidden + 2 * hidden * width + width + hidden + 4 * hidden
    return (of["vocab_size"] + of["n_positions"]) * hidden + of["n_layer"] * layer + 2 * hidden
