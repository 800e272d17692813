"""A whole sweep over real samples: HumanEval, with samples that another tool drew.

    python benchmarks/humaneval.py HumanEval.jsonl.gz codegen16b_t0.8_n100_first50.jsonl.gz

The second file has rows such as `{"prompt": ..., "samples": [text, ...]}`, for some or all problems. A row belongs to
the problem with the function that its prompt ends with. Exits with 1 if a sample has no verdict.
"""

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from difflib import SequenceMatcher
from pathlib import Path

MONKEYS = Path(sys.executable).parent / "monkeys"


def convert(problems: Path, samples: Path, folder: Path) -> tuple[int, int]:
    """Write the problems that have samples, and their samples for the engine `recorded`. Returns the number of
    problems, and k."""
    with gzip.open(problems, "rt") as file:
        known = [json.loads(line) for line in file]
    with gzip.open(samples, "rt") as file:
        rows = [json.loads(line) for line in file]
    sampled = {problem_of(row["prompt"], known)["task_id"]: row["samples"] for row in rows}
    with (folder / "problems.jsonl").open("w") as file:
        file.writelines(json.dumps(problem) + "\n" for problem in known if problem["task_id"] in sampled)
    with (folder / "samples.jsonl").open("w") as file:
        for problem_id, texts in sampled.items():
            for index, text in enumerate(texts):
                file.write(json.dumps({"problem_id": problem_id, "index": index, "text": text}) + "\n")
    return len(sampled), min(map(len, sampled.values()))


def problem_of(prompt: str, known: list[dict[str, str]]) -> dict[str, str]:
    """The problem that asks for the same function; if several have its name, the one with the most similar prompt."""
    name = re.findall(r"^def (\w+)\(", prompt, re.MULTILINE)[-1]
    of_that_name = [problem for problem in known if problem["entry_point"] == name]
    return max(of_that_name, key=lambda problem: SequenceMatcher(None, problem["prompt"], prompt).ratio())


def main() -> int:
    """Run the sweep and count the verdicts."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    problems, samples = (Path(argument).resolve() for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        count, k = convert(problems, samples, folder)
        (folder / "sweep.yaml").write_text(
            "dataset: {name: humaneval, path: problems.jsonl}\n"
            f"engine: {{name: recorded, path: samples.jsonl}}\nk: {k}\n"
        )
        started = time.monotonic()
        environment = os.environ | {"PREFECT_HOME": str(folder / "prefect")}
        subprocess.run([MONKEYS, "sweep", "sweep.yaml"], cwd=folder, env=environment, check=True)
        seconds = time.monotonic() - started
        (summary,) = folder.rglob("summary.json")
        verdicts = json.loads(summary.read_text())["verdicts"]
    graded = sum(verdicts.values()) - verdicts.get("infrastructure", 0)
    print(f"\n{graded:,} of {count * k:,} samples graded in {seconds:.0f} s, including the start of Prefect")
    for verdict, number in sorted(verdicts.items(), key=lambda item: -item[1]):
        print(f"  {verdict:<15}{number:>6,}")
    return 0 if graded == count * k else 1


if __name__ == "__main__":
    sys.exit(main())
