"""Any server that speaks the OpenAI API: vLLM, SGLang, llama.cpp or a hosted model; one server, or several replicas.

The engine is not deterministic: it cannot know how the server was started, with which files and version, or whom else
it serves, and the name of a model may stand for another model tomorrow. Seeds are sent even so (`tasks.engines.seeds`):
vLLM honours them, and thanks to them a restarted server does not repeat the samples of a problem that it drew before. A
stored sample is never drawn again.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tasks.addresses import Urls, check_urls, read_key
from tasks.engines.confidence import CONFIDENCE, ConfidenceSettings
from tasks.engines.http.protocol import RESERVED_FIELDS, Api
from tasks.records import Problem, Sampling

if TYPE_CHECKING:
    from tasks.engines.http.engine import OpenAIEngine

REQUEST_RULE = 1
"""Incremented whenever the same settings would produce another request."""


class OpenAIConfig(BaseModel):
    """A model on servers that speak the OpenAI API."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Literal["openai"] = "openai"
    model: str = Field(min_length=1, description="The model's name on the servers")
    base_urls: Urls = Field(
        min_length=1, description="URL of a server, such as http://localhost:8000/v1, or several with the same model"
    )
    api: Api = Field(
        default="completions", description="completions continues the prompt; chat sends it as a user message"
    )
    api_key_env: str | None = Field(
        default=None, min_length=1, description="Environment variable that contains the API key; empty: no key is sent"
    )
    n_per_request: int = Field(
        default=32, ge=1, le=16_384, description="Maximum samples per request; use 1 if the server does not support n"
    )
    concurrency: int = Field(
        default=32,
        ge=1,
        le=4_096,
        description="Maximum requests in flight; fewer are sent while the servers refuse them or time out",
    )
    timeout_s: float = Field(default=600.0, gt=0, le=86_400, description="Seconds that one request may take")
    retries: int = Field(
        default=8, ge=0, le=100, description="Consecutive retries that may fail before the sweep stops"
    )
    logprobs: bool = Field(default=True, description="Ask for log-probabilities; some hosted models refuse that")
    confidence: ConfidenceSettings | None = Field(default=None, description=CONFIDENCE)
    seeds: bool = Field(default=True, description="Send a separate seed for every sample; vLLM honours it")
    extra: dict[str, Any] = Field(
        default_factory=dict, description="Further fields of every request, such as top_k: 20"
    )

    @field_validator("base_urls")
    @classmethod
    def _check_urls(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return check_urls(urls, "engine.api_key_env")

    @field_validator("extra")
    @classmethod
    def _check_extra(cls, extra: dict[str, Any]) -> dict[str, Any]:
        reserved = sorted(RESERVED_FIELDS & extra.keys())
        if reserved:
            raise ValueError(f"{', '.join(reserved)}: set by the sweep's own fields, not here")
        return extra

    @model_validator(mode="after")
    def _check_confidence(self) -> "OpenAIConfig":
        if self.confidence is not None and not self.logprobs:
            raise ValueError("confidence needs logprobs: true")
        return self

    @property
    def label(self) -> str:
        """What result sets are named after: the model, without its owner."""
        return self.model.rstrip("/").rsplit("/", 1)[-1]

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """What its samples are known to depend on; where the servers are and how requests are cut is not part of it."""
        return {
            "engine": self.name,
            "rule": REQUEST_RULE,
            "model": self.model,
            "api": self.api,
            "template": template,
            "sampling": sampling,
            "seeds": self.seeds,
            "extra": self.extra,
        }

    def check(self, problems: Sequence[Problem], k: int) -> None:  # noqa: ARG002 a model answers any problem, any index
        """Make sure that the environment has the key; no server is contacted.

        Raises:
            UserError: the variable is not set, or cannot be a key.
        """
        self._key()

    def open(self) -> "OpenAIEngine":
        """A client; returns once a server has answered.

        Raises:
            UserError: no server answers, or one refuses the key or has other models.
        """
        from tasks.engines.http.engine import OpenAIEngine  # loads httpx
        from tasks.engines.http.server import probe_servers

        key = self._key()
        server = probe_servers(self.base_urls, key, self.api_key_env, self.model)
        return OpenAIEngine(
            base_urls=self.base_urls,
            model=self.model,
            api=self.api,
            api_key=key,
            api_key_env=self.api_key_env,
            n_per_request=self.n_per_request,
            concurrency=self.concurrency,
            timeout_s=self.timeout_s,
            retries=self.retries,
            logprobs=self.logprobs,
            seeds_sent=self.seeds,
            extra=self.extra,
            confidence=self.confidence,
            vllm=server.vllm,
            version=server.version,
        )

    def _key(self) -> str | None:
        return read_key(self.api_key_env, "engine.api_key_env")
