"""A classifier of transformers. `tasks.scorers.transformers` opens it, and says what its scores are."""

import threading
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
import transformers

from sandboxes.errors import first_line
from tasks.errors import ScoringCancelledError, UserError
from tasks.scorers import NOTHING, Candidate, Spent, Unscored
from tasks.scorers.in_process.probabilities import probabilities
from tasks.scorers.steps import combined, marked
from tasks.scorers.transformers import TransformersScorerConfig

_MAX_CANDIDATES = 64


class TorchClassifier:
    """A loaded model, which scores one text at a time."""

    max_concurrent_calls = 1
    max_candidates = _MAX_CANDIDATES

    def __init__(self, config: TransformersScorerConfig, commit: str | None) -> None:
        self.version = f"transformers {transformers.__version__}, torch {torch.__version__}"
        self._config = config
        self._cancelled = threading.Event()
        self.spent = NOTHING
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        available: bool = torch.cuda.is_available()
        if config.device == "cuda" and not available:
            raise UserError("scorers.device: PyTorch finds no GPU here; use cpu or auto")
        kind = (
            transformers.AutoModelForSequenceClassification
            if config.steps is None
            else transformers.AutoModelForTokenClassification
        )
        options = {"revision": commit, "trust_remote_code": config.trust_remote_code}
        try:
            model, loading = kind.from_pretrained(
                config.model, dtype=getattr(torch, config.dtype), output_loading_info=True, **options
            )
            self._model = model.to("cuda" if available and config.device != "cpu" else "cpu").eval()
            self._tokenizer = transformers.AutoTokenizer.from_pretrained(config.model, **options)
        except Exception as error:
            raise UserError(
                f"scorers.model: {config.model}: transformers cannot load it: {first_line(error)}"
            ) from error
        if loading["missing_keys"]:
            # transformers fills them with random numbers, and only warns.
            missing = ", ".join(sorted(loading["missing_keys"])[:3])
            raise UserError(f"scorers.model: {config.model} is not a reward model: it has no weights for {missing}")
        limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
        self._max_tokens = config.max_tokens or limit
        self._mark = self._mark_id()

    def _mark_id(self) -> int | None:
        mark = self._config.step_mark
        if mark is None:
            return None
        ids: list[int] = self._tokenizer.encode(mark, add_special_tokens=False)
        if len(ids) != 1:
            raise UserError(f"scorers.step_mark: {mark!r} is {len(ids)} tokens of {self._config.model}, not one")
        return ids[0]

    def score(self, candidates: Sequence[Candidate]) -> list[float | Unscored]:
        """See `Scorer`.

        Raises:
            UserError: memory runs out, or the model has fewer labels than `label_index` needs.
            ScoringCancelledError: `cancel` was called, or the scorer was closed.
        """
        return [self._score(each) for each in candidates]

    def _score(self, candidate: Candidate) -> float | Unscored:
        if self._cancelled.is_set():
            raise ScoringCancelledError("scoring was cancelled")
        encoded = self._encode(candidate)
        ids = encoded["input_ids"]
        if self._max_tokens is not None and ids.shape[1] > self._max_tokens:
            return Unscored(f"longer than {self._max_tokens:,} tokens")
        if not ids.shape[1]:
            return Unscored("no tokens")
        try:
            with torch.inference_mode():
                logits = self._model(**encoded.to(self._model.device)).logits[0].float().cpu().numpy()
        except torch.OutOfMemoryError as error:
            raise UserError("scorer transformers: out of memory; set scorers.dtype to bfloat16") from error
        self.spent = self.spent.plus(Spent.reading([int(ids.shape[1])]))
        rows = logits[None] if logits.ndim == 1 else logits
        if self._config.label_index >= rows.shape[1]:
            raise UserError(f"scorers.label_index: {self._config.model} has {rows.shape[1]} labels, counted from 0")
        values = (probabilities(rows) if self._config.output == "probability" else rows)[:, self._config.label_index]
        if self._config.steps is None:
            return float(values[0])
        steps = values[np.flatnonzero(ids[0].cpu().numpy() == self._mark)].astype(float).tolist()
        return combined(steps, self._config.steps) if steps else Unscored("no step")

    def _encode(self, candidate: Candidate) -> Any:
        config = self._config
        before = candidate.read(config.reads)
        text = marked(candidate.text, config.step_separator, config.step_mark)
        if not config.chat:
            return self._tokenizer(before, text, return_tensors="pt")
        messages = [{"role": "user", "content": before}, {"role": "assistant", "content": text}]
        try:
            return self._tokenizer.apply_chat_template(messages, return_tensors="pt", return_dict=True)
        except ValueError as error:
            raise UserError(f"scorers.chat: {config.model} has no chat template; set it to false") from error

    def cancel(self) -> None:
        """End all calls after the text that they are scoring."""
        self._cancelled.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._cancelled.set()
