"""What can be chosen by name in a sweep file: datasets, engines, graders, budgets and sandboxes."""

from typing import Annotated, Any, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.docker import DockerConfig
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.datasets.code_contests import CodeContestsDataset
from tasks.datasets.custom import CustomDataset
from tasks.datasets.gsm8k import Gsm8kDataset
from tasks.datasets.humaneval import HumanEvalDataset
from tasks.datasets.math import MathDataset
from tasks.datasets.math500 import Math500Dataset
from tasks.datasets.mbpp import MbppDataset
from tasks.datasets.programs import ProgramsDataset
from tasks.engines.onnx import OnnxConfig
from tasks.engines.openai import OpenAIConfig
from tasks.engines.recorded import RecordedConfig
from tasks.engines.transformers import TransformersConfig
from tasks.engines.vllm import VllmConfig
from tasks.graders.code_contests import CodeContestsGrader
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.graders.functions import FunctionsGrader
from tasks.graders.gsm8k import Gsm8kGrader
from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
from tasks.graders.humaneval import HumanEvalGrader
from tasks.graders.math import MathGrader
from tasks.graders.math_tolerant import MathTolerantGrader
from tasks.graders.math_verify import MathVerifyGrader
from tasks.graders.stdio import StdioGrader
from tasks.graders.stdio_exact import StdioExactGrader
from tasks.sweep.budgets import AdaptiveConfig, SolveConfig, UniformConfig


def _named(value: Any) -> Any:
    """`dataset: programs` is short for `dataset: {name: programs}`."""
    return {"name": value} if isinstance(value, str) else value


def _renamed_dataset(value: Any) -> Any:
    """`custom` used to be called `own`."""
    if value == "own":
        return "custom"
    return {**value, "name": "custom"} if isinstance(value, dict) and value.get("name") == "own" else value


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


_chosen_by_name = (Field(discriminator="name"), BeforeValidator(_named), _Form())

DatasetConfig = Annotated[
    ArithmeticDataset
    | CodeContestsDataset
    | Gsm8kDataset
    | HumanEvalDataset
    | MathDataset
    | Math500Dataset
    | MbppDataset
    | CustomDataset
    | ProgramsDataset,
    *_chosen_by_name,
    BeforeValidator(_renamed_dataset),
]
EngineConfig = Annotated[OnnxConfig | OpenAIConfig | RecordedConfig | TransformersConfig | VllmConfig, *_chosen_by_name]
GraderConfig = Annotated[
    CodeContestsGrader
    | FinalAnswerGrader
    | FunctionsGrader
    | Gsm8kGrader
    | Gsm8kTolerantGrader
    | HumanEvalGrader
    | MathGrader
    | MathTolerantGrader
    | MathVerifyGrader
    | StdioGrader
    | StdioExactGrader,
    *_chosen_by_name,
]
BudgetConfig = Annotated[UniformConfig | AdaptiveConfig | SolveConfig, *_chosen_by_name]
SandboxConfig = Annotated[BubblewrapConfig | DockerConfig, *_chosen_by_name, BeforeValidator(_usual_sandbox)]


def sandbox_classes() -> tuple[type[Any], ...]:
    """The configuration class of every sandbox that can be chosen."""
    union = get_args(SandboxConfig)[0]
    return get_args(union) or (union,)
