"""Tokens per CPU-second of the embedded engines on a bundled model, against PyTorch on the same weights.

    python benchmarks/engines.py [--problems 8] [--samples 128]

All on one thread, over the same prompts, temperature and longest answer. Rivals need torch and transformers, and are
left out where these are missing. Ends 0 where every target holds, 1 where one does not.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tasks.datasets.programs import ProgramsDataset
from tasks.engines import EngineConfig
from tasks.engines.onnx import OnnxConfig
from tasks.engines.transformers import TransformersConfig
from tasks.prompts import render
from tasks.records import Problem, Request, Sampling

MODEL, TASK, TEMPERATURE = "programs", ProgramsDataset(), 0.6
ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: the engine's rate against a rival's, and the least ratio wanted."""

    figure: str
    ours: float
    rival: float | None
    target: float | None


def measure(draws: dict[str, Callable[[Problem], int]], problems: list[Problem]) -> dict[str, float]:
    """Tokens per CPU-second of each: the best of some rounds, in which they take turns, after one problem for warmth.

    What else the machine does slows a round down and speeds none up.
    """
    best: dict[str, float] = {}
    for round_ in range(ROUNDS + 1):
        for name, draw in draws.items():
            started = time.process_time()
            tokens = sum(draw(problem) for problem in problems[: None if round_ else 1])
            if round_:
                best[name] = max(best.get(name, 0.0), tokens / (time.process_time() - started))
    return best


def onnx(samples: int, batch_size: int) -> Callable[[Problem], int]:
    """The ONNX engine on one thread."""
    return drawing(OnnxConfig(model=MODEL, threads=1, batch_size=batch_size), samples)


def drawing(config: EngineConfig, samples: int) -> Callable[[Problem], int]:
    """An engine of this project; the function draws for one problem and returns the tokens drawn."""
    engine = config.open()
    sampling = Sampling(TEMPERATURE, 1.0, TASK.max_tokens, TASK.stop, seed=0)

    def draw(problem: Problem) -> int:
        request = Request(problem.id, render(TASK.template, problem.question), 0, samples)
        return sum(sample.tokens or 0 for batch in engine.sample([request], sampling) for sample in batch)

    return draw


class Torch:
    """The same weights in transformers, on one thread."""

    def __init__(self, samples: int) -> None:
        import torch
        from transformers import LlamaForCausalLM

        folder = OnnxConfig(model=MODEL).folder
        torch.set_num_threads(1)
        self.torch = torch
        self.model: Any = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.samples = samples

    def prompt(self, problem: Problem) -> Any:
        """Token ids, [1, length]."""
        return self.torch.tensor([self.tokenizer.encode(render(TASK.template, problem.question)).ids])

    def generate(self, problem: Problem) -> int:
        """`generate` with `num_return_sequences`; tokens up to each end, as the engine counts them."""
        prompt = self.prompt(problem)
        out = self.model.generate(
            prompt,
            attention_mask=self.torch.ones_like(prompt),
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=0,
            max_new_tokens=TASK.max_tokens,
            num_return_sequences=self.samples,
        )[:, prompt.shape[1] :]
        end = (out == self.model.config.eos_token_id).long()
        return int((end.cumsum(1) - end == 0).sum())

    def loop(self, problem: Problem) -> int:
        """A plain loop: prompt read once, its cache repeated, multinomial draws, until every row has ended."""
        torch, end = self.torch, self.model.config.eos_token_id
        with torch.inference_mode():
            read = self.model(self.prompt(problem), use_cache=True)
            cache = read.past_key_values
            cache.batch_repeat_interleave(self.samples)
            logits = read.logits[:, -1].repeat(self.samples, 1)
            alive, tokens = torch.ones(self.samples, dtype=torch.bool), 0
            for _ in range(TASK.max_tokens):
                drawn = torch.multinomial(torch.softmax(logits / TEMPERATURE, -1), 1)
                tokens += int(alive.sum())
                alive &= drawn[:, 0] != end
                if not alive.any():
                    break
                logits = self.model(drawn, past_key_values=cache, use_cache=True).logits[:, -1]
        return tokens


def table(rows: list[Row]) -> str:
    """The rows as text."""
    lines = [f"{'figure':44}{'tokens/CPU-s':>14}{'rival':>10}{'ratio':>8}{'target':>8}"]
    for row in rows:
        rival = f"{row.rival:,.0f}" if row.rival else "-"
        ratio = f"{row.ours / row.rival:.1f}" if row.rival else "-"
        target = f">= {row.target:g}" if row.target else "-"
        lines.append(f"{row.figure:44}{row.ours:>14,.0f}{rival:>10}{ratio:>8}{target:>8}")
    return "\n".join(lines)


def main() -> int:
    """Measure, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=8)
    parser.add_argument("--samples", type=int, default=128)
    arguments = parser.parse_args()
    problems = TASK.load()[: arguments.problems]
    samples = arguments.samples
    draws = {
        "one at a time": onnx(8, batch_size=1),
        "batches of 16": onnx(samples, batch_size=16),
        "batches of 64": onnx(samples, batch_size=64),
        "batches of 256": onnx(samples, batch_size=256),
    }
    rivals = all(importlib.util.find_spec(module) for module in ("torch", "transformers"))
    if rivals:
        torch = Torch(samples)
        config = TransformersConfig(model=MODEL, device="cpu", threads=1, batch_size=samples)
        draws |= {"transformers": drawing(config, samples), "generate": torch.generate, "loop": torch.loop}
    else:
        print("torch and transformers are not installed: no rivals")
    rate = measure(draws, problems)
    ours = rate["batches of 64"]
    rows = [Row(f"onnx, {name}", rate[name], None, None) for name in list(draws)[:4]]
    if rivals:
        rows += [
            Row("onnx, against transformers.generate", ours, rate["generate"], 2),
            Row("onnx, against a loop over the same model", ours, rate["loop"], 1),
            Row("onnx, against engine transformers", ours, rate["transformers"], 1),
            Row("transformers, against generate", rate["transformers"], rate["generate"], 1),
            Row("transformers, against a loop", rate["transformers"], rate["loop"], None),
        ]
    print(table(rows))
    return int(any(row.rival and row.target and row.ours / row.rival < row.target for row in rows))


if __name__ == "__main__":
    sys.exit(main())
