"""vLLM's OpenAI-compatible server, started and ended here; samples come over HTTP (`http.engine`)."""

import json
import re
import secrets
import socket
import threading
from collections.abc import Generator, Sequence
from typing import Any

import httpx

from tasks.engines.http.engine import OpenAIEngine
from tasks.engines.supervised.supervised_process import SupervisedProcess
from tasks.engines.supervised.vllm_process import Ended, Setting
from tasks.engines.supervised.watchdog import EngineProcessError, Heartbeat
from tasks.errors import EngineFailedError, SamplingCancelledError, UserError
from tasks.records import Request, Sample, Sampling

HOST = "127.0.0.1"
LOOK_EVERY_S = 0.2
ANSWER_LIMIT_S = 5.0
LONGEST_REQUEST_S = 86_400.0
"""Who hangs is found out by the server's counters, long before."""
_COUNTER = re.compile(r"^vllm:(\w+)(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)
_GOES_ON = {"generation_tokens_total", "prompt_tokens_total", "request_success_total"}
_BUSY = {"num_requests_running", "num_requests_waiting"}


class ServerStart:
    """Starts the server, at one port for all of its lives."""

    def __init__(self, setting: Setting, port: int | None, replicas: int) -> None:
        self._setting = setting
        self._port = port
        self._replicas = replicas
        self._first = True

    def __call__(self, given_up: threading.Event) -> "ServerProcess":
        """Start it, and wait until it is healthy."""
        setting, key = self._setting, secrets.token_hex(16)
        port = _free_port(self._port)
        command = [setting.installed.python, "-m", "vllm.entrypoints.openai.api_server"]
        command += ["--host", HOST, "--port", str(port), *flags(setting.arguments)]
        with setting.log.open("ab") as log:
            log_begins = log.tell()
            process = SupervisedProcess(command, setting.environment | {"VLLM_API_KEY": key}, log)
        ended = Ended(process, setting, log_begins)
        url = f"http://{HOST}:{port}"
        try:
            ready = self._wait(url, process, given_up)
        except BaseException:
            process.stop()
            raise
        if not ready:
            process.stop()
            raise ended.startup_error(first=self._first)
        self._first = False
        client = OpenAIEngine(
            base_urls=[f"{url}/v1"],
            model=setting.arguments["served_model_name"],
            api_key=key,
            concurrency=32 * self._replicas,
            timeout_s=LONGEST_REQUEST_S,
            retries=2,
            deterministic=True,  # its choice i has seed + i; what the engine as a whole promises is said elsewhere
            vllm=True,
            version=setting.installed.label,
        )
        return ServerProcess(process, ended, client, url)

    def _wait(self, url: str, process: SupervisedProcess, given_up: threading.Event) -> bool:
        """Wait until it is healthy; False where it has ended."""
        with httpx.Client(trust_env=False, timeout=ANSWER_LIMIT_S) as client:
            for _ in range(int(self._setting.start_timeout_s / LOOK_EVERY_S) + 1):
                if given_up.wait(LOOK_EVERY_S):
                    raise SamplingCancelledError("sampling was given up")
                if process.status() is not None:
                    return False
                try:
                    if client.get(f"{url}/health").is_success:
                        return True
                except httpx.TransportError:
                    continue  # it does not listen yet
        raise EngineProcessError(
            f"its server was not ready after {self._setting.start_timeout_s:g} s (engine.start_timeout_s)"
        )


class ServerProcess:
    """A running server."""

    def __init__(self, process: SupervisedProcess, ended: Ended, client: OpenAIEngine, url: str) -> None:
        self.max_concurrent_calls = client.max_concurrent_calls
        self._process = process
        self._ended = ended
        self._client = client
        self._metrics = httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_LIMIT_S)
        self._asking = threading.Lock()
        self._cause: str | None = None
        self._ending = threading.Lock()

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Every requested sample, as replies come in."""
        # Prompts with the same beginning follow each other, so that the engine still has it in its cache.
        ordered = sorted(requests, key=lambda request: request.prompt)
        try:
            yield from self._client.sample(ordered, sampling)
        except (EngineFailedError, SamplingCancelledError) as error:
            raise EngineProcessError(self._cause or self._ended.exit_reason() or str(error)) from error

    def heartbeat(self) -> Heartbeat | None:
        """Where its counters stand; its health page says nothing of an engine that hangs."""
        with self._asking:
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
        # A request that the engine does not know of is wanted all the same.
        wanted = busy > 0 or self._client.in_flight > 0
        return Heartbeat(wanted, int(sum(value for name, value in counters if name in _GOES_ON)))

    def exit_reason(self) -> str | None:
        """What the server died of."""
        return self._ended.exit_reason()

    def end(self, cause: str) -> None:
        """End the server, and all calls. Returns when nothing is left of it, whoever ends it: until then the next one
        would find its port and its memory taken."""
        with self._ending:
            if self._cause is not None:
                return
            self._cause = cause
            self._client.cancel()
            self._client.__exit__(None, None, None)
            self._process.stop()
            with self._asking:
                self._metrics.close()


def flags(arguments: dict[str, Any]) -> list[str]:
    """Engine arguments as the server's command line has them."""
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
                f"engine.port: {wanted} cannot be used ({error.strerror}); give another, or none for a free one"
            ) from error
        return int(probe.getsockname()[1])
