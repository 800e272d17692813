"""Train a bundled model from scratch, measure it, and write its folder and card.

    python -m infra.training.train arithmetic FOLDER

The recipe determines everything: the generated problems, the tokenizer, and the weights (up to floating-point
differences between machines). Needs the `train` extra, but no GPU.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from infra.training import card
from infra.training.export import export
from infra.training.llama import Llama
from infra.training.recipes import RECIPES, Example, Recipe
from infra.training.shape import Shape
from infra.training.tokenizer import END_ID, train_tokenizer
from tasks.datasets.synthetic.portable_random import generator

IGNORED = -100
BATCHES_SORTED_TOGETHER = 16


class Batch(NamedTuple):
    """Token ids and the token that should follow each, both [batch, length], padded on the right."""

    ids: Tensor
    targets: Tensor


def train(recipe: Recipe, tokenizer: Tokenizer, shape: Shape) -> Llama:
    """Train on every example of the recipe once. Only the tokens of completions count towards the loss."""
    torch.manual_seed(recipe.seed)
    model = Llama(shape)
    optimizers = _optimizers(model, recipe)
    started = time.monotonic()
    for step, batch in enumerate(_batches(recipe, tokenizer)):
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * _schedule(recipe, step)
        logits = model(batch.ids)
        loss = functional.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED)
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        if step % 50 == 0 or step == recipe.steps - 1:
            seconds = time.monotonic() - started
            print(f"step {step:5d} of {recipe.steps}  loss {loss.item():.4f}  {seconds:6.1f} s", flush=True)
    return model


def _optimizers(model: Llama, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of layers, AdamW for the embedding and the norms.

    On an earlier, harder stream of arithmetic problems, the held-out loss after two minutes of CPU time was 1.5 with
    AdamW alone (at 3e-3), and 0.55 with both.
    """
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed" not in name]
    chosen = set(map(id, matrices))
    others = [p for p in model.parameters() if id(p) not in chosen]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(matrices, lr=recipe.matrix_rate, weight_decay=0.1),
        torch.optim.AdamW(others, lr=recipe.other_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]
    return optimizers


def _schedule(recipe: Recipe, step: int) -> float:
    """The share of the peak learning rate at a step: linear warm-up, then cosine decay to a hundredth."""
    if step < recipe.warm_up:
        return (step + 1) / recipe.warm_up
    done = (step - recipe.warm_up) / max(1, recipe.steps - recipe.warm_up)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done))


def _batches(recipe: Recipe, tokenizer: Tokenizer) -> Iterator[Batch]:
    """Batches of texts of similar length: parts of the stream are sorted and cut into batches, which are shuffled."""
    rng = generator(recipe.seed)
    examples = recipe.examples()
    while stretch := list(islice(examples, recipe.batch * BATCHES_SORTED_TOGETHER)):
        encoded = sorted(_encode(tokenizer, stretch), key=lambda pair: len(pair[0]))
        groups = [encoded[i : i + recipe.batch] for i in range(0, len(encoded), recipe.batch)]
        rng.shuffle(groups)
        yield from map(_pad, groups)


def _encode(tokenizer: Tokenizer, examples: list[Example]) -> list[tuple[list[int], list[int]]]:
    """Ids and targets of each text. Prompt and completion are encoded separately, as in sampling."""
    prompts = tokenizer.encode_batch([example.prompt for example in examples])
    completions = tokenizer.encode_batch([example.completion for example in examples])
    pairs = []
    for prompt, completion in zip(prompts, completions, strict=True):
        learnt = [*completion.ids, END_ID]
        ids = [*prompt.ids, *learnt[:-1]]
        pairs.append((ids, [IGNORED] * (len(prompt.ids) - 1) + learnt))
    return pairs


def _pad(pairs: list[tuple[list[int], list[int]]]) -> Batch:
    length = max(len(ids) for ids, _ in pairs)
    ids = torch.full((len(pairs), length), END_ID)
    targets = torch.full((len(pairs), length), IGNORED)
    for row, (tokens, learnt) in enumerate(pairs):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        targets[row, : len(learnt)] = torch.tensor(learnt)
    return Batch(ids, targets)


def main() -> None:
    """Train the named model and write its folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("folder", type=Path, help="where to write the model")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--samples", type=int, default=1000, help="samples for each problem that the card reports on")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    recipe = RECIPES[arguments.name]
    tokenizer = train_tokenizer(recipe.tokenizer_texts(), recipe.vocabulary)
    shape = Shape(vocabulary=tokenizer.get_vocab_size())
    started = time.process_time()
    model = train(recipe, tokenizer, shape)
    export(model, shape, tokenizer, arguments.folder)
    state = {
        "global_step": recipe.steps,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "cpu_seconds": round(time.process_time() - started),
    }
    if recipe.refused is not None:
        state["refused_examples"] = recipe.refused(recipe.seed, recipe.steps * recipe.batch)
    (arguments.folder / card.STATE).write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
    card.write(recipe.name, arguments.folder, arguments.samples)


if __name__ == "__main__":
    main()
