"""Any causal language model of Hugging Face transformers, on PyTorch, for machines without vLLM.

On a CPU in float32, with one machine and one version of PyTorch, sample i of a problem depends only on (model, prompt,
settings, seed, problem id, i): random numbers come from a counter-based generator, and a trial when the engine is
opened shows that a row's logits are bit-identical in batches of several sizes. On a GPU, in half precision, or if the
trial fails, the last bits depend on the batch, and samples are not reproducible.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.engines.confidence import CONFIDENCE, ConfidenceSettings
from tasks.engines.hub import hub_commit, require_packages
from tasks.engines.in_process import cpu_count
from tasks.engines.in_process.sampling import SAMPLING_RULE
from tasks.engines.model_files import BUNDLED, bundled_models, fingerprint
from tasks.errors import UserError
from tasks.records import Problem, Sampling

if TYPE_CHECKING:
    from tasks.engines.in_process.transformers_engine import TransformersEngine

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


class TransformersConfig(Config):
    """Any causal model of Hugging Face transformers, on a CPU or one GPU."""

    name: Literal["transformers"] = "transformers"
    model: str = Field(
        description="A model's name on the Hugging Face hub, such as Qwen/Qwen2.5-0.5B, a folder with config.json and"
        " weights, or a bundled model (arithmetic, programs, theorems)"
    )
    revision: str | None = Field(
        default=None, min_length=1, description="Branch, tag or commit on the hub; empty: main"
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(
        default="float32", description="Precision; only float32 on a CPU draws the same samples in any batch"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: a GPU if there is one")
    batch_size: int = Field(default=64, ge=1, le=4_096, description="Maximum samples of a problem per batch")
    threads: int | None = Field(
        default=None, ge=1, le=1_024, description="CPU threads, each of which draws its own batch; empty: one per core"
    )
    trust_remote_code: bool = Field(default=False, description="Run Python code that comes with the model")
    confidence: ConfidenceSettings | None = Field(default=None, description=CONFIDENCE)

    @property
    def label(self) -> str:
        """What result sets are named after: the model, without its owner."""
        return Path(self.model).name

    @property
    def folder(self) -> Path | None:
        """The model's folder; None for a model of the hub. A bundled model takes precedence over a folder of that name,
        and a folder over the hub."""
        folder = BUNDLED / self.model if self.model in bundled_models() else Path(self.model)
        return folder if folder.is_dir() else None

    def check(self, problems: Sequence[Problem], k: int) -> None:  # noqa: ARG002 a model answers any problem, any index
        """Make sure that the packages are installed, and that a folder contains a model; the hub is not contacted.

        Raises:
            UserError: PyTorch or transformers is not installed, or the folder does not exist or has no model.
        """
        require_packages("engine transformers", "engine onnx")
        self._check_model()

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """What its samples depend on: a folder's content or a commit on the hub, but neither batch size nor threads.

        Raises:
            UserError: the model does not exist, or the hub does not answer and the model is not in its cache.
        """
        self._check_model()
        folder = self.folder
        return {
            "engine": self.name,
            "rule": SAMPLING_RULE,
            "model": {"hub": self.model, "commit": self._commit()} if folder is None else fingerprint(folder),
            "dtype": self.dtype,
            "template": template,
            "sampling": sampling,
        }

    def open(self) -> "TransformersEngine":
        """Load the model.

        Raises:
            UserError: it cannot be loaded, does not fit into memory, or the device does not exist.
        """
        self.check((), 0)
        from tasks.engines.in_process.transformers_engine import TransformersEngine  # loads PyTorch

        folder = self.folder
        source = (self.model, self._commit()) if folder is None else (str(folder), None)
        return TransformersEngine(
            *source,
            dtype=self.dtype,
            device=self.device,
            batch_size=self.batch_size,
            threads=self.threads or cpu_count(),
            trust_remote_code=self.trust_remote_code,
            confidence=self.confidence,
        )

    def _check_model(self) -> None:
        folder = self.folder
        if folder is not None and not (folder / "config.json").is_file():
            raise UserError(f"engine.model: {folder} has no config.json; give the folder of a Hugging Face model")
        if folder is not None and self.revision is not None:
            raise UserError(f"engine.revision: {folder} is a folder; only a model on the hub has revisions")
        if folder is None and not _HUB_NAME.fullmatch(self.model):
            raise UserError(
                f"engine.model: no folder {self.model!r}; give a folder, a name on the hub, or one of the bundled"
                f" models: {', '.join(bundled_models())}"
            )

    def _commit(self) -> str:
        return hub_commit(self.model, self.revision, "engine.model")
