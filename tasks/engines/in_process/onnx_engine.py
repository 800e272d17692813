"""The engine of an ONNX decoder. `tasks.engines.onnx` opens it, and says what is reproducible."""

from pathlib import Path

from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.in_process.decoding import Model
from tasks.engines.in_process.engine import InProcessEngine, end_tokens, read_json, read_tokenizer
from tasks.engines.in_process.onnx_decoder import Decoder


class OnnxEngine(InProcessEngine):
    """Its threads draw batches concurrently; ONNX Runtime itself runs on one thread per call."""

    def __init__(
        self, folder: Path, batch_size: int, threads: int, confidence: ConfidenceSettings | None = None
    ) -> None:
        self.decoder = Decoder(folder / "model.onnx")
        self.tokenizer = read_tokenizer(folder / "tokenizer.json")
        context = read_json(folder / "config.json").get("max_position_embeddings")
        model = Model(self.decoder, self.tokenizer, end_tokens(folder), context)
        super().__init__(model, self.decoder.version, True, batch_size, threads, confidence=confidence)
