"""Put on PYTHONPATH by tests, Python runs this in every process that it starts: engine calls are counted and slow.

Each call of the recorded engine appends a line to the file COUNTED_CALLS and waits for a separate process, which
takes COUNTED_SECONDS: the engine's process, so to say. Where that is killed, the call fails. No call ends before
COUNTED_PROCESSES processes have made one, or two minutes have passed.
"""

import os

if "COUNTED_CALLS" in os.environ:
    import json
    import subprocess
    import time
    from collections.abc import Generator, Sequence
    from pathlib import Path

    from tasks.engines.recorded import RecordedEngine
    from tasks.records import Request, Sample, Sampling

    answer = RecordedEngine.sample

    def wait_for_others() -> None:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            calls = Path(os.environ["COUNTED_CALLS"]).read_text().splitlines()
            if len({json.loads(line)["process"] for line in calls}) >= int(os.environ["COUNTED_PROCESSES"]):
                return
            time.sleep(0.1)

    def sample(
        self: RecordedEngine, requests: Sequence[Request], sampling: Sampling
    ) -> Generator[Sequence[Sample], None, None]:
        asked = [[request.problem_id, request.start, request.stop] for request in requests]
        with subprocess.Popen(["sleep", os.environ["COUNTED_SECONDS"]]) as engine:
            with Path(os.environ["COUNTED_CALLS"]).open("a") as file:
                file.write(json.dumps({"process": os.getpid(), "engine": engine.pid, "asked": asked}) + "\n")
            if engine.wait() != 0:
                raise ConnectionError("the engine has died")
        wait_for_others()
        yield from answer(self, requests, sampling)

    RecordedEngine.sample = sample  # type: ignore[method-assign]  # this is what the file is for
