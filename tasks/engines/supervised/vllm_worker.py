"""vLLM's engine in a separate process, stepped by one thread: the program that `supervised.vllm_direct` starts.

It runs under whichever Python has vLLM, so it needs nothing but that. Messages are JSON objects over the pipe whose
file descriptor is its argument: first the engine's arguments come in, and `ready` goes out. Then `draw` adds requests
to the running batch, `abort` ends those of a call, and every finished sample goes out at once. `steps` goes out a few
times a second while the engine works: who waits can tell a slow engine from one that hangs. It ends when the pipe does.

Samples enter the engine one by one, only as many as its batch has room for and a few more, so memory does not depend on
how many are wanted. Sample i of a request has seed `seed + i - start`, which is the seed that vLLM gives child i of one
request with `n`: how indices are cut changes nothing.
"""

import json
import sys
import time
from collections import deque
from copy import copy
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

WAITING_PART = 0.25
"""Samples, as a share of the batch, that wait inside the engine: it never has an empty place for want of them."""
STEPS_EVERY_S = 0.2


@dataclass
class Wanted:
    """What is still to be drawn of one request: samples [next, stop)."""

    call: int
    request: int
    tokens: list[int]
    params: Any
    seed: int | None
    start: int
    next: int
    stop: int


class Worker:
    """The engine, and what is wanted of it."""

    def __init__(self, pipe: Connection, arguments: dict[str, Any]) -> None:
        from vllm import EngineArgs, exceptions  # where `python` has it
        from vllm.usage.usage_lib import UsageContext
        from vllm.v1.engine.llm_engine import LLMEngine

        self.pipe = pipe
        # What it does not take it says by either, and by its version.
        self.refusals = (ValueError, getattr(exceptions, "VLLMClientError", ValueError))
        # The batch is as large as that of vLLM's own `LLM`: by default it would be half of that, or less.
        self.engine = LLMEngine.from_engine_args(EngineArgs(**arguments), UsageContext.LLM_CLASS)
        config = self.engine.vllm_config
        self.context: int = config.model_config.max_model_len
        places: int = config.scheduler_config.max_num_seqs
        self.max_in_flight = places + max(1, int(places * WAITING_PART))
        self.tokenizer = self.engine.get_tokenizer()
        self.wanted: deque[Wanted] = deque()
        self.inside: dict[str, tuple[Wanted, int]] = {}
        self.steps = 0
        self.told = 0.0
        self.send(ready={"context": self.context, "places": places})

    def send(self, **message: Any) -> None:
        """Tell the other side."""
        self.pipe.send_bytes(json.dumps(message).encode())

    def run(self) -> None:
        """Draw until the pipe ends."""
        while True:
            while self.pipe.poll(None if not self.inside else 0):
                self.read(json.loads(self.pipe.recv_bytes()))
                self.admit()
            for output in self.engine.step():
                self.finish(output)
            self.admit()
            self.steps += 1
            if time.monotonic() - self.told > STEPS_EVERY_S:
                self.told = time.monotonic()
                self.send(steps=self.steps)

    def read(self, message: dict[str, Any]) -> None:
        """Do what a message asks."""
        if "abort" in message:
            self.give_up(message["abort"])
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
            self.wanted.append(Wanted(draw["call"], number, tokens, params, request["seed"], start, start, stop))

    def give_up(self, call: int) -> None:
        """Draw no more for a call."""
        self.wanted = deque(wanted for wanted in self.wanted if wanted.call != call)
        ended = [name for name, (wanted, _) in self.inside.items() if wanted.call == call]
        self.engine.abort_request(ended)
        for name in ended:
            del self.inside[name]

    def refuse(self, call: int, request: int, error: Exception) -> None:
        """Say that vLLM does not take a call's settings."""
        self.send(call=call, refused=request, because=" ".join(str(error).split()))
        self.give_up(call)

    def params(self, sampling: dict[str, Any], max_tokens: int) -> Any:
        """vLLM's name for how tokens are drawn."""
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            temperature=sampling["temperature"],
            top_p=sampling["top_p"],
            stop=sampling["stop"],
            max_tokens=max_tokens,
            logprobs=0,  # that of the sampled token alone
            flat_logprobs=True,
            skip_clone=True,  # each sample gets its own copy below
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def admit(self) -> None:
        """Fill the engine up."""
        while self.wanted and len(self.inside) < self.max_in_flight:
            wanted = self.wanted[0]
            name = f"{wanted.call}-{wanted.request}-{wanted.next}"
            params = copy(wanted.params)
            if wanted.seed is not None:
                params.seed = wanted.seed + wanted.next - wanted.start
            try:
                inner = self.engine.add_request(name, {"prompt_token_ids": wanted.tokens}, params)
            except self.refusals as error:
                self.refuse(wanted.call, wanted.request, error)
                continue
            self.inside[name] = wanted, wanted.next
            self.leave_tokens_undecoded(inner)
            wanted.next += 1
            if wanted.next == wanted.stop:
                self.wanted.popleft()

    def leave_tokens_undecoded(self, inner: str) -> None:
        """Log-probabilities come with each token's text, which nobody reads and which takes a fifth of a small model's
        time. There is no setting for it; where vLLM has moved what is changed here, only that time is lost."""
        state = getattr(self.engine.output_processor, "request_states", {}).get(inner)
        processor = getattr(state, "logprobs_processor", None)
        if processor is not None and hasattr(processor, "tokenizer"):
            processor.tokenizer = None

    def finish(self, output: Any) -> None:
        """Send a finished sample."""
        if not output.finished or output.request_id not in self.inside:
            return  # its call was given up while this step ran
        wanted, index = self.inside.pop(output.request_id)
        drawn = output.outputs[0]
        self.send(
            call=wanted.call,
            request=wanted.request,
            index=index,
            text=drawn.text,
            prompt_tokens=len(wanted.tokens),
            tokens=len(drawn.token_ids),
            logprob=drawn.cumulative_logprob,
            finish_reason=drawn.finish_reason,
        )


def main() -> None:
    """Serve the pipe whose descriptor is the argument."""
    pipe = Connection(int(sys.argv[1]))
    try:
        Worker(pipe, json.loads(pipe.recv_bytes())).run()
    except (EOFError, ConnectionError):
        return


if __name__ == "__main__":
    # The folder of this file holds modules named like the packages that they use, `vllm` among them.
    sys.path.pop(0)
    main()
