"""Finds in vLLM's log what went wrong, in one line, and which setting to change if memory ran out.

The patterns match messages of vLLM 0.32 (`v1/core/kv_cache_utils.py`, `v1/worker/utils.py`, `v1/worker/cpu_worker.py`,
`v1/worker/gpu_model_runner.py`) and of PyTorch.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_PREFIX = re.compile(
    r"^(\([^()]*pid=\d+\)\s*)*((DEBUG|INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d \[[^\]]*\]\s?)?"
)
_NOT_PIPED = "\x1b"
_ERROR = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|Interrupt|Refused))\b:? ?(.*)$")
_ARGUMENTS = re.compile(r"^\S+: error: (.+)$")
_ECHOES = (
    "Engine core initialization failed",  # the cause is logged before it
    "WorkerProc initialization failed",
    "Engine process failed to start",
    "EngineCore encountered an issue",
    "Executor failed",
    "cancelled",
)
_MAX_CHARACTERS = 300
_LOWER_LENGTH = "lower engine.max_model_len"


class MemoryAdvice(NamedTuple):
    """A log message that says that memory ran out, and what to change on a GPU and on a CPU (empty: as on a GPU)."""

    text: re.Pattern[str]
    gpu: str
    cpu: str


_MEMORY = (
    MemoryAdvice(
        re.compile(r"To serve at least one request with the model's max seq len \((\d+)\).*", re.DOTALL),
        f"{_LOWER_LENGTH}, raise engine.gpu_memory_utilization, or share the model among GPUs with"
        " engine.tensor_parallel_size",
        f"{_LOWER_LENGTH}, or raise VLLM_CPU_KVCACHE_SPACE (GiB)",
    ),
    MemoryAdvice(
        re.compile(r"No available memory for the cache blocks|not enough GPU memory available to serve even"),
        "raise engine.gpu_memory_utilization, share the model among GPUs with engine.tensor_parallel_size, or use a"
        " smaller engine.dtype",
        "raise VLLM_CPU_KVCACHE_SPACE (GiB)",
    ),
    MemoryAdvice(
        re.compile(
            r"Free memory on device .* is less than desired GPU memory utilization"
            r"|less than desired CPU memory utilization|exceed the desired GPU memory utilization"
        ),
        "lower engine.gpu_memory_utilization, or stop other programs that use the GPU",
        "lower engine.gpu_memory_utilization (on a CPU, a fraction of main memory), or set VLLM_CPU_KVCACHE_SPACE"
        " (GiB)",
    ),
    MemoryAdvice(
        re.compile(r"is less than requested memory for kv"),
        "lower engine.engine_args.kv_cache_memory_bytes",
        "lower VLLM_CPU_KVCACHE_SPACE (GiB)",
    ),
    MemoryAdvice(
        re.compile(r"(CUDA|HIP|XPU) (error: )?out of memory|OutOfMemoryError|CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
        f"lower engine.gpu_memory_utilization or engine.engine_args.max_num_seqs, {_LOWER_LENGTH}, or share the model"
        " among GPUs with engine.tensor_parallel_size",
        "",
    ),
    MemoryAdvice(
        re.compile(r"DefaultCPUAllocator: can't allocate memory|DefaultCPUAllocator: not enough memory|MemoryError"),
        "the machine's main memory is too small for the model: use a smaller engine.dtype or another machine",
        f"lower VLLM_CPU_KVCACHE_SPACE (GiB), {_LOWER_LENGTH}, or use a smaller engine.dtype",
    ),
)


def cause(log: str) -> str | None:
    """The last error in a log that does not merely echo another one, or else its last line that is not empty."""
    last = None
    found = None
    for line in _lines(log):
        last = line
        argument = _ARGUMENTS.match(line)
        error = _ERROR.match(line)
        if argument:
            found = argument.group(1)
        elif error and error.group(2) and not any(echo in line for echo in _ECHOES):
            found = f"{error.group(1)}: {error.group(2)}"
    return _short(found or last)


def too_little_memory(log: str, *, on_cpu: bool) -> str | None:
    """If memory ran out: what vLLM says, and what to change. None if the log does not mention it."""
    for line in _lines(log):
        for memory in _MEMORY:
            if memory.text.search(line):
                error = _ERROR.match(line)
                message = _short(error.group(2) if error and error.group(2) else line)
                return f"{_first_sentence(message or line)}; {memory.cpu if on_cpu and memory.cpu else memory.gpu}"
    return None


def _lines(log: str) -> Iterator[str]:
    for raw in log.splitlines():
        line = _PREFIX.sub("", raw.strip()).strip()
        if line and _NOT_PIPED not in line:
            yield line


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[\w)])\. ", text, maxsplit=1)[0].rstrip(".")


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _MAX_CHARACTERS else text[: _MAX_CHARACTERS - 1] + "…"
