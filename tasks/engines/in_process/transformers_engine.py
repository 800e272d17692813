"""The engine of a causal model of transformers. `tasks.engines.transformers` opens it, and says what is
reproducible."""

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer

from sandboxes.errors import first_line
from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.in_process.decoding import Model
from tasks.engines.in_process.engine import InProcessEngine, read_tokenizer
from tasks.engines.in_process.transformers_decoder import Decoder, enough_memory
from tasks.errors import UserError


class TransformersEngine(InProcessEngine):
    """On a CPU, its threads draw batches concurrently, each with PyTorch on one thread; on a GPU, one batch at a
    time."""

    def __init__(
        self,
        source: str,
        commit: str | None,
        *,
        dtype: str,
        device: str,
        batch_size: int,
        threads: int,
        trust_remote_code: bool,
        confidence: ConfidenceSettings | None = None,
    ) -> None:
        chosen = _device(device)
        # With several threads, the last bits of a product depend on how PyTorch splits it.
        torch.set_num_threads(1)
        model = _load(source, commit, dtype, chosen, trust_remote_code)
        self.decoder = Decoder(source, model)
        self.tokenizer = _tokenizer(source, commit, trust_remote_code)
        text = model.config.get_text_config()
        end: int | list[int] | None = model.generation_config.eos_token_id
        super().__init__(
            Model(
                self.decoder,
                self.tokenizer,
                [] if end is None else [end] if isinstance(end, int) else end,
                getattr(text, "max_position_embeddings", None),
            ),
            version=f"transformers {transformers.__version__}, torch {torch.__version__}",
            deterministic=chosen == "cpu" and dtype == "float32" and self.decoder.is_batch_invariant(batch_size),
            batch_size=batch_size,
            threads=threads if chosen == "cpu" else 1,
            confidence=confidence,
        )


def _device(wanted: str) -> str:
    available: bool = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise UserError("engine.device: PyTorch finds no GPU here; use cpu or auto")
    return "cuda" if available and wanted != "cpu" else "cpu"


def _load(source: str, commit: str | None, dtype: str, device: str, trust_remote_code: bool) -> Any:
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    try:
        with enough_memory():
            model = transformers.AutoModelForCausalLM.from_pretrained(
                source, revision=commit, dtype=getattr(torch, dtype), trust_remote_code=trust_remote_code
            )
            return model.to(device).eval()
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"engine.model: {source}: transformers cannot load it: {first_line(error)}") from error


def _tokenizer(source: str, commit: str | None, trust_remote_code: bool) -> Tokenizer:
    own = Path(source) / "tokenizer.json"
    if own.is_file():
        return read_tokenizer(own)
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            source, revision=commit, trust_remote_code=trust_remote_code
        )
    except Exception as error:
        raise UserError(f"engine.model: {source}: its tokenizer cannot be loaded: {first_line(error)}") from error
    inner: Tokenizer | None = getattr(tokenizer, "backend_tokenizer", None)
    if inner is None:
        raise UserError(
            f"engine.model: {source}: its tokenizer ({type(tokenizer).__name__}) has no fast version; use a model with"
            " a tokenizer.json"
        )
    inner.no_padding()
    inner.no_truncation()
    return inner
