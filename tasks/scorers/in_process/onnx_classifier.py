"""A sequence classifier in ONNX Runtime. `tasks.scorers.onnx` opens it, and says what its scores are."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding

from tasks.engines.in_process.engine import read_json, read_tokenizer
from tasks.engines.in_process.onnx_session import open_session
from tasks.errors import ScoringCancelledError, UserError
from tasks.scorers import NOTHING, Candidate, Spent, Unscored
from tasks.scorers.in_process.probabilities import probabilities

_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_MAX_CANDIDATES = 512


class OnnxClassifier:
    """A loaded model; each thread scores one text at a time."""

    max_concurrent_calls = 1
    max_candidates = _MAX_CANDIDATES

    def __init__(
        self,
        folder: Path,
        shared: Path,
        *,
        reads: Literal["question", "prompt"],
        probability: bool,
        label: int,
        max_tokens: int | None,
        threads: int,
    ) -> None:
        self.version = f"onnxruntime {onnxruntime.__version__}"
        self._tokenizer = read_tokenizer(shared / "tokenizer.json")
        self._reads = reads
        self._probability = probability
        self._label = label
        self._max_tokens = max_tokens or read_json(shared / "config.json").get("max_position_embeddings")
        self._cancelled = threading.Event()
        self._spent = NOTHING
        self._lock = threading.Lock()
        self._load(folder / "model.onnx", shared)
        self._pool = ThreadPoolExecutor(threads, "scoring")

    def _load(self, path: Path, weights: Path) -> None:
        self._session = open_session(path, weights)
        inputs = {each.name: each.type for each in self._session.get_inputs()}
        known = {"input_ids", "attention_mask", "token_type_ids"}
        if "input_ids" not in inputs or not inputs.keys() <= known or not set(inputs.values()) <= _INTEGERS.keys():
            raise UserError(
                f"{path}: its inputs are {', '.join(inputs)}; a sequence classifier has input_ids and optionally"
                " attention_mask and token_type_ids, all integers"
            )
        self._inputs = {name: _INTEGERS[kind] for name, kind in inputs.items()}
        outputs = [each.name for each in self._session.get_outputs()]
        if "logits" not in outputs:
            raise UserError(f"{path}: its outputs are {', '.join(outputs)}; a sequence classifier has logits")
        self._path = path

    def score(self, candidates: Sequence[Candidate]) -> list[float | Unscored]:
        """See `Scorer`.

        Raises:
            UserError: the graph does not give each text a row of logits, or has fewer labels than `label_index` needs.
            ScoringCancelledError: `cancel` was called, or the scorer was closed.
        """
        pairs = [(each.read(self._reads), each.text) for each in candidates]
        scores = self._pool.map(self._run, self._tokenizer.encode_batch(pairs))
        return list(scores)

    def _run(self, text: Encoding) -> float | Unscored:
        """The score of one text."""
        if self._cancelled.is_set():
            raise ScoringCancelledError("scoring was cancelled")
        if self._max_tokens is not None and len(text.ids) > self._max_tokens:
            return Unscored(f"longer than {self._max_tokens:,} tokens")
        if not text.ids:
            return Unscored("no tokens")
        values = {"input_ids": text.ids, "attention_mask": text.attention_mask, "token_type_ids": text.type_ids}
        feed = {name: np.array([values[name]], dtype) for name, dtype in self._inputs.items()}
        logits: NDArray[Any] = self._session.run(["logits"], feed)[0]
        with self._lock:
            self._spent = self._spent.plus(Spent.reading([len(text.ids)]))
        if logits.ndim == 1:
            logits = logits[:, None]
        if logits.ndim != 2 or len(logits) != 1:
            raise UserError(f"{self._path}: its logits are {list(logits.shape)} for a text; [1, labels] was expected")
        if self._label >= logits.shape[1]:
            raise UserError(f"scorers.label_index: {self._path} has {logits.shape[1]} labels, counted from 0")
        chosen = probabilities(logits) if self._probability else logits
        return float(chosen[0, self._label])

    @property
    def spent(self) -> Spent:
        """The tokens that it has read."""
        with self._lock:
            return self._spent

    def cancel(self) -> None:
        """End all calls after the texts that they are scoring."""
        self._cancelled.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._cancelled.set()
        self._pool.shutdown(cancel_futures=True)
