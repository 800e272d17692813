"""Reward models of Hugging Face transformers, on PyTorch: sequence classifiers, and process reward models, which are
token classifiers.

A sequence classifier's score is the logit of one label. With `output: probability` it is the softmax over labels, or
the sigmoid if there is only one. Which one is part of the score set's identity: a logit taken for a probability makes
a product of steps or a weighted vote meaningless.

A process reward model scores each step: the logit or probability of a label at the token `step_mark`, which is put
after each. They are combined by `steps`.

Texts are scored one by one, never padded: padding is what makes scores of the same model differ between programs.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from sandboxes.config import Config
from tasks.engines.hub import hub_commit, require_packages
from tasks.engines.model_files import fingerprint
from tasks.errors import UserError
from tasks.scorers.steps import Combination

if TYPE_CHECKING:
    from tasks.scorers.in_process.torch_classifier import TorchClassifier

_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_FIELD = "scorers.model"


class TransformersScorerConfig(Config):
    """A reward model of Hugging Face transformers, on a CPU or one GPU."""

    version: ClassVar[int] = 1

    name: Literal["transformers"] = "transformers"
    model: str = Field(
        description="A model's name on the Hugging Face hub, such as Skywork/Skywork-Reward-V2-Qwen3-0.6B, or a folder"
    )
    revision: str | None = Field(
        default=None, min_length=1, description="Branch, tag or commit on the hub; empty: main"
    )
    reads: Literal["question", "prompt"] = Field(
        default="question", description="What the model reads before the sample: the question, or the engine's prompt"
    )
    chat: bool = Field(
        default=True,
        description="Put both into the tokenizer's chat template, as user and assistant; false: as a pair of texts",
    )
    output: Literal["logit", "probability"] = Field(
        default="logit",
        description="What the score of a label is: its logit, or its probability (softmax; sigmoid of a single one)",
    )
    label_index: int = Field(default=0, ge=0, description="Which of the model's labels is the score")
    steps: Combination | None = Field(
        default=None, description="How the scores of steps are combined, for process reward models; empty: one score"
    )
    step_separator: str = Field(default="\n\n", min_length=1, description="What divides a sample into steps")
    step_mark: str | None = Field(
        default=None, min_length=1, description="The token that the model expects after each step, such as <extra_0>"
    )
    max_tokens: int | None = Field(
        default=None, ge=1, description="Samples with more tokens, prompt included, get no score; empty: the model's"
    )
    dtype: Literal["float32", "bfloat16", "float16"] = Field(default="float32", description="Precision")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="auto: a GPU if there is one")
    trust_remote_code: bool = Field(default=False, description="Run Python code that comes with the model")

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if (self.steps is None) != (self.step_mark is None):
            raise ValueError("steps and step_mark go together: how steps are combined, and the token after each")
        return self

    @property
    def label(self) -> str:
        """What messages call it: the model, without its owner."""
        return Path(self.model).name

    def ingredients(self) -> dict[str, Any]:
        """What its scores depend on: a folder's content or a commit on the hub, but not the device.

        Raises:
            UserError: the model does not exist, or the hub does not answer and the model is not in its cache.
        """
        self._check_model()
        folder = Path(self.model)
        excluded = {"name", "model", "revision", "device", "trust_remote_code"}
        excluded |= {"step_separator"} if self.steps is None else set()
        return {
            "model": fingerprint(folder) if folder.is_dir() else {"hub": self.model, "commit": self._commit()},
            **self.model_dump(exclude=excluded, exclude_none=True),
        }

    def check(self) -> None:
        """Make sure that the packages are installed, and that a folder contains a model; the hub is not contacted.

        Raises:
            UserError: PyTorch or transformers is not installed, or the folder does not exist or has no model.
        """
        require_packages("scorer transformers", "scorer onnx")
        self._check_model()

    def open(self) -> "TorchClassifier":
        """Load the model.

        Raises:
            UserError: it cannot be loaded, does not fit into memory, or the device does not exist.
        """
        self.check()
        from tasks.scorers.in_process.torch_classifier import TorchClassifier  # loads PyTorch

        return TorchClassifier(self, None if Path(self.model).is_dir() else self._commit())

    def _check_model(self) -> None:
        folder = Path(self.model)
        if folder.is_dir() and not (folder / "config.json").is_file():
            raise UserError(f"{_FIELD}: {folder} has no config.json; give the folder of a Hugging Face model")
        if folder.is_dir() and self.revision is not None:
            raise UserError(f"scorers.revision: {folder} is a folder; only a model on the hub has revisions")
        if not folder.is_dir() and not _HUB_NAME.fullmatch(self.model):
            raise UserError(f"{_FIELD}: no folder {self.model!r}; give a folder, or a name on the hub")

    def _commit(self) -> str:
        return hub_commit(self.model, self.revision, _FIELD)
