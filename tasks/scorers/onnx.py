"""The ONNX scorer: any sequence classifier exported to ONNX, such as a reward model, on ONNX Runtime, on the CPU.

Its score is the logit of one label, as the graph returns it: unbounded, and meant only for comparing samples. With
`output: probability` it is the softmax over labels, or the sigmoid if there is only one. Which one is part of the
score set's identity.

A text's score depends on nothing but the text: each is computed alone, because the last bits of a sum may depend on the
batch. On a CPU, a batch of long texts would hardly be faster.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from sandboxes.config import Config
from tasks.engines.in_process import cpu_count
from tasks.engines.model_files import BUNDLED, fingerprint
from tasks.errors import UserError

if TYPE_CHECKING:
    from tasks.scorers.in_process.onnx_classifier import OnnxClassifier

BUNDLED_SCORERS = Path(__file__).parent / "bundled"
"""Each is for samples of the bundled model with its name, whose weights and tokenizer it shares."""


class OnnxScorerConfig(Config):
    """A reward model, or any other sequence classifier, on this machine's CPU, in ONNX Runtime."""

    version: ClassVar[int] = 1

    name: Literal["onnx"] = "onnx"
    model: str = Field(
        description="A bundled scorer (arithmetic, programs), or a folder with model.onnx and tokenizer.json"
    )
    reads: Literal["prompt", "question"] = Field(
        default="prompt", description="What the model reads before the sample: the engine's prompt, or the question"
    )
    output: Literal["logit", "probability"] = Field(
        default="logit",
        description="What the score of a label is: its logit, or its probability (softmax; sigmoid of a single one)",
    )
    label_index: int = Field(default=0, ge=0, description="Which of the model's labels is the score")
    max_tokens: int | None = Field(
        default=None, ge=1, description="Samples with more tokens, prompt included, get no score; empty: the model's"
    )
    threads: int | None = Field(default=None, ge=1, le=1_024, description="CPU threads; empty: one per core")

    @property
    def label(self) -> str:
        """What messages call it: the model's folder."""
        return self.folder.name

    @property
    def folder(self) -> Path:
        """The model's folder; the name of a bundled scorer takes precedence over a folder of that name."""
        return BUNDLED_SCORERS / self.model if self._is_bundled else Path(self.model)

    @property
    def shared(self) -> Path:
        """The folder with tokenizer and weights: that of the bundled model for a bundled scorer, else the model's."""
        return BUNDLED / self.model if self._is_bundled else self.folder

    def ingredients(self) -> dict[str, Any]:
        """What its scores depend on; the threads are not part of that."""
        self.check()
        model = [fingerprint(folder) for folder in dict.fromkeys((self.folder, self.shared))]
        return {
            "model": model[0] if len(model) == 1 else model,
            **self.model_dump(exclude={"name", "model", "threads"}, exclude_none=True),
        }

    def check(self) -> None:
        """Make sure that the model's files are there.

        Raises:
            UserError: the folder does not exist, or lacks a file.
        """
        if not self.folder.is_dir():
            raise UserError(
                f"scorers.model: no folder {self.model!r}; give a folder with model.onnx and tokenizer.json, or one of"
                f" the bundled scorers: {', '.join(bundled_scorers())}"
            )
        for path in (self.folder / "model.onnx", self.shared / "tokenizer.json"):
            if not path.is_file():
                raise UserError(f"scorers.model: {path.parent} has no {path.name}")

    def open(self) -> "OnnxClassifier":
        """Load the model.

        Raises:
            UserError: a file is missing or broken, or the graph is not a sequence classifier.
        """
        from tasks.scorers.in_process.onnx_classifier import OnnxClassifier  # loads ONNX Runtime

        self.check()
        return OnnxClassifier(
            self.folder,
            self.shared,
            reads=self.reads,
            probability=self.output == "probability",
            label=self.label_index,
            max_tokens=self.max_tokens,
            threads=self.threads or cpu_count(),
        )

    @property
    def _is_bundled(self) -> bool:
        return self.model in bundled_scorers()


def bundled_scorers() -> list[str]:
    """Names of the scorers that the package contains, sorted."""
    return sorted(folder.name for folder in BUNDLED_SCORERS.iterdir() if folder.is_dir())
