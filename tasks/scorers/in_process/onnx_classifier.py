"""A sequence classifier in ONNX Runtime. `tasks.scorers.onnx` opens it, and says what its scores are."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding

from tasks.engines.in_process.engine import read_json, read_tokenizer
from tasks.errors import ScoringCancelledError, UserError
from tasks.scorers import Candidate, Unscored

WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
MINIMUM_ROWS = 2
"""A single row takes another path of ONNX Runtime, which rounds differently; it is computed twice."""

_INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_MAX_CANDIDATES = 512


class OnnxClassifier:
    """A loaded model; each thread runs one batch at a time."""

    max_concurrent_calls = 1
    max_candidates = _MAX_CANDIDATES

    def __init__(
        self,
        folder: Path,
        shared: Path,
        *,
        reads: str,
        probability: bool,
        label: int,
        max_tokens: int | None,
        batch_size: int,
        threads: int,
    ) -> None:
        self.version = f"onnxruntime {onnxruntime.__version__}"
        self._tokenizer = read_tokenizer(shared / "tokenizer.json")
        self._reads = reads
        self._probability = probability
        self._label = label
        self._max_tokens = max_tokens or read_json(shared / "config.json").get("max_position_embeddings")
        self._batch_size = batch_size
        self._cancelled = threading.Event()
        self._load(folder / "model.onnx", shared)
        self._pool = ThreadPoolExecutor(threads, "scoring")

    def _load(self, path: Path, weights: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry(WEIGHTS_FOLDER, str(weights))
        try:
            self._session = onnxruntime.InferenceSession(path.read_bytes(), options, ["CPUExecutionProvider"])
        except Exception as error:
            raise UserError(f"{path}: ONNX Runtime cannot load it: {str(error).splitlines()[0]}") from error
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
        pairs = [(each.prompt if self._reads == "prompt" else each.question, each.text) for each in candidates]
        encoded = self._tokenizer.encode_batch(pairs)
        found: list[float | Unscored] = [Unscored("no tokens")] * len(candidates)
        by_length: dict[int, list[int]] = {}
        for row, encoding in enumerate(encoded):
            length = len(encoding.ids)
            if self._max_tokens is not None and length > self._max_tokens:
                found[row] = Unscored(f"longer than {self._max_tokens:,} tokens")
            elif length:
                by_length.setdefault(length, []).append(row)
        size = self._batch_size
        batches = [rows[at : at + size] for rows in by_length.values() for at in range(0, len(rows), size)]
        scores = self._pool.map(lambda rows: self._run([encoded[row] for row in rows]), batches)
        for rows, of_rows in zip(batches, scores, strict=True):
            for row, score in zip(rows, of_rows, strict=True):
                found[row] = score
        return found

    def _run(self, batch: Sequence[Encoding]) -> list[float]:
        """The scores of texts of equal length."""
        if self._cancelled.is_set():
            raise ScoringCancelledError("scoring was cancelled")
        padded = [*batch, *[batch[0]] * (MINIMUM_ROWS - len(batch))]
        values = {
            "input_ids": [each.ids for each in padded],
            "attention_mask": [each.attention_mask for each in padded],
            "token_type_ids": [each.type_ids for each in padded],
        }
        feed = {name: np.array(values[name], dtype) for name, dtype in self._inputs.items()}
        logits: NDArray[Any] = self._session.run(["logits"], feed)[0]
        if logits.ndim == 1:
            logits = logits[:, None]
        if logits.shape[:1] != (len(padded),) or logits.ndim != 2:
            raise UserError(
                f"{self._path}: its logits are {list(logits.shape)} for {len(padded)} texts; [texts, labels]"
                " were expected"
            )
        if self._label >= logits.shape[1]:
            raise UserError(f"scorers.label_index: {self._path} has {logits.shape[1]} labels, counted from 0")
        chosen = probabilities(logits) if self._probability else logits
        scores: list[float] = chosen[: len(batch), self._label].astype(float).tolist()
        return scores

    def cancel(self) -> None:
        """End all calls after the batch that they are running."""
        self._cancelled.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._cancelled.set()
        self._pool.shutdown(cancel_futures=True)


def probabilities(logits: NDArray[Any]) -> NDArray[np.float64]:
    """The probability of each label, [texts, labels]: softmax, or the sigmoid if there is only one label."""
    values = logits.astype(np.float64)
    if values.shape[1] == 1:
        values = np.concatenate([values, np.zeros_like(values)], axis=1)
    exponents = np.exp(values - values.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = exponents / exponents.sum(axis=1, keepdims=True)
    return shares[:, : logits.shape[1]]
