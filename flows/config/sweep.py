"""The configuration of a sweep."""

from typing import Self

from pydantic import (
    ConfigDict,
    Field,
    model_validator,
)

from flows.config.choices import BudgetConfig, DatasetConfig, EngineConfig, GraderConfig, SandboxConfig, ScorerConfig
from flows.config.fields import STORE, Store, WithOldNames, in_order
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.config import Config
from tasks.engines.openai import OpenAIConfig
from tasks.engines.spend_limit import CapConfig
from tasks.plugins import label_of
from tasks.prompts.chat import ChatConfig
from tasks.scorers import Priced
from tasks.sweep.budgets import UniformConfig


class SamplingConfig(Config):
    """How tokens are drawn."""

    model_config = ConfigDict(json_schema_extra=in_order)

    temperature: float = Field(default=0.6, ge=0, le=10, description="0 is greedy; the paper uses 0.6 for most tasks")
    top_p: float = Field(default=1.0, gt=0, le=1, description="Keep the likeliest tokens up to this mass; 1 keeps all")
    max_tokens: int | None = Field(
        default=None, ge=1, description="Maximum tokens of a sample; empty: the dataset's default"
    )
    stop: tuple[str, ...] | None = Field(
        default=None, description="Strings that end a sample; empty: the dataset's default"
    )
    seed: int = Field(
        default=0, ge=0, le=2**63 - 1, description="Another seed gives another, independent set of samples"
    )


class PriceConfig(Config):
    """What tokens cost."""

    model_config = ConfigDict(allow_inf_nan=False)

    prompt: float = Field(default=0.0, ge=0, description="Dollars per million prompt tokens")
    completion: float = Field(ge=0, description="Dollars per million completion tokens")


class SweepConfig(WithOldNames):
    """A sweep: its problems, how and how often they are sampled, and how samples are graded and stored."""

    model_config = ConfigDict(hide_input_in_errors=True, json_schema_extra=in_order)

    dataset: DatasetConfig = Field(description="Where the problems come from")
    limit: int | None = Field(default=None, ge=1, description="Only the first N problems; empty: all")
    pin: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{8,64}$",
        description="Expected hash of the problem texts, or a prefix of it (`problems` in `monkeys show SET`);"
        " empty: not checked",
    )
    exclude: str | None = Field(
        default=None, min_length=1, description="File of problems to leave out, as `monkeys audit tests` writes it"
    )
    engine: EngineConfig = Field(description="What draws the samples")
    chat: ChatConfig | None = Field(
        default=None, description="Ask an instruct model through its tokenizer's chat template; empty: plain prompts"
    )
    sampling: SamplingConfig = Field(default=SamplingConfig(), description="How tokens are drawn")
    k: int = Field(default=100, ge=1, le=1_000_000, description="Samples for each problem; raise it to extend a sweep")
    budget: BudgetConfig = Field(default=UniformConfig(), description="How samples are distributed over the problems")
    grader: GraderConfig | None = Field(
        default=None, description="How samples are graded; empty: the dataset's default grader"
    )
    scorers: tuple[ScorerConfig, ...] = Field(
        default=(), description="What scores the samples, such as a reward model, once they are graded; empty: nothing"
    )
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")
    truth: str | None = Field(
        default=None,
        min_length=1,
        description="Verdict set of the same samples, by name or prefix, with which other verifiers are compared on the"
        " page; empty: the sweep's own verdicts",
    )
    price: PriceConfig | None = Field(default=None, description="Token prices, to show costs in dollars; empty: none")
    cap: CapConfig | None = Field(
        default=None, description="What one run may spend; the next run continues from there; empty: no cap"
    )
    store: Store = STORE
    concurrency_limit: str | None = Field(
        default=None,
        min_length=1,
        description="Prefect concurrency limit to hold while the engine is open, such as gpu-0; created with one slot"
        " if it does not exist; empty: no limit",
    )

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        if self.chat is not None and isinstance(self.engine, OpenAIConfig) and self.engine.api == "chat":
            raise ValueError("chat and engine.api: chat both apply a template; leave out one of them")
        if self.caps_dollars and self.price is None:
            raise ValueError("cap.dollars needs a price; give price.completion, in dollars for a million tokens")
        self._check_prices_of_scorers()
        if len(set(map(repr, self.scorers))) < len(self.scorers):
            raise ValueError("scorers: the same scorer is listed twice; leave out one of them")
        return self

    @property
    def caps_dollars(self) -> bool:
        """Whether there is a cap in dollars on what one run may spend."""
        return self.cap is not None and self.cap.dollars is not None

    def _check_prices_of_scorers(self) -> None:
        """Raise ValueError where a cap in dollars would count nothing for the tokens of a scorer."""
        for scorer in self.scorers if self.caps_dollars else ():
            if isinstance(scorer, Priced) and not scorer.has_price:
                raise ValueError(
                    f"cap.dollars needs a price of {label_of('scorer', scorer)}; give it prompt_price, in dollars for a"
                    " million tokens (0: nothing is charged), or cap hours"
                )
