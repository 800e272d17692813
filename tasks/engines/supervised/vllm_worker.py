"""vLLM's engine in a separate process, stepped by one thread: the program that `supervised.vllm_direct` starts.

It runs under the Python that has vLLM, and imports nothing else. Messages are JSON objects over the pipe whose file
descriptor is its argument. First it receives the engine's arguments, and sends `ready`. Then `draw` adds requests to
the running batch, `abort` ends those of a call, and every finished sample is sent at once. While the engine works,
`steps` is sent a few times a second, which tells a slow engine from one that hangs. The program ends when the pipe is
closed.

Samples are added to the engine one by one, no more than its batch has room for and a few in reserve, so memory does not
depend on how many are requested. Sample i of a request has seed `seed + i - start`, as choice i - start of one vLLM
request with `n` would: how indices are cut into requests changes no sample.
"""

import json
import math
import sys
import time
from array import array
from base64 import b64encode
from collections import deque
from copy import copy
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

RESERVE = 0.25
"""Samples that wait inside the engine, as a fraction of its batch, so that the batch is always full."""
STEPS_EVERY_S = 0.2


@dataclass
class Pending:
    """What has yet to be drawn of one request: samples [next, stop)."""

    call: int
    request: int
    tokens: list[int]
    params: Any
    seed: int | None
    start: int
    next: int
    stop: int


class Worker:
    """The engine with the requests that are pending and those in progress."""

    def __init__(self, pipe: Connection, arguments: dict[str, Any]) -> None:
        from vllm import EngineArgs, exceptions  # where `python` has it
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.llm_engine import LLMEngine

        self.pipe = pipe
        # Which of these vLLM raises for a setting that it refuses depends on its version.
        self.refusals = (ValueError, getattr(exceptions, "VLLMClientError", ValueError))
        # With this usage context, the default batch is as large as that of vLLM's `LLM`; otherwise at most half of
        # that.
        self.engine = LLMEngine.from_engine_args(EngineArgs(**arguments), UsageContext.LLM_CLASS)
        config = self.engine.vllm_config
        self.context: int = config.model_config.max_model_len
        places: int = config.scheduler_config.max_num_seqs
        self.max_in_flight = places + max(1, int(places * RESERVE))
        self.tokenizer = self.engine.get_tokenizer()
        self.pending: deque[Pending] = deque()
        self.in_progress: dict[str, tuple[Pending, int]] = {}
        self.steps = 0
        self.steps_sent_at = 0.0
        self.send(ready={"context": self.context, "places": places})

    def send(self, **message: Any) -> None:
        """Send a message."""
        self.pipe.send_bytes(json.dumps(message).encode())

    def run(self) -> None:
        """Draw until the pipe is closed, which raises EOFError or ConnectionError."""
        while True:
            while self.pipe.poll(None if not self.in_progress else 0):
                self.read(json.loads(self.pipe.recv_bytes()))
                self.admit()
            for output in self.engine.step():
                self.finish(output)
            self.admit()
            self.steps += 1
            if time.monotonic() - self.steps_sent_at > STEPS_EVERY_S:
                self.steps_sent_at = time.monotonic()
                self.send(steps=self.steps)

    def read(self, message: dict[str, Any]) -> None:
        """Handle a `draw` or an `abort`."""
        if "abort" in message:
            self.abort(message["abort"])
            return
        draw = message["draw"]
        for number, request in enumerate(draw["requests"]):
            tokens = self.tokenizer.encode(request["prompt"])
            room = self.context - len(tokens)
            if not tokens or room < 1:
                self.send(call=draw["call"], refused=number, prompt_tokens=len(tokens), context=self.context)
                return
            try:
                params = self.params(draw["sampling"], min(room, draw["sampling"]["max_tokens"]))
            except self.refusals as error:
                self.refuse(draw["call"], number, error)
                return
            start, stop = request["start"], request["stop"]
            self.pending.append(Pending(draw["call"], number, tokens, params, request["seed"], start, start, stop))

    def abort(self, call: int) -> None:
        """Drop a call's requests."""
        self.pending = deque(pending for pending in self.pending if pending.call != call)
        ended = [name for name, (pending, _) in self.in_progress.items() if pending.call == call]
        self.engine.abort_request(ended)
        for name in ended:
            del self.in_progress[name]

    def refuse(self, call: int, request: int, error: Exception) -> None:
        """Report that vLLM refuses a call's settings, and drop the call."""
        self.send(call=call, refused=request, because=" ".join(str(error).split()))
        self.abort(call)

    def params(self, sampling: dict[str, Any], max_tokens: int) -> Any:
        """The sampling parameters as vLLM's `SamplingParams`."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=sampling["temperature"],
            top_p=sampling["top_p"],
            stop=sampling["stop"],
            max_tokens=max_tokens,
            logprobs=sampling["top"],  # 0: of the sampled token only
            flat_logprobs=True,
            skip_clone=True,  # each sample gets its own copy below
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def admit(self) -> None:
        """Add pending samples to the engine until it is full."""
        while self.pending and len(self.in_progress) < self.max_in_flight:
            pending = self.pending[0]
            name = f"{pending.call}-{pending.request}-{pending.next}"
            params = copy(pending.params)
            if pending.seed is not None:
                params.seed = pending.seed + pending.next - pending.start
            try:
                inner = self.engine.add_request(name, {"prompt_token_ids": pending.tokens}, params)
            except self.refusals as error:
                self.refuse(pending.call, pending.request, error)
                continue
            self.in_progress[name] = pending, pending.next
            self.skip_token_texts(inner)
            pending.next += 1
            if pending.next == pending.stop:
                self.pending.popleft()

    def skip_token_texts(self, inner: str) -> None:
        """Keep vLLM from decoding each token for its log-probability. Nobody reads these texts, and with a small model
        they take a fifth of the time. vLLM has no setting for it; in versions with other internals, this does
        nothing."""
        state = getattr(self.engine.output_processor, "request_states", {}).get(inner)
        processor = getattr(state, "logprobs_processor", None)
        if processor is not None and hasattr(processor, "tokenizer"):
            processor.tokenizer = None

    def finish(self, output: Any) -> None:
        """Send a finished sample."""
        if not output.finished or output.request_id not in self.in_progress:
            return  # not finished, or its call has been aborted
        pending, index = self.in_progress.pop(output.request_id)
        drawn = output.outputs[0]
        self.send(
            call=pending.call,
            request=pending.request,
            index=index,
            text=drawn.text,
            prompt_tokens=len(pending.tokens),
            tokens=len(drawn.token_ids),
            logprob=drawn.cumulative_logprob,
            finish_reason=drawn.finish_reason,
            **({"confidences": confidences(drawn.logprobs)} if pending.params.logprobs else {}),
        )


def confidences(flat: Any) -> str:
    """Minus the mean log-probability of the likeliest tokens at each position, as the base64 of 64-bit floats; NaN
    where vLLM gave none. In its `FlatLogprobs`, the first value at a position is that of the sampled token, and those
    of the likeliest follow."""
    values, means = list(flat.logprobs), array("d")
    for start, stop in zip(flat.start_indices, flat.end_indices, strict=True):
        likeliest = values[start + 1 : stop]
        means.append(-sum(likeliest) / len(likeliest) if likeliest else math.nan)
    return b64encode(means.tobytes()).decode()


def main() -> None:
    """Serve the pipe whose descriptor is the argument."""
    pipe = Connection(int(sys.argv[1]))
    try:
        Worker(pipe, json.loads(pipe.recv_bytes())).run()
    except (EOFError, ConnectionError):
        return


if __name__ == "__main__":
    # Keep this file's folder off the import path, so that none of its modules can hide a package.
    sys.path.pop(0)
    main()
