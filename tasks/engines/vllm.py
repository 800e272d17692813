"""vLLM: any model that it supports, on GPUs or a CPU, through its Python API or a server that the engine starts.

Either way vLLM runs in separate processes under a watchdog (`supervised.watchdog`), and may be installed in another
environment than this program (`python`). Samples [a, b) of a problem are drawn with the seeds base + a, …,
base + b - 1 (`tasks.engines.seeds`), as vLLM does for one request with n = b - a and seed base + a.

On a CPU in float32 with one thread, sample i depends only on the problem, the seed and i: requests may be cut, ordered
and mixed in any way, and give the same samples to the last bit of their log-probabilities. At lower precision, sums
depend on the size of the batch, and a sample differs now and then. The same goes for GPUs, unless the environment sets
VLLM_BATCH_INVARIANT=1 and vLLM supports it there.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from sandboxes.config import Config
from tasks.engines import Engine
from tasks.engines.confidence import CONFIDENCE, ConfidenceSettings
from tasks.engines.model_files import BUNDLED, bundled_models, fingerprint
from tasks.errors import UserError
from tasks.progress import progress
from tasks.records import Problem, Sampling

SEED_RULE = 1
"""Incremented whenever the same sweep would give vLLM another seed for a sample, or other settings."""

SPEED_ONLY = frozenset(
    {
        "api_server_count",
        "async_scheduling",
        "block_size",
        "cpu_offload_gb",
        "data_parallel_address",
        "data_parallel_backend",
        "data_parallel_rpc_port",
        "data_parallel_size_local",
        "disable_custom_all_reduce",
        "disable_log_stats",
        "distributed_executor_backend",
        "download_dir",
        "enable_chunked_prefill",
        "enable_prefix_caching",
        "enforce_eager",
        "kv_cache_memory_bytes",
        "load_format",
        "max_num_batched_tokens",
        "max_num_seqs",
        "max_parallel_loading_workers",
        "pipeline_parallel_size",
        "scheduling_policy",
        "stream_interval",
        "swap_space",
        "uvicorn_log_level",
    }
)
"""Engine arguments that change when and where something is computed, but not what: they are not among the set's
ingredients. (The last bits of sums may still depend on them.) Every other argument is an ingredient."""

_RESERVED_ARGUMENTS = {
    "model": "engine.model",
    "served_model_name": "engine.model",
    "dtype": "engine.dtype",
    "tensor_parallel_size": "engine.tensor_parallel_size",
    "data_parallel_size": "engine.data_parallel_size",
    "max_model_len": "engine.max_model_len",
    "gpu_memory_utilization": "engine.gpu_memory_utilization",
    "host": "nothing: the server only serves this machine",
    "port": "engine.port",
    "api_key": "nothing: every start makes a new one",
    "seed": "sampling.seed",
    "logprobs_mode": "nothing: log-probabilities are those at temperature 1",
}
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".gguf")
_IGNORED_SUFFIXES = (".md", ".onnx", ".h5", ".msgpack", ".png", ".jpg")


class VllmConfig(Config):
    """A model in vLLM, which the sweep starts, watches and stops."""

    name: Literal["vllm"] = "vllm"
    model: str = Field(min_length=1, description="Name on the Hugging Face hub, a folder, or a bundled model's name")
    mode: Literal["in_process", "server"] = Field(
        default="in_process",
        description="in_process: vLLM's Python API, which is fastest; server: HTTP, for data_parallel_size above 1",
    )
    python: str | None = Field(
        default=None,
        description="Python of the environment that has vLLM, such as .venv-vllm/bin/python; empty: this Python",
    )
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        default="auto", description="auto: that of the model; float32 on a CPU makes samples reproducible"
    )
    tensor_parallel_size: int = Field(default=1, ge=1, le=1_024, description="GPUs that share one copy of the model")
    data_parallel_size: int = Field(default=1, ge=1, le=1_024, description="Copies of the model; needs mode: server")
    max_model_len: int | None = Field(
        default=None, ge=1, description="Maximum tokens of prompt and completion; empty: the model's maximum"
    )
    gpu_memory_utilization: float | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Fraction of the GPU's memory that vLLM takes; empty: vLLM's default, 0.92",
    )
    port: int | None = Field(default=None, ge=1, le=65_535, description="The server's port; empty: a free one")
    engine_args: dict[str, Any] = Field(
        default_factory=dict, description="Further engine arguments of vLLM, such as max_num_seqs: 512"
    )
    log: str | None = Field(
        default=None, min_length=1, description="Folder for vLLM's log; empty: ~/.local/state/monkeys/logs"
    )
    confidence: ConfidenceSettings | None = Field(default=None, description=CONFIDENCE)
    start_timeout_s: float = Field(
        default=1_800.0, gt=0, le=86_400, description="Seconds that downloading and loading the model may take"
    )
    stall_timeout_s: float = Field(
        default=300.0, gt=0, le=86_400, description="Seconds without a new token after which vLLM is considered hung"
    )
    max_restarts: int = Field(
        default=3, ge=0, le=100, description="Consecutive restarts without a sample after which the sweep stops"
    )

    @model_validator(mode="after")
    def _check_combinations(self) -> "VllmConfig":
        for argument in self.engine_args:
            name = argument.replace("-", "_")
            if name in _RESERVED_ARGUMENTS:
                raise ValueError(f"engine_args.{argument} is set by {_RESERVED_ARGUMENTS[name]}")
            if name != argument:
                raise ValueError(f"engine_args.{argument} must be written {name}")
        if self.mode == "in_process" and self.data_parallel_size > 1:
            raise ValueError("data_parallel_size above 1 needs mode: server")
        if self.mode == "in_process" and self.port is not None:
            raise ValueError("port needs mode: server")
        if self.mode == "server" and self.engine_args.get("disable_log_stats"):
            raise ValueError("engine_args.disable_log_stats disables the counters by which mode: server detects a hang")
        return self

    @property
    def label(self) -> str:
        """What result sets are named after: the model, without its owner."""
        return self.model.rstrip("/").rsplit("/", 1)[-1]

    @property
    def folder(self) -> Path | None:
        """The model's folder; None for a model of the hub. A bundled model takes precedence over a folder of that
        name."""
        if self.model in bundled_models():
            return BUNDLED / self.model
        folder = Path(self.model)
        return folder if folder.is_dir() else None

    def check(self, problems: Sequence[Problem], k: int) -> None:  # noqa: ARG002 a model answers any problem, any index
        """Make sure that a folder contains a model, and that vLLM is installed; the hub is not contacted.

        Raises:
            UserError: a file or vLLM is missing.
        """
        from tasks.engines.supervised.vllm_process import installation  # only when samples are drawn

        self._check_model()
        installation(self.python)

    def ingredients(self, sampling: Sampling, template: str) -> dict[str, Any]:
        """What its samples depend on; neither the number of GPUs nor how vLLM is run and installed is part of that.

        A model of the hub is identified by its name and `engine_args.revision`; what `main` stands for may change.
        """
        self._check_model()
        others = {name: value for name, value in self.engine_args.items() if name not in SPEED_ONLY}
        return {
            "engine": self.name,
            "rule": SEED_RULE,
            "model": self.model if self.folder is None else fingerprint(self.folder, _IGNORED_SUFFIXES),
            "dtype": self.dtype,
            "max_model_len": self.max_model_len,
            "engine_args": others,
            "template": template,
            "sampling": sampling,
        }

    def open(self) -> Engine:
        """Start vLLM and load the model.

        Raises:
            UserError: something that the user can fix, such as an argument that vLLM refuses, or too little memory.
            EngineFailedError: vLLM repeatedly fails to start.
        """
        from tasks.engines.supervised.vllm_direct import DirectStart
        from tasks.engines.supervised.vllm_process import Setting, arguments, environment, installation, log_file
        from tasks.engines.supervised.vllm_server import ServerStart
        from tasks.engines.supervised.watchdog import SupervisedEngine

        self._check_model()
        installed = installation(self.python)
        direct = self.mode == "in_process"
        own = {
            "model": self.model if self.folder is None else str(self.folder.absolute()),
            "dtype": self.dtype,
            "tensor_parallel_size": self.tensor_parallel_size,
            "max_model_len": self.max_model_len,
            "gpu_memory_utilization": self.gpu_memory_utilization,
        }
        own |= {"disable_log_stats": True} if direct else {"served_model_name": self.label}
        own |= {"data_parallel_size": self.data_parallel_size} if self.data_parallel_size > 1 else {}
        setting = Setting(
            installed,
            arguments(installed, own, self.engine_args),
            environment(installed, local_model=self.folder is not None),
            log_file(self.log),
            self.start_timeout_s,
        )
        progress.get().say(f"starting vLLM with {self.label}; its log: {setting.log}")
        return SupervisedEngine(
            DirectStart(setting, confidence=self.confidence)
            if direct
            else ServerStart(setting, self.port, self.data_parallel_size, self.confidence),
            what="vLLM" if direct else "vLLM's server",
            log=setting.log,
            version=installed.label,
            deterministic=_deterministic(installed.on_cpu, self.dtype, setting.environment),
            max_concurrent_calls=max(2, self.data_parallel_size),
            stall_timeout_s=self.stall_timeout_s,
            max_restarts=self.max_restarts,
        )

    def _check_model(self) -> None:
        folder = self.folder
        if folder is None:
            if Path(self.model).is_absolute() or self.model.startswith((".", "~")) or self.model.count("/") > 1:
                raise UserError(
                    f"engine.model: no folder {self.model!r}; give a folder, a name on the Hugging Face hub such as"
                    f" Qwen/Qwen3-8B, or one of the bundled models: {', '.join(bundled_models())}"
                )
            return
        files = [path.name for path in folder.iterdir()]
        if "config.json" not in files or not any(name.endswith(_WEIGHT_SUFFIXES) for name in files):
            raise UserError(
                f"engine.model: {folder} does not contain a model; it needs config.json and weights (*.safetensors)"
            )


def _deterministic(on_cpu: bool, dtype: str, environment: dict[str, str]) -> bool:
    """Whether sample i depends only on (seed, problem, i); see the module."""
    if on_cpu:
        return dtype == "float32" and environment.get("OMP_NUM_THREADS") == "1"
    return environment.get("VLLM_BATCH_INVARIANT") == "1"
