"""Train the scorer of a bundled model on graded samples, and write its folder and card.

    python -m infra.training.scorer programs FOLDER

The decoder is frozen: only a logistic regression over its hidden states and log-probabilities is trained. The samples
are of problems that are in no dataset. Half of these problems are for training, a quarter for choosing the penalty, and
the rest, with the problems of the dataset, for measuring the scorer. Needs the package onnx and, for programs, a
sandbox, but not PyTorch. Takes ten minutes on one core.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata

from infra.training.card import SUBJECTS, TEMPERATURE, rewrapped
from infra.training.reward_graph import SCALARS, RewardGraph
from infra.training.shape import Shape
from infra.training.verdicts import PROBLEMS as KINDS
from infra.training.verdicts import SEED, LabelledText, cached, other_problems
from tasks.engines.in_process.engine import read_tokenizer
from tasks.engines.in_process.onnx_session import WEIGHTS_FOLDER
from tasks.engines.model_files import BUNDLED

Floats = NDArray[np.float64]
PROBLEMS = 400
SAMPLES = 40
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


class Data(NamedTuple):
    """Distinct samples: their features `x`, [samples, features], and whether each is `correct`, how often it was
    `drawn` and its `problem`, each [samples]."""

    x: Floats
    correct: NDArray[np.bool_]
    drawn: Floats
    problem: NDArray[np.str_]

    def of(self, problems: Sequence[str]) -> "Data":
        """The samples of these problems."""
        kept = np.isin(self.problem, list(problems))
        return Data(self.x[kept], self.correct[kept], self.drawn[kept], self.problem[kept])


@dataclass(frozen=True, slots=True)
class Head:
    """The weights [features] and the bias of a linear function for the log-odds."""

    weights: Floats
    bias: float

    def logits(self, x: Floats) -> Floats:
        """The log-odds of samples with features `x`, [samples]."""
        found: Floats = x @ self.weights + self.bias
        return found


def features(name: str, rows: Sequence[LabelledText]) -> Data:
    """The features of each sample under the frozen decoder."""
    folder = BUNDLED / name
    tokenizer = read_tokenizer(folder / "tokenizer.json")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry(WEIGHTS_FOLDER, str(folder))
    graph = RewardGraph(Shape(), folder / "model.safetensors").model_of_features()
    session = onnxruntime.InferenceSession(graph.SerializeToString(), options, ["CPUExecutionProvider"])
    found = []
    for row in rows:
        encoded = tokenizer.encode(row.prompt, row.text)
        feed = {"input_ids": [encoded.ids], "token_type_ids": [encoded.type_ids]}
        found.append(session.run(None, {key: np.array(value, np.int64) for key, value in feed.items()})[0][0])
    drawn, problem = np.array([row.drawn for row in rows], float), np.array([row.problem for row in rows])
    return Data(np.array(found, float), np.array([row.correct for row in rows]), drawn, problem)


def fit(data: Data, penalty: float) -> Head:
    """Logistic regression with an L2 penalty on standardized features, in which every problem has the same weight."""
    mean, scale = data.x.mean(axis=0), data.x.std(axis=0) + 1e-9
    x = (data.x - mean) / scale
    names, inverse = np.unique(data.problem, return_inverse=True)
    weights = data.drawn / np.bincount(inverse, data.drawn)[inverse] / len(names)
    signs = np.where(data.correct, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        w, b = parameters[:-1], parameters[-1]
        margins = signs * (x @ w + b)
        slope = -weights * signs * expit(-margins)
        value = float(weights @ np.logaddexp(0, -margins) + penalty * w @ w / 2)
        return value, np.append(x.T @ slope + penalty * w, slope.sum())

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 2_000})
    w = found.x[:-1] / scale
    return Head(w, float(found.x[-1] - w @ mean))


def auc(scores: Floats, data: Data) -> float:
    """The probability that a correct sample has a higher score than a wrong one; ties count half."""
    order = rankdata(np.repeat(scores, data.drawn.astype(int)))
    correct = np.repeat(data.correct, data.drawn.astype(int))
    right, wrong = int(correct.sum()), int((~correct).sum())
    return float((order[correct].sum() - right * (right + 1) / 2) / (right * wrong))


def auc_within(scores: Floats, data: Data) -> tuple[float, int]:
    """The mean AUC within a problem, which best-of-k depends on, and the number of problems with both correct and wrong
    samples, over which it is taken."""
    found = []
    for name in np.unique(data.problem):
        mine = data.problem == name
        part = data.of([name])
        if part.correct.any() and not part.correct.all():
            found.append(auc(scores[mine], part))
    return float(np.mean(found)), len(found)


def best_of(scores: Floats, data: Data) -> tuple[float, float]:
    """The share of problems whose highest-scored sample is correct, and the share that have a correct sample."""
    names = np.unique(data.problem)
    best, any_correct = [], []
    for name in names:
        mine = data.problem == name
        top = scores[mine] == scores[mine].max()
        best.append(data.correct[mine][top].mean())
        any_correct.append(data.correct[mine].any())
    return float(np.mean(best)), float(np.mean(any_correct))


def card(name: str, penalty: float, head: Head, *, held_out: Data, own: Data, trained_on: int) -> str:
    """The model card as Markdown."""
    rows = []
    for what, data in (("other problems, held out", held_out), (f"the dataset `{name}`", own)):
        scores = head.logits(data.x)
        within, problems = auc_within(scores, data)
        best, coverage = best_of(scores, data)
        each = [f"{len(np.unique(data.problem))}", f"{data.drawn.sum():,.0f}", f"{auc(scores, data):.3f}"]
        each += [f"{within:.3f} ({problems} problems)", f"{data.correct @ data.drawn / data.drawn.sum():.3f}"]
        rows.append(f"| {what} | {' | '.join([*each, f'{best:.3f}', f'{coverage:.3f}'])} |")
    table = "\n".join(rows)
    return rewrapped(f"""\
---
license: apache-2.0
---

# Scorer for the bundled model {name}

Says how likely a sample of the bundled model `{name}` is correct, from how the model itself reads it: a demonstration
of a reward model, weak on purpose.

## Model

`model.onnx` is the bundled decoder, frozen, over the very same weights file (none is stored twice), and a logistic
head over {len(head.weights)} features: the hidden state of the last token, the mean one of the sample's tokens, and
{len(SCALARS)} numbers ({", ".join(SCALARS)}; `infra/training/reward_graph.py`). Its output is the log-odds of the
sample being correct: a logit, not a probability.

## Data and recipe

`python -m infra.training.scorer {name} FOLDER`: {PROBLEMS} generated problems (seed {SEED}) of forms that are neither
in the dataset `{name}` nor in the training of the bundled model, {SAMPLES} samples each at temperature {TEMPERATURE},
graded by `{SUBJECTS[name].grader.name}`. {trained_on} problems train the head (logistic regression, every problem
weighs the same); the L2 penalty, {penalty:g}, is the best of {len(PENALTIES)} on another {PROBLEMS // 4}; the remaining
{PROBLEMS - trained_on - PROBLEMS // 4} and the dataset's 128 were used for nothing but the table.

## Results

AUC is the probability that a correct sample outscores a wrong one: over all samples, and within a problem, which is
what best-of-k depends on. Best of {SAMPLES} is the share of problems whose best-scored sample is correct.

| | problems | samples | AUC | AUC within a problem | one sample | best of {SAMPLES} | coverage |
|---|---|---|---|---|---|---|---|
{table}

## Limits

It reads how sure the model was, and checks nothing: a wrong answer given with confidence gets a high score. On texts of
other models its scores mean nothing.
""")


def write(name: str, folder: Path, data_folder: Path) -> None:
    """Train the scorer of a bundled model, and write `model.onnx` and README.md."""
    others = other_problems(name, PROBLEMS)
    data = features(name, cached(data_folder / f"{name}-others.jsonl", name, others, SAMPLES))
    own_rows = cached(data_folder / f"{name}-own.jsonl", name, SUBJECTS[name].dataset.load(), SAMPLES)
    ids = [problem.id for problem in others]
    half, quarter = len(ids) // 2, len(ids) // 4
    train, choose, held_out = (
        data.of(part) for part in (ids[:half], ids[half : half + quarter], ids[half + quarter :])
    )
    found: dict[float, Any] = {}
    for penalty in PENALTIES:
        head = fit(train, penalty)
        found[penalty] = auc_within(head.logits(choose.x), choose)[0], head
        print(f"penalty {penalty:g}: AUC within a problem {found[penalty][0]:.3f}", flush=True)
    penalty = max(found, key=lambda each: found[each][0])
    head = found[penalty][1]
    folder.mkdir(parents=True, exist_ok=True)
    graph = RewardGraph(Shape(), BUNDLED / name / "model.safetensors")
    onnx.save(graph.model(head.weights.astype(np.float32), head.bias), folder / "model.onnx")
    text = card(name, penalty, head, held_out=held_out, own=features(name, own_rows), trained_on=half)
    (folder / "README.md").write_text(text, encoding="utf-8")
    print(text[text.index("## Results") :])


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(KINDS))
    parser.add_argument("folder", type=Path, help="where to write the scorer")
    parser.add_argument("--data", type=Path, default=Path(), help="folder for labelled samples, drawn if missing")
    arguments = parser.parse_args()
    write(arguments.name, arguments.folder, arguments.data)


if __name__ == "__main__":
    main()
