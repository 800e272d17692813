"""vLLM through its Python API: a process with the engine (`vllm_worker`), and the pipe to it."""

import json
import os
import socket
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tasks.engines.seeds import base_seed
from tasks.engines.supervised.supervised_process import SupervisedProcess
from tasks.engines.supervised.vllm_process import Ended, Setting
from tasks.engines.supervised.watchdog import EngineProcessError, Heartbeat
from tasks.errors import SamplingCancelledError, UserError
from tasks.records import Request, Sample, Sampling

WORKER = Path(__file__).with_name("vllm_worker.py")
LOOK_EVERY_S = 0.2
MAX_AT_ONCE = 256
"""Samples in one list, where that many have finished."""

Message = dict[str, Any]


class DirectStart:
    """Starts the process."""

    def __init__(self, setting: Setting, worker: Path = WORKER) -> None:
        self._setting = setting
        self._worker = worker
        self._first = True

    def __call__(self, given_up: threading.Event) -> "DirectProcess":
        """Start it, and wait until its model is loaded."""
        ours, theirs = Pipe()
        setting = self._setting
        with setting.log.open("ab") as log, theirs:
            command = [setting.installed.python, str(self._worker), str(theirs.fileno())]
            log_begins = log.tell()
            process = SupervisedProcess(command, setting.environment, log, [theirs.fileno()])
        ended = Ended(process, setting, log_begins)
        try:
            self._wait(ours, given_up)
        except BaseException as error:
            process.stop()
            ours.close()
            if isinstance(error, EOFError | ConnectionError):
                raise ended.startup_error(first=self._first) from error
            raise
        self._first = False
        return DirectProcess(process, ours, ended)

    def _wait(self, pipe: Connection, given_up: threading.Event) -> None:
        pipe.send_bytes(json.dumps(self._setting.arguments).encode())
        for _ in range(int(self._setting.start_timeout_s / LOOK_EVERY_S) + 1):
            if given_up.is_set():
                raise SamplingCancelledError("sampling was given up")
            if pipe.poll(LOOK_EVERY_S):
                pipe.recv_bytes()
                return
        raise EngineProcessError(
            f"its model was not loaded after {self._setting.start_timeout_s:g} s (engine.start_timeout_s)"
        )


@dataclass(slots=True)
class Call:
    """One call of `sample`: how many samples are still to come, and what has come."""

    left: int
    inbox: "SimpleQueue[Message | None]" = field(default_factory=SimpleQueue)


class DirectProcess:
    """A process with vLLM's engine in it."""

    def __init__(self, process: SupervisedProcess, pipe: Connection, ended: Ended) -> None:
        self._process = process
        self._pipe = pipe
        self._ended = ended
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
        """Every requested sample, in lists of those that have finished."""
        # Prompts with the same beginning follow each other, so that the engine still has it in its cache.
        ordered = sorted(requests, key=lambda request: request.prompt)
        greedy = sampling.temperature == 0  # all samples of a problem are the same
        number = next(self._numbers)
        wanted = sum(1 if greedy else request.stop - request.start for request in ordered)
        self._calls[number] = call = Call(wanted)
        try:
            self._send(draw=_draw(number, ordered, sampling))
            while wanted:
                messages, over = _all_there(call.inbox)
                wanted -= len(messages)
                samples = [sample for message in messages for sample in self._samples(message, ordered, greedy=greedy)]
                if samples:
                    yield samples
                if over and wanted:
                    raise EngineProcessError(self._cause or "it ended")
        finally:
            del self._calls[number]
            if call.left and self._cause is None:
                with suppress(EngineProcessError):
                    self._send(abort=number)

    def _samples(self, message: Message, requests: Sequence[Request], *, greedy: bool) -> Iterator[Sample]:
        if "refused" in message:
            raise _refused(requests[message["refused"]], message)
        try:
            request = requests[message["request"]]
            indices = range(request.start, request.stop) if greedy else [message["index"]]
            drawn = {name: message[name] for name in ("text", "prompt_tokens", "tokens", "logprob", "finish_reason")}
        except (LookupError, TypeError) as error:
            raise EngineProcessError(f"malformed response: {json.dumps(message)[:100]}") from error
        for index in indices:
            yield Sample(request.problem_id, index, **drawn)

    def heartbeat(self) -> Heartbeat:
        """Samples are wanted of it where a call waits for more."""
        return Heartbeat(any(call.left for call in list(self._calls.values())), self._messages)

    def exit_reason(self) -> str | None:
        """What the process died of."""
        return self._ended.exit_reason()

    def end(self, cause: str) -> None:
        """End the process; calls find out by the end of the pipe. Returns when it is gone, whoever ends it."""
        with self._ending:
            if self._over:
                return
            self._over = True
            self._cause = self._cause or cause
            self._process.stop()
            self._hang_up()
            self._reader.join()
            with self._sending:  # else the descriptor could be another file's by the time that a message is written
                self._pipe.close()

    def _hang_up(self) -> None:
        """End the pipe here, too: somebody who outlives the process may hold its other end."""
        with suppress(OSError), socket.socket(fileno=os.dup(self._pipe.fileno())) as end:
            end.shutdown(socket.SHUT_RDWR)

    def _send(self, **message: Any) -> None:
        try:
            with self._sending:
                self._pipe.send_bytes(json.dumps(message).encode())
        except OSError as error:
            raise EngineProcessError(self._cause or self._ended.exit_reason() or "its pipe is closed") from error

    def _read(self) -> None:
        """Hand every message to the call that it is for, until the process ends."""
        try:
            while True:
                message: Message = json.loads(self._pipe.recv_bytes())
                self._messages += 1
                call = self._calls.get(message.get("call", -1))
                if call is not None:
                    call.left -= 1
                    call.inbox.put(message)
        except (EOFError, OSError):
            pass  # the process has closed the pipe
        except (ValueError, AttributeError, TypeError) as error:
            self._cause = self._cause or f"malformed response: {' '.join(str(error).split())}"
        # What it died of is known when it is gone.
        self._process.wait()
        self._cause = self._cause or self._ended.exit_reason()
        for call in list(self._calls.values()):
            call.inbox.put(None)


def _draw(number: int, requests: Sequence[Request], sampling: Sampling) -> Message:
    seeded = sampling.temperature > 0
    return {
        "call": number,
        "sampling": {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "stop": list(sampling.stop),
            "max_tokens": sampling.max_tokens,
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


def _refused(request: Request, message: Message) -> UserError:
    if "because" in message:
        return UserError(f"sampling: vLLM refuses these settings ({message['because']})")
    if message["prompt_tokens"] == 0:
        return UserError(f"problem {request.problem_id!r}: its prompt is empty; a model continues at least a token")
    return UserError(
        f"problem {request.problem_id!r}: its prompt has {message['prompt_tokens']} tokens, and the model reads at most"
        f" {message['context']} with the answer"
    )


def _all_there(inbox: "SimpleQueue[Message | None]") -> tuple[list[Message], bool]:
    """What has come, and whether it was the last: waits until there is something."""
    came: list[Message] = []
    message = inbox.get()
    with suppress(Empty):
        while message is not None:
            came.append(message)
            if len(came) == MAX_AT_ONCE:
                break
            message = inbox.get_nowait()
    return came, message is None
