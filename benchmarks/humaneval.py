"""Real samples through the whole sweep: HumanEval with samples that another tool drew.

    python benchmarks/humaneval.py HumanEval.jsonl.gz codegen16b_t0.8_n100_first50.jsonl.gz

The second file has a row for each problem, in HumanEval's order: `{"prompt": ..., "samples": [text, ...]}`. Ends 0 where
every sample got a verdict, 1 where one did not.
"""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MONKEYS = Path(sys.executable).parent / "monkeys"


def convert(problems: Path, samples: Path, target: Path) -> tuple[int, int]:
    """Write the samples as the recorded engine reads them; returns (problems, samples of each)."""
    with gzip.open(problems, "rt") as file:
        ids = [json.loads(line)["task_id"] for line in file]
    with gzip.open(samples, "rt") as file:
        rows = [json.loads(line)["samples"] for line in file]
    with target.open("w") as file:
        for problem_id, texts in zip(ids, rows, strict=False):
            for index, text in enumerate(texts):
                file.write(json.dumps({"problem_id": problem_id, "index": index, "text": text}) + "\n")
    return len(rows), min(map(len, rows))


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    problems, samples = (Path(argument).resolve() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count, k = convert(problems, samples, folder / "samples.jsonl")
        (folder / "sweep.yaml").write_text(
            f"task: {{name: humaneval, path: {problems}}}\nproblems: {count}\n"
            f"engine: {{name: recorded, path: samples.jsonl}}\nk: {k}\n"
        )
        started = time.monotonic()
        environment = os.environ | {"PREFECT_HOME": str(folder / "prefect")}
        subprocess.run([MONKEYS, "sweep", "sweep.yaml"], cwd=folder, env=environment, check=True)
        seconds = time.monotonic() - started
        (summary,) = folder.rglob("summary.json")
        verdicts = json.loads(summary.read_text())["verdicts"]
    judged = sum(verdicts.values()) - verdicts.get("infrastructure", 0)
    print(f"\n{judged:,} of {count * k:,} samples judged in {seconds:.0f} s, the start of Prefect included")
    for verdict, number in sorted(verdicts.items(), key=lambda item: -item[1]):
        print(f"  {verdict:<15}{number:>6,}")
    return 0 if judged == count * k else 1


if __name__ == "__main__":
    sys.exit(main())
