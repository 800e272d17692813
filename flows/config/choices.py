"""What can be chosen by name: datasets, engines, graders, scorers, budgets, sandboxes and selectors.

The choices are those that are built in and those that plug-ins add (`tasks.plugins`). A type checker only sees the
former.
"""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated, Any, get_args

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

import sandboxes
import tasks.datasets
import tasks.engines
import tasks.graders
import tasks.scorers
import tasks.selection
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
from tasks.datasets.minif2f import MiniF2FDataset
from tasks.datasets.programs import ProgramsDataset
from tasks.datasets.theorems import TheoremsDataset
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
from tasks.graders.proof import ProofGrader
from tasks.graders.stdio import StdioGrader
from tasks.graders.stdio_exact import StdioExactGrader
from tasks.plugins import load
from tasks.scorers.http import HttpScorerConfig
from tasks.scorers.onnx import OnnxScorerConfig
from tasks.scorers.openai import OpenAIScorerConfig
from tasks.scorers.tournament import TournamentConfig
from tasks.scorers.transformers import TransformersScorerConfig
from tasks.selection.best_of import BestOf
from tasks.selection.first_passing import FirstPassing
from tasks.selection.majority import Majority
from tasks.selection.vote_among_passing import VoteAmongPassing
from tasks.selection.weighted_vote import WeightedVote
from tasks.sweep.budgets import AdaptiveConfig, Budget, SolveConfig, UniformConfig, VoteConfig


def _named(value: Any) -> Any:
    """`dataset: programs` is short for `dataset: {name: programs}`."""
    return {"name": value} if isinstance(value, str) else value


def _renamed_dataset(value: Any) -> Any:
    """`custom` used to be called `own`."""
    if value == "own":
        return "custom"
    return {**value, "name": "custom"} if isinstance(value, dict) and value.get("name") == "own" else value


def _default_sandbox(value: Any) -> Any:
    """`sandbox: {time_limit_s: 2}` is short for the default sandbox with this limit."""
    return {"name": "bubblewrap", **value} if isinstance(value, dict) else value


class _Form:
    """Makes the schema of a choice `anyOf`, for which the Prefect UI shows fields (for `oneOf`, a text box for JSON),
    and titles each alternative by its name."""

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        schema = handler(core)
        schema.pop("discriminator", None)
        if "oneOf" in schema:
            schema["anyOf"] = schema.pop("oneOf")
        for choice in schema["anyOf"]:
            chosen = handler.resolve_ref_schema(choice)
            chosen["title"] = chosen["properties"]["name"]["const"]
        return schema


_Dataset = (
    ArithmeticDataset
    | CodeContestsDataset
    | Gsm8kDataset
    | HumanEvalDataset
    | MathDataset
    | Math500Dataset
    | MbppDataset
    | MiniF2FDataset
    | CustomDataset
    | ProgramsDataset
    | TheoremsDataset
)
_Engine = OnnxConfig | OpenAIConfig | RecordedConfig | TransformersConfig | VllmConfig
_Grader = (
    CodeContestsGrader
    | FinalAnswerGrader
    | FunctionsGrader
    | Gsm8kGrader
    | Gsm8kTolerantGrader
    | HumanEvalGrader
    | MathGrader
    | MathTolerantGrader
    | MathVerifyGrader
    | ProofGrader
    | StdioGrader
    | StdioExactGrader
)
_Scorer = HttpScorerConfig | OnnxScorerConfig | OpenAIScorerConfig | TournamentConfig | TransformersScorerConfig
_Budget = UniformConfig | AdaptiveConfig | SolveConfig | VoteConfig
_Selector = BestOf | FirstPassing | Majority | VoteAmongPassing | WeightedVote
_Sandbox = BubblewrapConfig | DockerConfig


def _choices(role: str, built_in: Any, protocol: type, *validators: BeforeValidator) -> Any:
    """The type of a role's field: a union of the built-in classes and of the plug-ins that can be used."""
    classes = get_args(built_in)
    plugins = load(role, protocol, [get_args(each.model_fields["name"].annotation)[0] for each in classes])
    union = reduce(or_, [*classes, *(each.target for each in plugins if each.fault is None)])
    return Annotated[union, Field(discriminator="name"), BeforeValidator(_named), _Form(), *validators]


if TYPE_CHECKING:
    DatasetConfig = _Dataset
    EngineConfig = _Engine
    GraderConfig = _Grader
    ScorerConfig = _Scorer
    BudgetConfig = _Budget
    SandboxConfig = _Sandbox
    SelectorConfig = _Selector
else:
    DatasetConfig = _choices("dataset", _Dataset, tasks.datasets.Dataset, BeforeValidator(_renamed_dataset))
    EngineConfig = _choices("engine", _Engine, tasks.engines.EngineConfig)
    GraderConfig = _choices("grader", _Grader, tasks.graders.Grader)
    ScorerConfig = _choices("scorer", _Scorer, tasks.scorers.ScorerConfig)
    BudgetConfig = _choices("budget", _Budget, Budget)
    SandboxConfig = _choices("sandbox", _Sandbox, sandboxes.SandboxConfig, BeforeValidator(_default_sandbox))
    SelectorConfig = _choices("selector", _Selector, tasks.selection.Selector)


def sandbox_classes() -> tuple[type[Any], ...]:
    """The configuration class of every sandbox that can be chosen."""
    return get_args(get_args(SandboxConfig)[0])
