"""Measure a bundled model with the project's own engine and grader, and write its card (README.md).

python -m infra.training.card programs FOLDER --samples 1000
python -m infra.training.card theorems FOLDER --samples 1000 --minif2f statements.jsonl --minif2f-samples 100
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

import numpy as np

from infra.training.recipes import RECIPES, Recipe
from sandboxes import Sandbox
from sandboxes.bubblewrap import BubblewrapConfig
from tasks.datasets import Dataset
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.datasets.minif2f import MiniF2FDataset
from tasks.datasets.programs import ProgramsDataset
from tasks.datasets.theorems import TheoremsDataset
from tasks.engines.onnx import OnnxConfig
from tasks.graders import Grader
from tasks.graders.final_answer import FinalAnswerGrader
from tasks.graders.proof import ProofGrader
from tasks.graders.stdio import StdioGrader
from tasks.prompts import render
from tasks.provers.rocq import RocqProver
from tasks.records import Problem, Request, Sample, Sampling, Verdict
from tasks.scaling.estimators import pass_at_k

TEMPERATURE = 0.6
STATE = "trainer_state.json"
MINIF2F_CPU_S = 5.0
"""CPU seconds for a proof of miniF2F, whose samples rarely need as much, and often take all that they get."""
KS = (1, 3, 10, 30, 100, 300, 1000, 3000, 10000)


@dataclass(frozen=True, slots=True)
class Subject:
    """The dataset and grader that a model is measured with, and texts for its card: what it learned, and its limits."""

    dataset: Dataset
    grader: Grader
    teaches: str
    limits: str
    data: str = ""


class Measured(NamedTuple):
    """The number of correct samples of each problem, of as many `samples` each."""

    samples: int
    counts: list[int]

    @property
    def table(self) -> str:
        """Coverage as Markdown."""
        ks = [k for k in KS if k <= self.samples]
        coverage = pass_at_k(self.samples, self.counts, ks).mean(axis=0)
        rows = "\n".join(f"| {k:,} | {value:.3f} |" for k, value in zip(ks, coverage, strict=True))
        return f"| k | pass@k |\n|---|---|\n{rows}"


SUBJECTS = {
    "arithmetic": Subject(
        ArithmeticDataset(),
        FinalAnswerGrader(),
        "Arithmetic word problems of 1 to 4 steps with whole numbers of 2 to 4 digits, worked line by line, with the"
        " answer after `####`",
        "It knows the four story frames of its generator and nothing else: no other wording, no fractions, no negative"
        " numbers, no number above 9,999.",
    ),
    "programs": Subject(
        ProgramsDataset(),
        StdioGrader(),
        "Short Python programs that read a line of integers, transform the list in 1 to 4 described steps and print the"
        " outcome",
        "It knows the operations of its generator in their few phrasings and nothing else: it is not an assistant for"
        " programming.",
    ),
    "theorems": Subject(
        TheoremsDataset(),
        ProofGrader(),
        "Tactic scripts for small theorems of Rocq: logic, booleans, lists, natural numbers and integers, and for"
        " theorems of reals and integers in the style of contest problems",
        "It knows the forms of its generator and a few tactics; it does not know mathematics. Every distinct"
        " proof that counts was confirmed in fresh processes.",
        " A warm process of Rocq 8.16.1 accepts all 24,000 scripts. The families in the style of"
        " contest problems were written after reading the statements of miniF2F in Rocq that are not in MiniF2F-MATH,"
        " and four that are.",
    ),
}


def measure(subject: Subject, folder: Path, samples: int) -> list[int]:
    """The number of correct samples of each problem."""
    problems = subject.dataset.load()
    counts = []
    for graded in draw_and_grade(subject, str(folder), problems, samples, seed=0):
        counts.append(sum(graded.drawn[text] for text in graded.correct))
        if len(counts) % 8 == 0:
            print(f"{len(counts)} of {len(problems)} problems", flush=True)
    return counts


@dataclass(frozen=True, slots=True)
class GradedTexts:
    """The samples of a problem: how often each text was drawn, and which ones are correct."""

    problem: Problem
    prompt: str
    drawn: Counter[str]
    correct: set[str]


def draw_and_grade(
    subject: Subject, model: str, problems: Sequence[Problem], samples: int, seed: int
) -> Iterator[GradedTexts]:
    """Draw samples of each problem and grade them; equal texts are graded once.

    Raises:
        RuntimeError: the sandbox failed.
    """
    dataset = subject.dataset
    sampling = Sampling(TEMPERATURE, 1.0, dataset.max_tokens, dataset.stop, seed=seed)
    sandbox = BubblewrapConfig().open() if subject.grader.runs_code else nullcontext()
    with OnnxConfig(model=model).open() as engine, sandbox as opened:
        for problem in problems:
            request = Request(problem.id, render(dataset.template, problem.question), 0, samples)
            drawn = Counter(each.text for batch in engine.sample([request], sampling) for each in batch)
            correct = set(_correct(subject.grader, problem, list(drawn), opened))
            yield GradedTexts(problem, request.prompt, drawn, correct)


def _correct(grader: Grader, problem: Problem, texts: list[str], sandbox: Sandbox | None) -> Iterator[str]:
    pairs = [(problem, Sample(problem.id, index, text)) for index, text in enumerate(texts)]
    for graded in grader.grade(pairs, sandbox):
        if graded.verdict is Verdict.INFRASTRUCTURE:
            raise RuntimeError(f"the sandbox failed on {problem.id}: {graded.detail}")
        if graded.verdict is Verdict.CORRECT:
            yield texts[graded.index]


def card(
    recipe: Recipe, subject: Subject, state: dict[str, Any], measured: Measured, minif2f: Measured | None = None
) -> str:
    """The model card as Markdown."""
    samples, counts = measured
    rates = np.array(counts) / samples
    return rewrapped(f"""\
---
license: apache-2.0
library_name: transformers
pipeline_tag: text-generation
---

# {recipe.name}

{subject.teaches}. A demonstration model for repeated sampling: weak on purpose, with problems of every difficulty, so
that coverage keeps rising with the number of samples.

## Model

Llama architecture, {state["parameters"]:,} parameters: 4 layers, hidden size 128, 4 query heads that share one
key-value head, byte-level BPE of {recipe.vocabulary} tokens with every digit apart, embedding shared with the output
layer. Weights in float16 in `model.safetensors`; `model.onnx` is a graph over that same file.

## Data and recipe

Generated by `tasks/datasets` ({recipe.steps * recipe.batch:,} examples, each seen once, seed {recipe.seed}); no human
or model text.{subject.data} A sixteenth of all problems is held out by a hash of what is asked (not of how), and the
{len(counts)} problems measured below come from it; `tests/training/test_recipes.py` makes the whole training stream
again and finds none.

`python -m infra.training.train {recipe.name} FOLDER`: {recipe.steps} steps of {recipe.batch} examples, loss on the
completion alone, Muon at {recipe.matrix_rate} for the layers' matrices and AdamW at {recipe.other_rate} for the rest,
cosine decay, float32, {state["cpu_seconds"]:,.0f} CPU seconds.

## Results

{samples:,} samples for each of {len(counts)} held-out problems at temperature {TEMPERATURE}, drawn and graded by this
project (seed 0):

{measured.table}

{(rates == 0).sum()} problems were never solved, {((rates > 0) & (rates <= 0.01)).sum()} in at most one sample of a
hundred, {(rates >= 0.99).sum()} in nearly all.
{_on_minif2f(minif2f) if minif2f else ""}
## Limits

{subject.limits} Samples are reproducible to the last bit on one machine with one version of ONNX Runtime; elsewhere a
few may differ.
""")


def _on_minif2f(measured: Measured) -> str:
    return f"""
The same model, unchanged, on {len(measured.counts)} of the 130 theorems of MiniF2F-MATH in Rocq, {measured.samples:,}
samples of each, with {MINIF2F_CPU_S:g} CPU seconds for a proof; {sum(map(bool, measured.counts))} were proved:

{measured.table}
"""


def rewrapped(text: str) -> str:
    """Rewrap the paragraphs other than headings, tables and front matter."""
    paragraphs = text.rstrip("\n").split("\n\n")
    return "\n\n".join(p if p.startswith(("#", "|", "---")) else fill(p, 110) for p in paragraphs) + "\n"


def write(name: str, folder: Path, samples: int, minif2f: Dataset | None = None, minif2f_samples: int = 0) -> None:
    """Measure the model in `folder`, on `minif2f` too if it is given, and write its README.md."""
    subject = SUBJECTS[name]
    measured = Measured(samples, measure(subject, folder, samples))
    also = None
    if minif2f is not None:
        grader = ProofGrader(prover=RocqProver(time_limit_s=MINIF2F_CPU_S))
        on_minif2f = replace(subject, dataset=minif2f, grader=grader)
        also = Measured(minif2f_samples, measure(on_minif2f, folder, minif2f_samples))
    state = json.loads((folder / STATE).read_text(encoding="utf-8"))
    text = card(RECIPES[name], subject, state, measured, also)
    (folder / "README.md").write_text(text, encoding="utf-8")
    print(text[text.index("## Results") :])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--samples", type=int, default=1000, help="samples for each problem")
    parser.add_argument("--minif2f", help="statements of miniF2F in Rocq to measure on, too")
    parser.add_argument("--minif2f-samples", type=int, default=100, help="samples for each of them")
    arguments = parser.parse_args()
    minif2f = MiniF2FDataset(path=arguments.minif2f, subset="mathd", exclude="defective") if arguments.minif2f else None
    write(arguments.name, arguments.folder, arguments.samples, minif2f, arguments.minif2f_samples)


if __name__ == "__main__":
    main()
