"""What can be tested of the vllm engine without vLLM: its configuration, its ingredients, and the reading of its
log."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.engines.model_files import BUNDLED
from tasks.engines.supervised.vllm_log import cause, too_little_memory
from tasks.engines.supervised.vllm_process import Installation, arguments, environment, installation
from tasks.engines.supervised.vllm_server import flags
from tasks.engines.vllm import VllmConfig
from tasks.errors import UserError
from tasks.records import Sampling

SAMPLING = Sampling(temperature=0.6, top_p=1.0, max_tokens=100, stop=("\n\n",), seed=0)
CPU, GPU = Installation("python", "0.32.0", on_cpu=True), Installation("python", "0.33.0", on_cpu=False)


def _ingredients(**changes: Any) -> dict[str, Any]:
    return VllmConfig.model_validate({"model": "arithmetic"} | changes).ingredients(SAMPLING, "{question}")


@pytest.mark.parametrize(
    "changes",
    [
        {"tensor_parallel_size": 8},
        {"mode": "server", "data_parallel_size": 4, "port": 8000},
        {"gpu_memory_utilization": 0.5},
        {"engine_args": {"max_num_seqs": 512, "enforce_eager": True}},
        {"python": "elsewhere", "log": "logs", "stall_timeout_s": 5, "max_restarts": 0, "start_timeout_s": 9},
        {"model": str(BUNDLED / "arithmetic")},
    ],
)
def test_settings_that_only_change_speed_are_not_ingredients(changes):
    assert _ingredients(**changes) == _ingredients()


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "programs"},
        {"model": "Qwen/Qwen3-8B"},
        {"dtype": "float32"},
        {"max_model_len": 300},
        {"engine_args": {"quantization": "fp8"}},
        {"engine_args": {"revision": "abc"}},
        {"engine_args": {"an_argument_of_tomorrow": 1}},
    ],
)
def test_settings_that_change_samples_are_ingredients(changes):
    assert _ingredients(**changes) != _ingredients()


def test_a_models_folder_is_identified_by_its_content(tmp_path):
    copy = shutil.copytree(BUNDLED / "arithmetic", tmp_path / "copy")
    assert _ingredients(model=str(copy)) == _ingredients()
    (copy / "README.md").write_text("other words")
    assert _ingredients(model=str(copy)) == _ingredients()
    config = copy / "config.json"
    config.write_text(config.read_text().replace("10000.0", "20000.0"))
    assert _ingredients(model=str(copy)) != _ingredients()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data_parallel_size": 2}, "data_parallel_size above 1 needs mode: server"),
        ({"port": 8000}, "port needs mode: server"),
        ({"engine_args": {"dtype": "float16"}}, "engine_args.dtype is set by engine.dtype"),
        ({"mode": "server", "engine_args": {"disable_log_stats": True}}, "disables the counters by which mode: server"),
        ({"engine_args": {"max-num-seqs": 5}}, "engine_args.max-num-seqs must be written max_num_seqs"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        VllmConfig.model_validate({"model": "arithmetic"} | changes)


@pytest.mark.parametrize("model", ["./nowhere", "/nowhere/at/all", "a/b/c"])
def test_a_path_that_does_not_exist_is_not_looked_up_on_the_hub(model):
    with pytest.raises(UserError, match=r"^engine\.model: no folder"):
        _ingredients(model=model)


def test_a_folder_without_weights_is_a_user_error(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UserError, match=r"config\.json and weights"):
        VllmConfig(model=str(tmp_path)).check((), 0)


def test_if_vllm_is_missing_the_error_says_how_to_install_it(tmp_path):
    with pytest.raises(UserError, match=r"^engine\.python: .*/nowhere is not a working Python interpreter"):
        installation(str(tmp_path / "nowhere"))
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(UserError, match=r"has no vLLM; `make vllm` installs it in \.venv-vllm"):
        VllmConfig(model="arithmetic", python=str(bare)).check((), 0)


def test_the_users_environment_and_engine_args_take_precedence(monkeypatch):
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "7")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("PYTHONPATH", "ours")
    variables = environment(CPU, local_model=True)
    assert variables["VLLM_CPU_KVCACHE_SPACE"] == "7"
    assert variables["OMP_NUM_THREADS"] == "1"
    assert "PYTHONPATH" not in variables
    assert "OMP_NUM_THREADS" not in environment(GPU, local_model=True)
    assert "HF_HUB_OFFLINE" not in environment(GPU, local_model=False)
    own = {"model": "m", "max_model_len": None, "tensor_parallel_size": 1}
    assert arguments(CPU, own, {"block_size": 64})["block_size"] == 64
    assert "max_model_len" not in arguments(CPU, own, {})
    assert "enforce_eager" not in arguments(GPU, own, {})


def test_engine_arguments_become_options_of_the_server():
    given = {"model": "m", "enable_prefix_caching": True, "enforce_eager": False, "hf_overrides": {"a": 1}, "x": [1, 2]}
    wanted = ["--model", "m", "--enable-prefix-caching", "--no-enforce-eager"]
    assert flags(given) == [*wanted, "--hf-overrides", '{"a": 1}', "--x", "1", "2"]


def test_the_cause_in_a_log_is_the_last_error_that_does_not_echo_another():
    log = (
        "(EngineCore pid=20) INFO 11-21 02:36:33 [core.py:133] Initializing a V1 LLM engine\n"
        "(EngineCore pid=20) ERROR 11-21 02:36:34 [core.py:9] Traceback (most recent call last):\n"
        '(EngineCore pid=20) ERROR 11-21 02:36:34 [core.py:9]   File "x.py", line 3, in f\n'
        "(EngineCore pid=20) ERROR 11-21 02:36:34 [core.py:9] ValueError: the head size is 7\n"
        "Traceback (most recent call last):\n"
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n"
        "[rank0]: some warning\n"
    )
    assert cause(log) == "ValueError: the head size is 7"
    assert cause("usage: x\napi_server.py: error: unrecognized arguments: --no-such 1\n") == (
        "unrecognized arguments: --no-such 1"
    )
    assert cause("INFO 11-21 02:36:33 [a.py:1] the last thing\n\n") == "the last thing"
    assert cause("") is None


# Texts of vLLM 0.32 (v1/core/kv_cache_utils.py, v1/worker/utils.py, cpu_worker.py, gpu_model_runner.py) and PyTorch.
MEMORY = [
    (
        "ValueError: To serve at least one request with the model's max seq len (40960), (5.62 GiB KV cache is needed,"
        " which is larger than the available KV cache memory (1.00 GiB). Based on the available memory, the estimated"
        " maximum model length is 7280. Try increasing `gpu_memory_utilization`",
        "lower engine.max_model_len, raise engine.gpu_memory_utilization",
        "raise VLLM_CPU_KVCACHE_SPACE",
    ),
    (
        "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when",
        "raise engine.gpu_memory_utilization",
        "raise VLLM_CPU_KVCACHE_SPACE",
    ),
    (
        "ValueError: Free memory on device cuda:0 (3.1/79.2 GiB) on startup is less than desired GPU memory utilization"
        " (0.92, 72.8 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
        "lower engine.gpu_memory_utilization",
        "lower engine.gpu_memory_utilization",
    ),
    (
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a capacity of 79.2 GiB",
        "engine.tensor_parallel_size",
        "engine.tensor_parallel_size",
    ),
    (
        "RuntimeError: CUDA out of memory occurred when warming up sampler with 1024 dummy requests. Please try",
        "engine.engine_args.max_num_seqs",
        "engine.engine_args.max_num_seqs",
    ),
    (
        "RuntimeError: [enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you"
        " tried to allocate 99999999999 bytes. Error code 12 (Cannot allocate memory)",
        "the machine's main memory is too small",
        "lower VLLM_CPU_KVCACHE_SPACE",
    ),
]


@pytest.mark.parametrize(("text", "on_gpu", "on_cpu"), MEMORY)
def test_if_memory_ran_out_the_setting_to_change_is_named(text, on_gpu, on_cpu):
    log = f"INFO 11-21 02:36:33 [a.py:1] hello\n(Worker pid=3) ERROR 11-21 02:36:34 [core.py:9] {text}\n"
    for is_cpu, advice in ((False, on_gpu), (True, on_cpu)):
        line = too_little_memory(log, on_cpu=is_cpu)
        assert line is not None
        assert advice in line
        assert "\n" not in line
    assert too_little_memory("ValueError: something else\n", on_cpu=False) is None


@pytest.mark.parametrize(
    ("changes", "variables", "deterministic"),
    [
        ({"dtype": "float32"}, {}, True),
        ({"dtype": "auto"}, {}, False),
        ({"dtype": "float32"}, {"OMP_NUM_THREADS": "2"}, False),
    ],
)
def test_vllm_is_deterministic_only_if_sums_do_not_depend_on_the_batch(changes, variables, deterministic):
    from tasks.engines.vllm import _deterministic

    assert _deterministic(True, changes["dtype"], environment(CPU, local_model=True) | variables) is deterministic
    assert _deterministic(False, changes["dtype"], {}) is False
    assert _deterministic(False, changes["dtype"], {"VLLM_BATCH_INVARIANT": "1"}) is True


def test_the_bundled_models_have_all_files_that_vllm_needs():
    for name in ("arithmetic", "programs"):
        folder = VllmConfig(model=name).folder
        assert folder is not None
        assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in Path(folder).iterdir()}
