"""Put on PYTHONPATH by tests, Python runs this in every process that it starts: what an environment variable names is
made slow. SECONDS_A_SAMPLE: graders that run in the sweep's process. SLOW_STAGE: a stage, which creates the file
STAGE_STARTED when it starts. PATIENCE_S: a command that is told to stop has as many seconds for it.
"""

import os

if "PATIENCE_S" in os.environ:
    from flows.command_line import interruption

    interruption.PATIENCE_S = float(os.environ["PATIENCE_S"])

if float(os.environ.get("SECONDS_A_SAMPLE") or 0):
    import time
    from collections.abc import Iterator, Sequence
    from typing import Any

    from tasks.graders.gsm8k_tolerant import Gsm8kTolerantGrader
    from tasks.graders.math_tolerant import MathTolerantGrader
    from tasks.records import GradedSample

    def slowed(kind: Any) -> None:
        grade = kind.grade

        def slowly(self: Any, pairs: Sequence[Any], sandbox: Any) -> Iterator[GradedSample]:
            for graded in grade(self, pairs, sandbox):
                time.sleep(float(os.environ["SECONDS_A_SAMPLE"]))
                yield graded

        kind.grade = slowly

    for kind in (Gsm8kTolerantGrader, MathTolerantGrader):
        slowed(kind)

if "SLOW_STAGE" in os.environ:
    import time
    from pathlib import Path
    from typing import Any

    from tasks.engines.recorded import RecordedEngine
    from tasks.report.sweep import publish
    from tasks.sweep.results import Results

    def forever(*_: Any, **__: Any) -> Any:
        Path(os.environ["STAGE_STARTED"]).touch()
        until = time.monotonic() + 600
        while time.monotonic() < until:
            try:
                time.sleep(600)
            except BaseException:  # noqa: BLE001 - this is what it is for
                continue

    stage = os.environ["SLOW_STAGE"]
    owner, name = {
        "drawing": (RecordedEngine, "sample"),
        "measuring": (Results, "summarise"),
        "reporting": (publish, "publish"),
    }[stage]
    setattr(owner, name, forever)
