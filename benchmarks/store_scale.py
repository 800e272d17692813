"""Fills stores for the table "Large stores and tables" of RESULTS.md, whose commands are then run with `time -v`.

    python benchmarks/store_scale.py FOLDER --problems 100000 --samples 10
    /usr/bin/time -v monkeys pick FOLDER/runs ... --store FOLDER/runs

FOLDER gets `problems.jsonl`, the sweep file `sweep.yaml` and the store `runs`. Every problem has its own rate of
correct samples; wrong answers are Zipf-distributed, and have lower log-probabilities. Samples are stored and graded
through the sweep's own code, without Prefect.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import yaml

from flows.config.sweep import SweepConfig
from flows.setup.sweep import build_sweep
from tasks.records import Problem, Sample
from tasks.store.blocks import Block
from tasks.sweep.sweep import Sweep

_WRONG = 1_000
"""Different wrong answers of a problem."""


def write_config(folder: Path, problems: int, samples: int) -> SweepConfig:
    """The problems and the sweep file of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "problems.jsonl"
    with path.open("w") as file:
        for number in range(problems):
            row = {"id": f"p/{number:06d}", "question": f"How much is {number} + 1?", "answer": str(number + 1)}
            file.write(json.dumps(row) + "\n")
    document = {
        "dataset": {"name": "custom", "path": str(path)},
        "engine": {"name": "onnx", "model": "arithmetic"},
        "grader": "final_answer",
        "k": samples,
        "store": str(folder / "runs"),
    }
    (folder / "sweep.yaml").write_text(yaml.safe_dump(document))
    return SweepConfig.model_validate(document)


def samples_of(problem: Problem, block: Block, generator: np.random.Generator) -> Iterator[Sample]:
    """A problem's samples of a block."""
    size, gold = len(block.indices), int(problem.id.rpartition("/")[2]) + 1
    rate = np.random.default_rng(gold).beta(0.4, 1.2)
    correct = generator.random(size) < rate
    wrong = gold + np.minimum(generator.zipf(1.5, size), _WRONG)
    tokens = generator.integers(20, 60, size)
    logprob = (-0.3 - 0.1 * ~correct) * tokens * generator.gamma(9, 1 / 9, size)
    for index, right, other, count, total in zip(block.indices, correct, wrong, tokens, logprob, strict=True):
        answer = gold if right else int(other)
        text = f"First we look at {gold - 1}, then we add 1 to it, which gives {answer}.\n#### {answer}"
        yield Sample(problem.id, index, text, 12, int(count), float(total), "stop")


def fill(sweep: Sweep) -> None:
    """Store and grade all samples."""
    generator = np.random.default_rng(0)
    blocks = sweep.missing_samples()
    with sweep.grading.claims:
        for done, block in enumerate(blocks, 1):
            problems = sweep.selection.problems_in(block)
            drawn = [sample for problem in problems for sample in samples_of(problem, block, generator)]
            sweep.samples.write(block, problems, drawn, "benchmark", 0.1)
            sweep.grading.grade(block, None)
            print(f"\r... {done:,} of {len(blocks):,} blocks   ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def main() -> None:
    """Fill one store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--problems", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=10)
    arguments = parser.parse_args()
    fill(build_sweep(write_config(arguments.folder, arguments.problems, arguments.samples)))


if __name__ == "__main__":
    main()
