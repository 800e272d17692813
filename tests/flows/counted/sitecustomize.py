"""Put on PYTHONPATH by tests, Python runs this in every process that it starts: engine calls are counted and slow.

Each call of the recorded engine appends a line to the file COUNTED_CALLS and takes COUNTED_SECONDS longer.
"""

import os

if "COUNTED_CALLS" in os.environ:
    import json
    import time
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tasks.engines import Request, Sample, Sampling
    from tasks.engines.recorded import RecordedEngine

    answer = RecordedEngine.sample

    def sample(self: RecordedEngine, requests: Sequence[Request], sampling: Sampling) -> Iterator[list[Sample]]:
        asked = [[request.problem_id, request.start, request.stop] for request in requests]
        with Path(os.environ["COUNTED_CALLS"]).open("a") as file:
            file.write(json.dumps({"process": os.getpid(), "asked": asked}) + "\n")
        time.sleep(float(os.environ.get("COUNTED_SECONDS", "0")))
        yield from answer(self, requests, sampling)

    RecordedEngine.sample = sample  # type: ignore[method-assign]
