"""What the scorers that ask a language model have in common: which model, and how it answers."""

from typing import Any

from pydantic import Field

from tasks.scorers.remote.settings import HOW, ServerSettings


class ChatSettings(ServerSettings):
    """A model on servers that speak the OpenAI chat API."""

    model: str = Field(min_length=1, description="The model's name on the servers")
    logprobs: bool = Field(
        default=True,
        description="Score with the expectation over what the model could have answered; false: with what it answered",
    )
    temperature: float = Field(default=0.0, ge=0, le=2, description="Sampling temperature of the answers")
    max_tokens: int = Field(
        default=16, ge=1, description="Maximum tokens of an answer; raise it for a rubric that asks for reasons first"
    )
    seed: int = Field(default=0, ge=0, le=2**31, description="Another seed gives other answers at temperatures above 0")
    completion_price: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Dollars per million completion tokens, with prompt_price; 0: nothing is charged",
    )

    @property
    def label(self) -> str:
        """What messages call it: the model, without its owner."""
        return self.model.rstrip("/").rsplit("/", 1)[-1]

    @property
    def has_price(self) -> bool:
        """Whether it is known what tokens cost."""
        return self.prompt_price is not None or self.completion_price is not None

    def dollars(self, prompt: int, completion: int) -> float | None:
        """What this many tokens cost; None without a price."""
        if not self.has_price:
            return None
        return ((self.prompt_price or 0.0) * prompt + (self.completion_price or 0.0) * completion) / 1e6

    def ingredients(self) -> dict[str, Any]:
        """What its scores are known to depend on."""
        return self.model_dump(mode="json", exclude={*HOW, "completion_price"}, exclude_none=True)
