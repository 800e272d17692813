"""What scorers on servers have in common: where the servers are, and how they are asked."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tasks.addresses import Urls, check_urls, read_key

KEY_FIELD = "scorers.api_key_env"
HOW = frozenset({"name", "base_urls", "api_key_env", "concurrency", "timeout_s", "retries", "prompt_price"})
"""Settings on which no score depends."""


class ServerSettings(BaseModel):
    """Servers that offer the same scorer."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    base_urls: Urls = Field(
        min_length=1, description="URL of a server, such as http://localhost:8000, or several with the same model"
    )
    api_key_env: str | None = Field(
        default=None, min_length=1, description="Environment variable that contains the API key; empty: no key is sent"
    )
    concurrency: int = Field(default=32, ge=1, le=4_096, description="Maximum requests in flight")
    timeout_s: float = Field(default=600.0, gt=0, le=86_400, description="Seconds that one request may take")
    retries: int = Field(
        default=8, ge=0, le=100, description="How often a request that fails is sent again before scoring stops"
    )
    prompt_price: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Dollars per million prompt tokens; 0: nothing is charged; empty: not known, and cap.dollars is"
        " refused",
    )

    @field_validator("base_urls")
    @classmethod
    def _check_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return check_urls(urls, KEY_FIELD)

    def check(self) -> None:
        """Make sure that the environment has the key; no server is contacted.

        Raises:
            UserError: the variable is not set, or cannot be a key.
        """
        self.key()

    def key(self) -> str | None:
        """The API key; raises as `check` does."""
        return read_key(self.api_key_env, KEY_FIELD)
