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
    prompt_price: float = Field(default=0.0, ge=0, allow_inf_nan=False, description="Dollars per million prompt tokens")
    completion_price: float = Field(
        default=0.0,
        ge=0,
        allow_inf_nan=False,
        description="Dollars per million completion tokens; counts for cap.dollars",
    )

    @property
    def label(self) -> str:
        """What messages call it: the model, without its owner."""
        return self.model.rstrip("/").rsplit("/", 1)[-1]

    @property
    def has_price(self) -> bool:
        """Whether it is known what tokens cost."""
        return bool(self.prompt_price or self.completion_price)

    def ingredients(self) -> dict[str, Any]:
        """What its scores are known to depend on."""
        return self.model_dump(mode="json", exclude={*HOW, "prompt_price", "completion_price"}, exclude_none=True)
