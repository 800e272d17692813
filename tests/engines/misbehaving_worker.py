"""Takes the place of vLLM's worker for `tasks.engines.supervised.vllm_direct`, and misbehaves as a test asks.

Its arguments: `lives`, a file that gets a line for each start; `behaviours`, one for each process, where
the last one is repeated. A behaviour is a name, and after a colon the number of samples that are sent before it.
"""

import json
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any


class EngineProcess:
    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        arguments = json.loads(pipe.recv_bytes())
        self.pause = arguments.get("pause_s", 0.0)
        with Path(arguments["lives"]).open("a") as file:
            file.write(f"{os.getpid()}\n")
        life = len(Path(arguments["lives"]).read_text().splitlines())
        behaviours = arguments["behaviours"]
        name, _, after = behaviours[min(life, len(behaviours)) - 1].partition(":")
        self.behaviour, self.after = name, int(after or 0)
        self.sent = 0

    def run(self) -> None:
        if self.behaviour == "no start":
            sys.exit("Traceback (most recent call last):\nValueError: the model is of cheese")
        if self.behaviour == "slow start":
            time.sleep(600)
        self.send(ready={})
        while True:
            message = json.loads(self.pipe.recv_bytes())
            for number, request in enumerate(message.get("draw", {}).get("requests", ())):
                for index in range(request["start"], request["stop"]):
                    self.draw(message["draw"]["call"], number, request, index)

    def draw(self, call: int, number: int, request: dict[str, Any], index: int) -> None:
        seed = request["seed"] + index - request["start"]
        sample = {"call": call, "request": number, "index": index, "text": f"{request['prompt']} {seed}"}
        sample |= {"prompt_tokens": 1, "tokens": 2, "logprob": -1.0, "finish_reason": "stop"}
        if self.sent >= self.after:
            sample |= self.misbehave()
        time.sleep(self.pause)
        self.sent += 1
        self.send(**sample)

    def misbehave(self) -> dict[str, Any]:
        match self.behaviour:
            case "die":
                print("(EngineCore pid=7) ERROR 11-21 02:36:20 [core.py:1] RuntimeError: a bit fell over", flush=True)
                print("(EngineCore pid=7) INFO 11-21 02:36:20 [core.py:1] good bye", flush=True)
                os._exit(1)
            case "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            case "hang":
                os.kill(os.getpid(), signal.SIGSTOP)
            case "nan":
                return {"logprob": float("nan")}
            case "other index":
                return {"index": 10**6}
            case "other request":
                return {"request": 99}
            case "no text":
                return {"text": None}
            case "aborted":
                return {"finish_reason": "abort"}
            case "no JSON":
                self.pipe.send_bytes(b"\xffthe model said hello")
            case "no object":
                self.pipe.send_bytes(b"[1, 2]")
        return {}

    def send(self, **message: Any) -> None:
        self.pipe.send_bytes(json.dumps(message).encode())


if __name__ == "__main__":
    EngineProcess(Connection(int(sys.argv[1]))).run()
