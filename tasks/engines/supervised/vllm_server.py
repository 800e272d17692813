"""vLLM's OpenAI-compatible server, which is started and ended here; samples come over HTTP (`http.engine`)."""

import json
import re
import secrets
import socket
import threading
from collections.abc import Generator, Sequence
from typing import Any

import httpx

from tasks.engines.confidence import ConfidenceSettings
from tasks.engines.http.engine import OpenAIEngine
from tasks.engines.supervised.supervised_process import SupervisedProcess
from tasks.engines.supervised.vllm_process import Diagnosis, Setting
from tasks.engines.supervised.watchdog import EngineProcessError, Heartbeat
from tasks.errors import EngineFailedError, SamplingCancelledError, UserError
from tasks.records import Request, Sample, Sampling

HOST = "127.0.0.1"
POLL_S = 0.2
PROBE_TIMEOUT_S = 5.0
REQUEST_TIMEOUT_S = 86_400.0
"""A hang is detected much earlier, by the server's counters."""
_COUNTER = re.compile(r"^vllm:(\w+)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_PROGRESS = {"generation_tokens_total", "prompt_tokens_total", "request_success_total"}
_BUSY = {"num_requests_running", "num_requests_waiting"}


class ServerStart:
    """Starts servers, all at the same port if one is given."""

    def __init__(
        self, setting: Setting, port: int | None, replicas: int, confidence: ConfidenceSettings | None = None
    ) -> None:
        self._setting = setting
        self._confidence = confidence
        self._port = port
        self._replicas = replicas
        self._first = True

    def __call__(self, cancelled: threading.Event) -> "ServerProcess":
        """Start a server, and wait until it is healthy.

        Raises:
            UserError: vLLM does not start, for a reason that the user can fix, such as a port in use.
            EngineProcessError: it does not start for another reason, or takes too long.
            SamplingCancelledError: `cancelled` was set.
        """
        setting, key = self._setting, secrets.token_hex(16)
        port = _free_port(self._port)
        command = [setting.installed.python, "-m", "vllm.entrypoints.openai.api_server"]
        command += ["--host", HOST, "--port", str(port), *flags(setting.arguments)]
        with setting.log.open("ab") as log:
            log_start = log.tell()
            process = SupervisedProcess(command, setting.environment | {"VLLM_API_KEY": key}, log)
        diagnosis = Diagnosis(process, setting, log_start)
        url = f"http://{HOST}:{port}"
        try:
            ready = self._wait(url, process, cancelled)
        except BaseException:
            process.stop()
            raise
        if not ready:
            process.stop()
            raise diagnosis.startup_error(first=self._first)
        self._first = False
        client = OpenAIEngine(
            base_urls=[f"{url}/v1"],
            model=setting.arguments["served_model_name"],
            api_key=key,
            concurrency=32 * self._replicas,
            timeout_s=REQUEST_TIMEOUT_S,
            retries=2,
            deterministic=True,  # choice i has seed + i; SupervisedEngine says whether samples are reproducible
            vllm=True,
            confidence=self._confidence,
            version=setting.installed.label,
        )
        return ServerProcess(process, diagnosis, client, url)

    def _wait(self, url: str, process: SupervisedProcess, cancelled: threading.Event) -> bool:
        """Wait until the server is healthy; False if it has ended."""
        with httpx.Client(trust_env=False, timeout=PROBE_TIMEOUT_S) as client:
            for _ in range(int(self._setting.start_timeout_s / POLL_S) + 1):
                if cancelled.wait(POLL_S):
                    raise SamplingCancelledError("sampling was cancelled")
                if process.status() is not None:
                    return False
                try:
                    if client.get(f"{url}/health").is_success:
                        return True
                except httpx.TransportError:
                    continue  # not listening yet
        raise EngineProcessError(
            f"its server was not ready after {self._setting.start_timeout_s:g} s (engine.start_timeout_s)"
        )


class ServerProcess:
    """A running server; see `EngineProcess`."""

    def __init__(self, process: SupervisedProcess, diagnosis: Diagnosis, client: OpenAIEngine, url: str) -> None:
        self._process = process
        self._diagnosis = diagnosis
        self._client = client
        self._metrics = httpx.Client(base_url=url, trust_env=False, timeout=PROBE_TIMEOUT_S)
        self._metrics_lock = threading.Lock()
        self._cause: str | None = None
        self._ending = threading.Lock()

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, as replies arrive.

        Raises:
            UserError: the server refuses a request.
            EngineProcessError: the server ended, or its requests keep failing.
        """
        # Prompts with a common prefix follow each other, so that it is still in the engine's prefix cache.
        ordered = sorted(requests, key=lambda request: request.prompt)
        try:
            yield from self._client.sample(ordered, sampling)
        except (EngineFailedError, SamplingCancelledError) as error:
            raise EngineProcessError(self._cause or self._diagnosis.exit_reason() or str(error)) from error

    def heartbeat(self) -> Heartbeat | None:
        """The sum of the server's counters: its health page does not show whether the engine hangs."""
        with self._metrics_lock:
            if self._metrics.is_closed:
                return None
            try:
                reply = self._metrics.get("/metrics")
            except httpx.RequestError:
                return None
        if not reply.is_success:
            return None
        counters = [(name, float(value)) for name, value in _COUNTER.findall(reply.text)]
        busy = sum(value for name, value in counters if name in _BUSY)
        # The client may wait for a request that the engine has lost.
        waiting = busy > 0 or self._client.in_flight > 0
        return Heartbeat(waiting, int(sum(value for name, value in counters if name in _PROGRESS)))

    def exit_reason(self) -> str | None:
        """Why the server ended, in one line; None while it runs."""
        return self._diagnosis.exit_reason()

    def end(self, cause: str) -> None:
        """End the server and all calls. Returns, in every thread, once all of its processes are gone: until then, the
        next server would find the port and the memory in use."""
        with self._ending:
            if self._cause is not None:
                return
            self._cause = cause
            self._client.cancel()
            self._client.__exit__(None, None, None)
            self._process.stop()
            with self._metrics_lock:
                self._metrics.close()


def flags(arguments: dict[str, Any]) -> list[str]:
    """Engine arguments as options of the server's command line."""
    words: list[str] = []
    for name, value in arguments.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        elif isinstance(value, list):
            words += [f"--{flag}", *map(str, value)]
        else:
            words += [f"--{flag}", json.dumps(value) if isinstance(value, dict) else str(value)]
    return words


def _free_port(wanted: int | None) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted or 0))
        except OSError as error:
            raise UserError(
                f"engine.port: {wanted} cannot be used ({error.strerror}); give another, or leave it out for a free one"
            ) from error
        return int(probe.getsockname()[1])
