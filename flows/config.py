"""What a person writes: one object for the YAML file, the command line and the form in the Prefect UI.

To add a dataset, an engine, a grader or a sandbox: write its file, and put its config class into the union below.
"""

from typing import Annotated, Any, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from flows import RUNS
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.docker import DockerConfig
from tasks.budgets import AdaptiveConfig, SolveConfig, UniformConfig
from tasks.datasets.arithmetic import ArithmeticConfig
from tasks.datasets.code_contests import CodeContestsConfig
from tasks.datasets.gsm8k import Gsm8kConfig
from tasks.datasets.humaneval import HumanEvalConfig
from tasks.datasets.math import MathConfig
from tasks.datasets.math500 import Math500Config
from tasks.datasets.mbpp import MbppConfig
from tasks.datasets.own import OwnConfig
from tasks.datasets.programs import ProgramsConfig
from tasks.engines.cap import CapConfig
from tasks.engines.onnx import OnnxConfig
from tasks.engines.openai import OpenAIConfig
from tasks.engines.recorded import RecordedConfig
from tasks.engines.transformers import TransformersConfig
from tasks.engines.vllm import VllmConfig
from tasks.graders.code_contests import CodeContestsConfig as CodeContestsGraderConfig
from tasks.graders.final_answer import FinalAnswerConfig
from tasks.graders.functions import FunctionsConfig
from tasks.graders.gsm8k import Gsm8kConfig as Gsm8kGraderConfig
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantConfig
from tasks.graders.humaneval import HumanEvalConfig as HumanEvalGraderConfig
from tasks.graders.math import MathConfig as MathGraderConfig
from tasks.graders.math_tolerant import MathTolerantConfig
from tasks.graders.math_verify import MathVerifyConfig
from tasks.graders.stdio import StdioConfig
from tasks.graders.stdio_exact import StdioExactConfig
from tasks.prompts.chat import ChatConfig


def _named(value: Any) -> Any:
    """`task: programs` is short for `task: {name: programs}`."""
    return {"name": value} if isinstance(value, str) else value


def _usual_sandbox(value: Any) -> Any:
    """`sandbox: {time_limit_s: 2}` is the usual sandbox with another limit."""
    return {"name": "bubblewrap", **value} if isinstance(value, dict) else value


class _Form:
    """Shows a choice as `anyOf`, which the Prefect UI turns into fields; of `oneOf` it makes a text box for JSON. Each
    of the choices is titled by its name."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema.pop("discriminator", None)
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        for choice in schema["anyOf"]:
            chosen = handler.resolve_ref_schema(choice)
            chosen["title"] = chosen["properties"]["name"]["const"]
        return schema


def _in_order(schema: JsonSchemaValue) -> None:
    """Postgres forgets the order of fields; the form sorts them by `position`."""
    for position, field in enumerate(schema["properties"].values()):
        field["position"] = position


_chosen_by_name = (Field(discriminator="name"), BeforeValidator(_named), _Form())

TaskConfig = Annotated[
    ArithmeticConfig
    | CodeContestsConfig
    | Gsm8kConfig
    | HumanEvalConfig
    | MathConfig
    | Math500Config
    | MbppConfig
    | OwnConfig
    | ProgramsConfig,
    *_chosen_by_name,
]
EngineConfig = Annotated[OnnxConfig | OpenAIConfig | RecordedConfig | TransformersConfig | VllmConfig, *_chosen_by_name]
GraderConfig = Annotated[
    CodeContestsGraderConfig
    | FinalAnswerConfig
    | FunctionsConfig
    | Gsm8kGraderConfig
    | Gsm8kTolerantConfig
    | HumanEvalGraderConfig
    | MathGraderConfig
    | MathTolerantConfig
    | MathVerifyConfig
    | StdioConfig
    | StdioExactConfig,
    *_chosen_by_name,
]
BudgetConfig = Annotated[UniformConfig | AdaptiveConfig | SolveConfig, *_chosen_by_name]
SandboxConfig = Annotated[BubblewrapConfig | DockerConfig, *_chosen_by_name, BeforeValidator(_usual_sandbox)]


class SamplingConfig(BaseModel):
    """How tokens are drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid", json_schema_extra=_in_order)

    temperature: float = Field(default=0.6, ge=0, le=10, description="0 is greedy; the paper uses 0.6 for most tasks")
    top_p: float = Field(default=1.0, gt=0, le=1, description="Keep the likeliest tokens up to this mass; 1 keeps all")
    max_tokens: int | None = Field(default=None, ge=1, description="Longest sample in tokens; empty: the task's own")
    stop: tuple[str, ...] | None = Field(default=None, description="Strings that end a sample; empty: the task's own")
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="Another seed is another, independent set of samples")


class PriceConfig(BaseModel):
    """What tokens cost, in dollars for a million of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: float = Field(default=0.0, ge=0, description="Dollars for a million tokens of prompts")
    completion: float = Field(ge=0, description="Dollars for a million tokens that the model writes")


def _no_credentials(url: str) -> str:
    """Fails where a store's URL holds credentials. Its rule is imported late, with fsspec."""
    from tasks.store.objects import without_credentials  # noqa: PLC0415

    return without_credentials(url)


Store = Annotated[str, AfterValidator(_no_credentials)]
_STORE = Field(
    default=RUNS,
    min_length=1,
    description="Folder or fsspec URL, such as s3://bucket/runs",
    # Prefect's server and its form refuse by the schema, before there is a run that would keep the value.
    json_schema_extra={"pattern": "^(?![^/]*://[^/]*@)"},
)


class SweepConfig(BaseModel):
    """A sweep: which problems, sampled how and how often, verified where, stored where."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, json_schema_extra=_in_order)

    task: TaskConfig = Field(description="Where the problems come from")
    problems: int | None = Field(default=None, ge=1, description="Only the first so many problems; empty: all")
    pin: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{8,64}$",
        description="What the texts of all problems must hash to, or its start: `problems` in `monkeys show SET`;"
        " empty: whatever is read",
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
    budget: BudgetConfig = Field(default=UniformConfig(), description="How samples are spread over the problems")
    grader: GraderConfig | None = Field(
        default=None, description="How samples are judged; empty: as the task is usually"
    )
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")
    price: PriceConfig | None = Field(default=None, description="Shows costs in dollars too; empty: tokens only")
    cap: CapConfig | None = Field(
        default=None, description="Where one run ends, to be gone on with later; empty: when all is drawn"
    )
    store: Store = _STORE
    concurrency_limit: str | None = Field(
        default=None,
        min_length=1,
        description="Prefect concurrency limit to hold while the engine is open, such as gpu-0; made with one slot if"
        " there is none; empty: no limit",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.chat is not None and isinstance(self.engine, OpenAIConfig) and self.engine.api == "chat":
            raise ValueError("chat and engine.api: chat both apply a template; leave out one of them")
        if self.cap is not None and self.cap.dollars is not None and self.price is None:
            raise ValueError("cap.dollars needs a price; give price.completion, in dollars for a million tokens")
        return self

    def to_yaml(self) -> str:
        """The whole configuration, defaults included, as it could be written in a file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


class RegradeConfig(BaseModel):
    """Judging a stored set again: which one, by which grader, within which limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, json_schema_extra=_in_order)

    samples: str = Field(min_length=1, description="The sample set: its name, or a unique start of it")
    task: TaskConfig = Field(description="Where the set's problems come from, with what graders know of them")
    grader: GraderConfig | None = Field(default=None, description="How samples are judged; empty: as is usual")
    sandbox: SandboxConfig = Field(default=BubblewrapConfig(), description="Where untrusted programs run")
    against: str | None = Field(default=None, description="The verdict set to compare with; empty: the latest other")
    most_changes: int = Field(default=20, ge=0, description="How many changed samples to list")
    store: Store = _STORE


class CompareConfig(BaseModel):
    """Results side by side: which ones, and where the page is written."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sets: tuple[str, ...] = Field(
        description="Two to eight sample sets (names, or unique starts) or CSV files; the first is the reference"
    )
    verdicts: str | None = Field(default=None, description="Verdict set of the stored sets; empty: the latest of each")
    store: Store = _STORE
    output: str | None = Field(default=None, min_length=1, description="Folder or URL of the page; empty: in the store")

    def to_yaml(self) -> str:
        """The whole configuration, defaults included, as it could be written in a file."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


MOST_SWEEPS = 8


class StudyConfig(BaseModel):
    """Sweeps that belong together, such as one task with several models: run one after another, then compared."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    sweeps: tuple[SweepConfig, ...] = Field(
        min_length=2,
        max_length=MOST_SWEEPS,
        description="Two to eight sweeps with one store; the first is the reference",
    )

    @model_validator(mode="after")
    def _one_store(self) -> "StudyConfig":
        stores = sorted({each.store for each in self.sweeps})
        if len(stores) > 1:
            raise ValueError(f"the sweeps of a study share a store; these have {' and '.join(stores)}")
        return self

    @property
    def label(self) -> str:
        """What it studies, for people."""
        return ", ".join(dict.fromkeys(each.engine.label for each in self.sweeps))
