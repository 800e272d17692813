"""Tokens per CPU second of the in-process engines on a bundled model, compared with PyTorch on the same weights.

    python benchmarks/engines.py [--problems 8] [--samples 128]

All run on one thread, with the same prompts, temperature and maximum length. Ratios are the engine's rate over the
rival's. The rivals need torch and transformers, and are left out if these are not installed. Exits with 1 if a target
is missed.
"""

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from results import Result, at_least, report
from tokenizers import Tokenizer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tasks.datasets.programs import ProgramsDataset
from tasks.engines import EngineConfig
from tasks.engines.onnx import OnnxConfig
from tasks.engines.transformers import TransformersConfig
from tasks.prompts import render
from tasks.records import Problem, Request, Sampling

MODEL, DATASET, TEMPERATURE = "programs", ProgramsDataset(), 0.6
ROUNDS = 3
UNIT = "tokens/CPU-s"


def measure(draws: dict[str, Callable[[Problem], int]], problems: list[Problem]) -> dict[str, float]:
    """Tokens per CPU second of each, the best of `ROUNDS` rounds in which they take turns, after a warm-up.

    Other load on the machine can only lower a rate, so the best round is the least disturbed one.
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
    """An engine of this project, as a function that draws `samples` samples of a problem and returns their tokens."""
    engine = config.open()
    sampling = Sampling(TEMPERATURE, 1.0, DATASET.max_tokens, DATASET.stop, seed=0)

    def draw(problem: Problem) -> int:
        request = Request(problem.id, render(DATASET.template, problem.question), 0, samples)
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
        """Token ids, shape [1, length]."""
        return self.torch.tensor([self.tokenizer.encode(render(DATASET.template, problem.question)).ids])

    def generate(self, problem: Problem) -> int:
        """`generate` with `num_return_sequences`; counts tokens up to the end of each sequence, as the engine does."""
        prompt = self.prompt(problem)
        out = self.model.generate(
            prompt,
            attention_mask=self.torch.ones_like(prompt),
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=0,
            max_new_tokens=DATASET.max_tokens,
            num_return_sequences=self.samples,
        )[:, prompt.shape[1] :]
        end = (out == self.model.config.eos_token_id).long()
        return int((end.cumsum(1) - end == 0).sum())

    def loop(self, problem: Problem) -> int:
        """A plain loop: one prefill, its cache repeated for all samples, multinomial draws until all have ended."""
        torch, end = self.torch, self.model.config.eos_token_id
        with torch.inference_mode():
            read = self.model(self.prompt(problem), use_cache=True)
            cache = read.past_key_values
            cache.batch_repeat_interleave(self.samples)
            logits = read.logits[:, -1].repeat(self.samples, 1)
            alive, tokens = torch.ones(self.samples, dtype=torch.bool), 0
            for _ in range(DATASET.max_tokens):
                drawn = torch.multinomial(torch.softmax(logits / TEMPERATURE, -1), 1)
                tokens += int(alive.sum())
                alive &= drawn[:, 0] != end
                if not alive.any():
                    break
                logits = self.model(drawn, past_key_values=cache, use_cache=True).logits[:, -1]
        return tokens


def compared(figure: str, rate: float, rival: float, target: float | None) -> Result:
    """A rate and a rival's, with the lowest ratio that is good enough."""
    ratio = rate / rival
    return Result(figure, rate, UNIT, rival, ratio, None if target is None else at_least(ratio, target))


def main() -> int:
    """Measure and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--problems", type=int, default=8)
    parser.add_argument("--samples", type=int, default=128)
    arguments = parser.parse_args()
    problems = DATASET.load()[: arguments.problems]
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
    results = [Result(f"onnx, {name}", rate[name], UNIT) for name in list(draws)[:4]]
    if rivals:
        results += [
            compared("onnx / transformers.generate", ours, rate["generate"], 2),
            compared("onnx / a loop over the same model", ours, rate["loop"], 1),
            compared("onnx / engine transformers", ours, rate["transformers"], 1),
            compared("engine transformers / generate", rate["transformers"], rate["generate"], 1),
            compared("engine transformers / the loop", rate["transformers"], rate["loop"], None),
        ]
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
