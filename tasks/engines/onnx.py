"""The ONNX engine: any ONNX decoder with `past_key_values` inputs, on ONNX Runtime, on the CPU.

Sample i of a problem depends only on (model, prompt, settings, seed, problem id, i): its random numbers come from a
counter-based generator (`in_process.sampling`), and a batch contains samples of one problem only, all of the same
length, so that no sum depends on the batch (`in_process.onnx_decoder`). A sweep can therefore be cut and resumed
anywhere. This holds for one machine and one version of ONNX Runtime; elsewhere logits differ in their last bits, and a
sample may differ too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.engines.confidence import CONFIDENCE, ConfidenceSettings
from tasks.engines.in_process import cpu_count
from tasks.engines.in_process.sampling import SAMPLING_RULE
from tasks.engines.model_files import BUNDLED, bundled_models, fingerprint
from tasks.errors import UserError
from tasks.records import Problem, Sampling

if TYPE_CHECKING:
    from tasks.engines.in_process.onnx_engine import OnnxEngine

REQUIRED_FILES = ("model.onnx", "tokenizer.json")


class OnnxConfig(Config):
    """A small model on this machine's CPU, in ONNX Runtime."""

    name: Literal["onnx"] = "onnx"
    model: str = Field(
        description="A bundled model (arithmetic, programs, theorems), or a folder with model.onnx and tokenizer.json"
    )
    batch_size: int = Field(default=64, ge=1, le=4_096, description="Maximum samples of a problem per batch")
    threads: int | None = Field(default=None, ge=1, le=1_024, description="CPU threads; empty: one per core")
    confidence: ConfidenceSettings | None = Field(default=None, description=CONFIDENCE)

    @property
    def label(self) -> str:
        """What result sets are named after: the model's folder."""
        return self.folder.name

    @property
    def folder(self) -> Path:
        """The model's folder; the name of a bundled model takes precedence over a folder of that name."""
        return BUNDLED / self.model if self.model in bundled_models() else Path(self.model)

    def check(self, problems: Sequence[Problem], k: int) -> None:  # noqa: ARG002 a model answers any problem, any index
        """Make sure that the model's files are there.

        Raises:
            UserError: the folder does not exist, or lacks a file.
        """
        if not self.folder.is_dir():
            raise UserError(
                f"engine.model: no folder {self.model!r}; give a folder with {' and '.join(REQUIRED_FILES)}, or one of"
                f" the bundled models: {', '.join(bundled_models())}"
            )
        missing = [name for name in REQUIRED_FILES if not (self.folder / name).is_file()]
        if missing:
            raise UserError(f"engine.model: {self.folder} has no {' and no '.join(missing)}")

    def fingerprint(self) -> str:
        """A hash of the folder's files, so that two models never share a sample set."""
        return fingerprint(self.folder)

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """What its samples depend on; neither the batch size nor the threads are part of that."""
        self.check((), 0)
        return {
            "engine": self.name,
            "rule": SAMPLING_RULE,
            "model": self.fingerprint(),
            "template": template,
            "sampling": sampling,
        }

    def open(self) -> "OnnxEngine":
        """Load the model.

        Raises:
            UserError: a file is missing or broken.
        """
        from tasks.engines.in_process.onnx_engine import OnnxEngine  # loads ONNX Runtime

        self.check((), 0)
        return OnnxEngine(self.folder, self.batch_size, self.threads or cpu_count(), self.confidence)
