"""vLLM through its Python API: a worker process with the engine (`vllm_worker`), and the pipe to it."""

import json
import os
import socket
import threading
from base64 import b64decode
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from tasks.engines.confidence import ConfidenceSettings, sample_confidence
from tasks.engines.seeds import base_seed
from tasks.engines.supervised.supervised_process import SupervisedProcess
from tasks.engines.supervised.vllm_process import Diagnosis, Setting
from tasks.engines.supervised.watchdog import EngineProcessError, Heartbeat
from tasks.errors import SamplingCancelledError, UserError
from tasks.records import Confidence, Request, Sample, Sampling

WORKER = Path(__file__).with_name("vllm_worker.py")
POLL_S = 0.2
MAX_SAMPLES_PER_BATCH = 256
"""Maximum length of a list that `sample` yields."""

Message = dict[str, Any]


class DirectStart:
    """Starts worker processes."""

    def __init__(self, setting: Setting, worker: Path = WORKER, confidence: ConfidenceSettings | None = None) -> None:
        self._setting = setting
        self._confidence = confidence
        self._worker = worker
        self._first = True

    def __call__(self, cancelled: threading.Event) -> "DirectProcess":
        """Start a worker, and wait until its model is loaded.

        Raises:
            UserError: vLLM does not start, for a reason that the user can fix.
            EngineProcessError: it does not start for another reason, or takes too long.
            SamplingCancelledError: `cancelled` was set.
        """
        ours, theirs = Pipe()
        setting = self._setting
        with setting.log.open("ab") as log, theirs:
            command = [setting.installed.python, str(self._worker), str(theirs.fileno())]
            log_start = log.tell()
            process = SupervisedProcess(command, setting.environment, log, [theirs.fileno()])
        diagnosis = Diagnosis(process, setting, log_start)
        try:
            self._wait(ours, cancelled)
        except BaseException as error:
            process.stop()
            ours.close()
            if isinstance(error, EOFError | ConnectionError):
                raise diagnosis.startup_error(first=self._first) from error
            raise
        self._first = False
        return DirectProcess(process, ours, diagnosis, self._confidence)

    def _wait(self, pipe: Connection, cancelled: threading.Event) -> None:
        pipe.send_bytes(json.dumps(self._setting.arguments).encode())
        for _ in range(int(self._setting.start_timeout_s / POLL_S) + 1):
            if cancelled.is_set():
                raise SamplingCancelledError("sampling was cancelled")
            if pipe.poll(POLL_S):
                pipe.recv_bytes()
                return
        raise EngineProcessError(
            f"its model was not loaded after {self._setting.start_timeout_s:g} s (engine.start_timeout_s)"
        )


@dataclass(slots=True)
class Call:
    """One call of `sample`: the number of samples that have yet to arrive, and the messages that arrived."""

    missing: int
    inbox: "SimpleQueue[Message | None]" = field(default_factory=SimpleQueue)


class DirectProcess:
    """A worker process with vLLM's engine; see `EngineProcess`."""

    def __init__(
        self,
        process: SupervisedProcess,
        pipe: Connection,
        diagnosis: Diagnosis,
        confidence: ConfidenceSettings | None = None,
    ) -> None:
        self._process = process
        self._confidence = confidence
        self._pipe = pipe
        self._diagnosis = diagnosis
        self._sending = threading.Lock()
        self._numbers = count()
        self._calls: dict[int, Call] = {}
        self._messages = 0
        self._cause: str | None = None
        self._over = False
        self._ending = threading.Lock()
        self._reader = threading.Thread(target=self._read, name="vllm pipe", daemon=True)
        self._reader.start()

    def sample(self, requests: Sequence[Request], sampling: Sampling) -> Generator[list[Sample], None, None]:
        """Yield every requested sample, in lists of those that have finished.

        Raises:
            UserError: vLLM refuses a prompt or a setting.
            EngineProcessError: the worker ended, or returned malformed data.
        """
        # Prompts with a common prefix follow each other, so that it is still in the engine's prefix cache.
        ordered = sorted(requests, key=lambda request: request.prompt)
        greedy = sampling.temperature == 0  # all samples of a problem are the same
        number = next(self._numbers)
        missing = sum(1 if greedy else request.stop - request.start for request in ordered)
        self._calls[number] = call = Call(missing)
        try:
            self._send(draw=_draw(number, ordered, sampling, self._confidence))
            while missing:
                messages, ended = _arrived(call.inbox)
                missing -= len(messages)
                samples = [sample for message in messages for sample in self._samples(message, ordered, greedy=greedy)]
                if samples:
                    yield samples
                if ended and missing:
                    raise EngineProcessError(self._cause or "it ended")
        finally:
            del self._calls[number]
            if call.missing and self._cause is None:
                with suppress(EngineProcessError):
                    self._send(abort=number)

    def _samples(self, message: Message, requests: Sequence[Request], *, greedy: bool) -> Iterator[Sample]:
        if "refused" in message:
            raise _user_error(requests[message["refused"]], message)
        try:
            request = requests[message["request"]]
            indices = range(request.start, request.stop) if greedy else [message["index"]]
            drawn = {name: message[name] for name in ("text", "prompt_tokens", "tokens", "logprob", "finish_reason")}
            confidence = self._confidence_in(message)
        except (LookupError, TypeError, ValueError) as error:
            raise EngineProcessError(f"malformed response: {json.dumps(message)[:100]}") from error
        for index in indices:
            yield Sample(request.problem_id, index, **drawn, confidence=confidence)

    def _confidence_in(self, message: Message) -> Confidence | None:
        """That of a sample, from the base64 of its tokens' as 64-bit floats."""
        if self._confidence is None:
            return None
        return sample_confidence(np.frombuffer(b64decode(message["confidences"], validate=True)), self._confidence)

    def heartbeat(self) -> Heartbeat:
        """Busy while a call waits for samples; the number counts the worker's messages."""
        return Heartbeat(any(call.missing for call in list(self._calls.values())), self._messages)

    def exit_reason(self) -> str | None:
        """Why the process ended, in one line; None while it runs."""
        return self._diagnosis.exit_reason()

    def end(self, cause: str) -> None:
        """End the process; calls notice when the pipe closes. Returns once the process is gone, in every thread."""
        with self._ending:
            if self._over:
                return
            self._over = True
            self._cause = self._cause or cause
            self._process.stop()
            self._hang_up()
            self._reader.join()
            with self._sending:  # or else a message could be written to another file with the same descriptor
                self._pipe.close()

    def _hang_up(self) -> None:
        """Shut the pipe down on this side, too: a process that outlives the worker may hold the other end open."""
        with suppress(OSError), socket.socket(fileno=os.dup(self._pipe.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    def _send(self, **message: Any) -> None:
        try:
            with self._sending:
                self._pipe.send_bytes(json.dumps(message).encode())
        except OSError as error:
            raise EngineProcessError(self._cause or self._diagnosis.exit_reason() or "its pipe is closed") from error

    def _read(self) -> None:
        """Pass every message to its call, until the process ends."""
        try:
            while True:
                message: Message = json.loads(self._pipe.recv_bytes())
                self._messages += 1
                call = self._calls.get(message.get("call", -1))
                if call is not None:
                    call.missing -= 1
                    call.inbox.put(message)
        except (EOFError, OSError):
            pass  # the process has closed the pipe
        except (ValueError, AttributeError, TypeError) as error:
            self._cause = self._cause or f"malformed response: {' '.join(str(error).split())}"
        # The exit reason is known only once the process is gone.
        self._process.wait()
        self._cause = self._cause or self._diagnosis.exit_reason()
        for call in list(self._calls.values()):
            call.inbox.put(None)


def _draw(
    number: int, requests: Sequence[Request], sampling: Sampling, confidence: ConfidenceSettings | None
) -> Message:
    seeded = sampling.temperature > 0
    return {
        "call": number,
        "sampling": {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stop": list(sampling.stop),
            "max_tokens": sampling.max_tokens,
            "top": 0 if confidence is None else confidence.top,
        },
        "requests": [
            {
                "prompt": request.prompt,
                "start": request.start,
                "stop": request.stop if seeded else request.start + 1,
                "seed": base_seed(sampling.seed, request.problem_id) + request.start if seeded else None,
            }
            for request in requests
        ],
    }


def _user_error(request: Request, message: Message) -> UserError:
    if "because" in message:
        return UserError(f"sampling: vLLM refuses these settings ({message['because']})")
    if message["prompt_tokens"] == 0:
        return UserError(f"problem {request.problem_id!r}: its prompt is empty; it must have at least one token")
    return UserError(
        f"problem {request.problem_id!r}: its prompt has {message['prompt_tokens']} tokens, and the model's context is"
        f" {message['context']} tokens, completion included"
    )


def _arrived(inbox: "SimpleQueue[Message | None]") -> tuple[list[Message], bool]:
    """The messages that have arrived, and whether the process has ended; waits until there is either."""
    messages: list[Message] = []
    message = inbox.get()
    with suppress(Empty):
        while message is not None:
            messages.append(message)
            if len(messages) == MAX_SAMPLES_PER_BATCH:
                break
            message = inbox.get_nowait()
    return messages, message is None
