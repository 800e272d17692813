"""An ONNX decoder with its key-value cache: any export with `past_key_values` inputs, on one CPU thread per call.

All rows of a batch have the same length: they are samples of one prompt, drawn token by token together. As no sequence
is ever padded, the sums inside attention do not depend on the batch.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.engines.in_process.onnx_session import open_session
from tasks.engines.in_process.sampling import Choice, Floats, choose
from tasks.errors import UserError

MINIMUM_ROWS = 2
"""A single row takes ONNX Runtime's matrix-vector path, which rounds differently from its matrix-matrix path. With at
least two rows, each row's result is bit-identical in batches of any size (tested; ONNX Runtime does not guarantee
it)."""

PAST, PRESENT = "past_key_values.", "present."
FLOATS: dict[str, type[np.floating]] = {"tensor(float)": np.float32, "tensor(float16)": np.float16}
INTEGERS: dict[str, type[np.integer]] = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


@dataclass(frozen=True, slots=True)
class Prefill:
    """The state after a prompt: the logits after its last token [vocabulary], its cache (one row) and its length."""

    logits: NDArray[np.floating]
    cache: dict[str, NDArray[np.floating]]
    length: int


@dataclass(frozen=True, slots=True)
class CacheInput:
    """A cache input, [rows, heads, past, head], and the output with the new tokens appended."""

    name: str
    output: str
    heads: int
    head: int
    dtype: type[np.floating]


class Decoder:
    """A loaded model. Safe to use from several threads: the state of a batch is in its `Batch`."""

    minimum_rows = MINIMUM_ROWS

    def __init__(self, path: Path) -> None:
        import onnxruntime  # slow to import, and only needed for drawing samples

        self.session = open_session(path)
        self.version = f"onnxruntime {onnxruntime.__version__}"
        self.make_value = onnxruntime.OrtValue.ortvalue_from_numpy
        self._read_signature(path)

    def _read_signature(self, path: Path) -> None:
        """Read the graph's inputs and outputs, and refuse a graph with other inputs than this decoder can provide."""
        inputs = {value.name: value for value in self.session.get_inputs()}
        outputs = [value.name for value in self.session.get_outputs()]
        integers = {name: INTEGERS.get(value.type) for name, value in inputs.items() if not name.startswith(PAST)}
        unknown = [name for name in integers if name not in {"input_ids", "attention_mask", "position_ids"}]
        if unknown or "input_ids" not in inputs:
            raise UserError(
                f"{path}: its inputs are {', '.join(integers)}; they must be input_ids, past_key_values.N.key and"
                " .value, and optionally attention_mask and position_ids"
            )
        self.integers: dict[str, type[np.integer]] = {}
        for name, dtype in integers.items():
            if dtype is None:
                raise UserError(f"{path}: input {name} is {inputs[name].type}; it must be int64 or int32")
            self.integers[name] = dtype
        self.caches = [_cache_input(path, value, outputs) for name, value in inputs.items() if name.startswith(PAST)]
        if not self.caches or "logits" not in outputs:
            raise UserError(f"{path}: not a decoder with a cache (no past_key_values.* input or no logits output)")
        self.fetched = ["logits", *(cache.output for cache in self.caches)]

    def run(self, ids: NDArray[np.int64], past: int, cache: dict[str, Any]) -> list[Any]:
        """One pass over new tokens [rows, new] after `past` cached ones: logits and extended caches, as OrtValues."""
        rows, new = ids.shape
        total = past + new
        values = {
            "input_ids": ids,
            "attention_mask": np.ones((rows, total)),
            "position_ids": np.broadcast_to(np.arange(past, total), (rows, new)),
        }
        feed = {
            name: self.make_value(np.ascontiguousarray(values[name], dtype)) for name, dtype in self.integers.items()
        }
        outputs: list[Any] = self.session.run_with_ort_values(self.fetched, feed | cache)
        return outputs

    def prefill(self, ids: list[int]) -> Prefill:
        """Run the model on a prompt, once for all samples of it; always as one row, so that the bits never differ."""
        empty = {
            cache.name: self.make_value(np.zeros((1, cache.heads, 0, cache.head), cache.dtype)) for cache in self.caches
        }
        logits, *presents = self.run(np.array([ids], np.int64), 0, empty)
        cache = {c.name: present.numpy() for c, present in zip(self.caches, presents, strict=True)}
        return Prefill(logits.numpy()[0, -1], cache, len(ids))

    def expand(self, prefill: Prefill, rows: int) -> "Batch":
        """A batch of continuations of one prompt; `rows` is at least `MINIMUM_ROWS`."""
        cache = {name: self.make_value(np.repeat(value, rows, axis=0)) for name, value in prefill.cache.items()}
        return Batch(self, prefill.length, cache, np.repeat(prefill.logits[None], rows, axis=0))


class Batch:
    """Rows that continue one prompt, each by one token per step. `logits`, [rows, vocabulary]: of the next tokens."""

    def __init__(self, decoder: Decoder, length: int, cache: dict[str, Any], logits: NDArray[np.floating]) -> None:
        self.decoder = decoder
        self.length = length
        self.cache = cache
        self.logits = logits

    def choose(self, rows: NDArray[np.int64], temperature: float, top_p: float, u: Floats, top: int) -> Choice:
        """Draw the next token of these rows."""
        return choose(self.logits[rows], temperature, top_p, u, top)

    def step(self, tokens: NDArray[np.int64]) -> NDArray[np.floating]:
        """Append one token to each row ([rows]); returns the logits of the next tokens, [rows, vocabulary]."""
        logits, *presents = self.decoder.run(tokens[:, None], self.length, self.cache)
        self.cache = {c.name: present for c, present in zip(self.decoder.caches, presents, strict=True)}
        self.length += 1
        self.logits = logits.numpy()[:, -1]
        return self.logits

    def select(self, rows: NDArray[np.int64]) -> None:
        """Keep only these rows, at least `MINIMUM_ROWS`, in this order; `logits` is stale until the next step."""
        self.cache = {name: self.decoder.make_value(value.numpy()[rows]) for name, value in self.cache.items()}


def _cache_input(path: Path, value: Any, outputs: list[str]) -> CacheInput:
    output = value.name.replace(PAST, PRESENT, 1)
    shape = value.shape
    if output not in outputs:
        raise UserError(f"{path}: input {value.name} has no output {output}")
    if len(shape) != 4 or not isinstance(shape[1], int) or not isinstance(shape[3], int):
        raise UserError(f"{path}: input {value.name} is {shape}; it must be [batch, heads, past, head size]")
    if value.type not in FLOATS:
        raise UserError(f"{path}: input {value.name} is {value.type}; it must be float or float16")
    return CacheInput(value.name, output, shape[1], shape[3], FLOATS[value.type])
