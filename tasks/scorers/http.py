"""Scorers on servers: vLLM's `/classify`, `/score` and `/pooling`, or any server with a path `/scores`.

What `/scores` gets and returns, for up to `batch_size` samples; null if a sample cannot be scored:

    {"model": "MODEL", "items": [{"prompt": "...", "text": "..."}, ...]}
    {"scores": [0.25, ...]}

Whether vLLM returns logits or probabilities is asked for with every request (`output`), and is part of the score set's
identity: a reward model's logits that went through a sigmoid rank samples alike, but weigh votes otherwise.
"""

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tasks.scorers.remote.settings import HOW, ServerSettings
from tasks.scorers.steps import Combination

if TYPE_CHECKING:
    from tasks.scorers.remote.http_scorer import HttpScorer

MAX_TEXTS = 1_024
"""vLLM refuses more in one request."""


class HttpScorerConfig(ServerSettings):
    """A reward model on a server: vLLM, or any that answers `/scores`."""

    version: ClassVar[int] = 1

    name: Literal["http"] = "http"
    api: Literal["classify", "score", "pooling", "scores"] = Field(
        description="The path that is asked: classify, score and pooling as vLLM has them; scores is this project's own"
    )
    model: str = Field(min_length=1, description="The model's name on the servers")
    reads: Literal["question", "prompt"] = Field(
        default="question", description="What the model reads before the sample: the question, or the engine's prompt"
    )
    template: str | None = Field(
        default=None,
        min_length=1,
        description="Text for classify and pooling, with {prompt} and {text}; empty: a conversation, to which the"
        " server applies the model's chat template, one a request",
    )
    output: Literal["logit", "probability"] = Field(
        default="logit", description="What vLLM is asked to return; a reward model's score is its logit"
    )
    label_index: int = Field(default=0, ge=0, description="Which of the model's labels is the score")
    steps: Combination | None = Field(
        default=None, description="How the scores of steps are combined (process reward models, pooling); empty: one"
    )
    step_separator: str = Field(default="\n\n", min_length=1, description="What divides a sample into steps")
    step_mark: str | None = Field(
        default=None, min_length=1, description="What the model expects after each step, such as <extra_0>"
    )
    batch_size: int = Field(default=64, ge=1, le=MAX_TEXTS, description="Maximum texts in one request")

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if self.template is not None and ("{prompt}" not in self.template or "{text}" not in self.template):
            raise ValueError("template must contain {prompt} and {text}")
        if self.template is not None and self.api in {"score", "scores"}:
            raise ValueError(f"api: {self.api} sends prompt and text apart; leave out template")
        if self.steps is not None and self.api != "pooling":
            raise ValueError("steps needs api: pooling")
        if self.step_mark is not None and self.steps is None:
            raise ValueError("step_mark needs steps: min, product or last")
        return self

    @property
    def label(self) -> str:
        """What messages call it: the model, without its owner."""
        return self.model.rstrip("/").rsplit("/", 1)[-1]

    @property
    def has_price(self) -> bool:
        """Whether it is known what tokens cost."""
        return self.prompt_price is not None

    def ingredients(self) -> dict[str, object]:
        """What its scores are known to depend on."""
        excluded = HOW | {"batch_size"} | ({"step_separator"} if self.steps is None else set())
        return self.model_dump(mode="json", exclude=set(excluded), exclude_none=True)

    def open(self) -> "HttpScorer":
        """A client.

        Raises:
            UserError: the key is not set.
        """
        from tasks.scorers.remote.http_scorer import HttpScorer  # loads httpx

        return HttpScorer(self)
