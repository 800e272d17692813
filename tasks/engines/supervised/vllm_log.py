"""What vLLM's log says went wrong, in one line, and which setting to change where memory ran out.

The texts are those of vLLM 0.32 (`v1/core/kv_cache_utils.py`, `v1/worker/utils.py`, `v1/worker/cpu_worker.py`,
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
    "Engine core initialization failed",  # the cause is above it
    "WorkerProc initialization failed",
    "Engine process failed to start",
    "EngineCore encountered an issue",
    "Executor failed",
    "cancelled",
)
_LONGEST = 300
_SHORTER = "lower engine.max_model_len"


class Memory(NamedTuple):
    """A text of a log that tells that memory ran out, and what to change (on a GPU, on a CPU)."""

    text: re.Pattern[str]
    gpu: str
    cpu: str


_MEMORY = (
    Memory(
        re.compile(r"To serve at least one request with the model's max seq len \((\d+)\).*", re.DOTALL),
        f"{_SHORTER}, raise engine.gpu_memory_utilization, or share the model among GPUs with"
        " engine.tensor_parallel_size",
        f"{_SHORTER}, or raise VLLM_CPU_KVCACHE_SPACE (GiB)",
    ),
    Memory(
        re.compile(r"No available memory for the cache blocks|not enough GPU memory available to serve even"),
        "raise engine.gpu_memory_utilization, share the model among GPUs with engine.tensor_parallel_size, or take a"
        " smaller engine.dtype",
        "raise VLLM_CPU_KVCACHE_SPACE (GiB)",
    ),
    Memory(
        re.compile(
            r"Free memory on device .* is less than desired GPU memory utilization"
            r"|less than desired CPU memory utilization|exceed the desired GPU memory utilization"
        ),
        "lower engine.gpu_memory_utilization, or end what else uses the GPU",
        "lower engine.gpu_memory_utilization (on a CPU, its part of the main memory), or set VLLM_CPU_KVCACHE_SPACE"
        " (GiB)",
    ),
    Memory(
        re.compile(r"is less than requested memory for kv"),
        "lower engine.engine_args.kv_cache_memory_bytes",
        "lower VLLM_CPU_KVCACHE_SPACE (GiB)",
    ),
    Memory(
        re.compile(r"(CUDA|HIP|XPU) (error: )?out of memory|OutOfMemoryError|CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
        f"lower engine.gpu_memory_utilization or engine.engine_args.max_num_seqs, {_SHORTER}, or share the model among"
        " GPUs with engine.tensor_parallel_size",
        "",
    ),
    Memory(
        re.compile(r"DefaultCPUAllocator: can't allocate memory|DefaultCPUAllocator: not enough memory|MemoryError"),
        "the machine's own memory is too small for the model: take a smaller engine.dtype or another machine",
        f"lower VLLM_CPU_KVCACHE_SPACE (GiB), {_SHORTER}, or take a smaller engine.dtype",
    ),
)


def cause(log: str) -> str | None:
    """The last line that tells an error and does not merely echo one; else the last line with anything in it."""
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
    """Where memory ran out: how, and what to change; None where the log tells nothing of it."""
    for line in _lines(log):
        for memory in _MEMORY:
            if memory.text.search(line):
                error = _ERROR.match(line)
                how = _short(error.group(2) if error and error.group(2) else line)
                return f"{_first_sentence(how or line)}; {memory.cpu if on_cpu and memory.cpu else memory.gpu}"
    return None


def _lines(log: str) -> Iterator[str]:
    for raw in log.splitlines():
        line = _PREFIX.sub("", raw.strip()).strip()
        if line and _NOT_PIPED not in line:
            yield line


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[\w)])\. ", text, maxsplit=1)[0].rstrip(".")


def _short(text: str | None) -> str | None:
    return text if text is None or len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
