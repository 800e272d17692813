"""What can be chosen by name: datasets, engines, graders, scorers, budgets, sandboxes and selectors.

The choices are those that are built in and those that plug-ins add (`tasks.choices`). A type checker only sees the
former. Provers, which the grader `proof` chooses among, are in `tasks.provers.choices`.
"""

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BeforeValidator

import sandboxes
import tasks.datasets
import tasks.engines
import tasks.graders
import tasks.scorers
import tasks.selection
from sandboxes.bubblewrap import BubblewrapConfig
from sandboxes.docker import DockerConfig
from tasks.choices import choices
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
from tasks.datasets.swe_bench import SweBenchDataset
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
from tasks.graders.swe_bench import SweBenchGrader
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


def _renamed_dataset(value: Any) -> Any:
    """`custom` used to be called `own`."""
    if value == "own":
        return "custom"
    return {**value, "name": "custom"} if isinstance(value, dict) and value.get("name") == "own" else value


def _default_sandbox(value: Any) -> Any:
    """`sandbox: {time_limit_s: 2}` is short for the default sandbox with this limit."""
    return {"name": "bubblewrap", **value} if isinstance(value, dict) else value


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
    | SweBenchDataset
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
    | SweBenchGrader
)
_Scorer = HttpScorerConfig | OnnxScorerConfig | OpenAIScorerConfig | TournamentConfig | TransformersScorerConfig
_Budget = UniformConfig | AdaptiveConfig | SolveConfig | VoteConfig
_Selector = BestOf | FirstPassing | Majority | VoteAmongPassing | WeightedVote
_Sandbox = BubblewrapConfig | DockerConfig


if TYPE_CHECKING:
    DatasetConfig = _Dataset
    EngineConfig = _Engine
    GraderConfig = _Grader
    ScorerConfig = _Scorer
    BudgetConfig = _Budget
    SandboxConfig = _Sandbox
    SelectorConfig = _Selector
else:
    DatasetConfig = choices("dataset", _Dataset, tasks.datasets.Dataset, BeforeValidator(_renamed_dataset))
    EngineConfig = choices("engine", _Engine, tasks.engines.EngineConfig)
    GraderConfig = choices("grader", _Grader, tasks.graders.Grader)
    ScorerConfig = choices("scorer", _Scorer, tasks.scorers.ScorerConfig)
    BudgetConfig = choices("budget", _Budget, Budget)
    SandboxConfig = choices("sandbox", _Sandbox, sandboxes.SandboxConfig, BeforeValidator(_default_sandbox))
    SelectorConfig = choices("selector", _Selector, tasks.selection.Selector)


def sandbox_classes() -> tuple[type[Any], ...]:
    """The configuration class of every sandbox that can be chosen."""
    return get_args(get_args(SandboxConfig)[0])
