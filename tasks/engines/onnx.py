"""The ONNX engine: any ONNX decoder with `past_key_values` inputs, on ONNX Runtime, on the CPU.

Sample i of a problem is a function of (model, prompt, settings, seed, problem id, i) alone: its random numbers come
from a counter (`in_process.sampling`), and a batch holds samples of one problem only, all of the same length, so that
no sum depends on the batch (`in_process.onnx_decoder`). So a sweep may be cut and resumed anywhere. This holds on one
machine with one version of ONNX Runtime; elsewhere logits differ in their last bits, and a sample may too.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.engines.in_process import cpu_count
from tasks.engines.in_process.sampling import SAMPLING_RULE
from tasks.engines.model_files import BUNDLED, bundled_models, fingerprint
from tasks.errors import UserError
from tasks.records import Sampling

if TYPE_CHECKING:
    from tasks.engines.in_process.onnx_engine import OnnxEngine

NEEDED = ("model.onnx", "tokenizer.json")


class OnnxConfig(Config):
    """A small model on this machine's CPU, through ONNX Runtime."""

    name: Literal["onnx"] = "onnx"
    model: str = Field(description="A bundled model (arithmetic, programs) or a folder with model.onnx and more")
    batch_size: int = Field(default=64, ge=1, le=4_096, description="Maximum samples of a problem per batch")
    threads: int | None = Field(default=None, ge=1, le=1_024, description="CPU threads; empty: one for each core")

    @property
    def label(self) -> str:
        """What result sets are called after."""
        return self.folder.name

    @property
    def folder(self) -> Path:
        """Where the model lies; a bundled name goes before a folder of that name."""
        return BUNDLED / self.model if self.model in bundled_models() else Path(self.model)

    def check(self, problem_ids: Sequence[str], k: int) -> None:  # noqa: ARG002 a model answers any problem, any index
        """Make sure that the model's files are there.

        Raises:
            UserError: no such folder, or a file is missing.
        """
        if not self.folder.is_dir():
            raise UserError(
                f"engine.model: no folder {self.model!r}; give a folder with {' and '.join(NEEDED)}, or one of the"
                f" bundled models: {', '.join(bundled_models())}"
            )
        missing = [name for name in NEEDED if not (self.folder / name).is_file()]
        if missing:
            raise UserError(f"engine.model: {self.folder} has no {' and no '.join(missing)}")

    def fingerprint(self) -> str:
        """A hash of the folder's files: another model never shares a set of samples."""
        return fingerprint(self.folder)

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """What its samples depend on: not the batch size, nor the threads."""
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
            UserError: a file is missing, or not what it should be.
        """
        from tasks.engines.in_process.onnx_engine import OnnxEngine  #  loads ONNX Runtime

        self.check((), 0)
        return OnnxEngine(self.folder, self.batch_size, self.threads or cpu_count())
