"""FLOPs of inference, as Brown et al. count them (arXiv 2407.21787, appendix): 2 (parameters + 2 · layers · hidden ·
context) for each token, where the context is the number of tokens up to it, and the prompt of a problem counts once
for all of its samples."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tasks.costs.parameters import parameters_of
from tasks.errors import UserError
from tasks.scaling.arrays import Floats, Ints

_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_HIDDEN = ("hidden_size", "n_embd", "d_model")


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What FLOPs depend on: the parameters that a token passes through, the number of layers, and their width."""

    parameters: int
    layers: int
    hidden: int

    def flops(self, tokens: Ints | Floats, context: Ints | Floats) -> Floats:
        """FLOPs of some tokens, whose context lengths have the sum `context`; of the shape of both."""
        weights, attention = float(self.parameters) * tokens, 2.0 * self.layers * self.hidden * context
        return np.asarray(2.0 * (weights + attention), dtype=np.float64)


def shape_of(config: Mapping[str, Any], where: str, parameters: int | None = None) -> ModelShape:
    """The shape of a model, from its config.json as the Hugging Face hub has it.

    Args:
        config: the document.
        where: the file, for messages.
        parameters: the number of parameters that a token passes through; None derives it from the config.

    Raises:
        UserError: the config has no number of layers or no hidden size, or the parameters cannot be derived from it.
    """
    text = config.get("text_config")
    inner = text if isinstance(text, dict) else config
    layers, hidden = (_number(inner, names, where) for names in (_LAYERS, _HIDDEN))
    return ModelShape(parameters_of(inner, where) if parameters is None else parameters, layers, hidden)


def _number(config: Mapping[str, Any], names: tuple[str, ...], where: str) -> int:
    for name in names:
        value = config.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    known = ", ".join(sorted(map(str, config))[:6]) or "nothing"
    raise UserError(f"{where}: has no {names[0]}; give the model's config.json, not a file with {known}")
