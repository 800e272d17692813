"""No held-out problem occurs in training: the whole stream of each bundled model is generated again and searched."""

import json
import re
from collections.abc import Callable

import pytest

from infra.training.recipes import RECIPES, Recipe
from infra.training.tokenizer import train_tokenizer
from tasks.datasets import Dataset
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.datasets.programs import ProgramsDataset
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.datasets.theorems import TheoremsDataset
from tasks.engines.model_files import BUNDLED
from tasks.prompts import prompt

DATASETS: dict[str, Dataset] = {
    "arithmetic": ArithmeticDataset(),
    "programs": ProgramsDataset(),
    "theorems": TheoremsDataset(),
}
PROBLEMS = {"arithmetic": 128, "programs": 128, "theorems": 96}
# Different theorems can have the same proof, such as `lia`.
ANSWERS: dict[str, Callable[[dict[str, str]], str | None]] = {
    "arithmetic": lambda row: " " + row["solution"],
    "programs": lambda row: row["program"],
    "theorems": lambda row: None,
}


def held_out_prompts(recipe: Recipe) -> set[str]:
    dataset = DATASETS[recipe.name]
    return {prompt(dataset.template, problem) for problem in dataset.load()}


def words(recipe: Recipe, text: str) -> list[str]:
    """The words without digits; in theorems, names and symbols are words, too."""
    found = re.findall(r"[^\W\d]+|[^\w\s]", text) if recipe.name == "theorems" else text.split()
    return [word for word in found if not any(map(str.isdigit, word))]


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_no_held_out_problem_is_trained_on(recipe):
    held_out = list(held_out_rows(recipe.name))
    forms = {row["form"] for row in held_out}
    prompts = held_out_prompts(recipe)
    answers = {ANSWERS[recipe.name](row) for row in held_out} - {None}
    assert len(forms) == len(prompts) == len(held_out) == PROBLEMS[recipe.name]
    assert len(answers) in {0, len(held_out)}

    seen = 0
    for example in recipe.examples():
        assert example.form not in forms
        assert example.prompt not in prompts
        assert example.completion not in answers
        seen += 1
    assert seen == recipe.steps * recipe.batch


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_held_out_problems_would_be_in_the_stream_if_they_were_not_filtered(recipe):
    """The problems have the same words, operations and lengths; only the filter keeps them apart."""
    trained = {
        word
        for example, _ in zip(recipe.examples(), range(4000), strict=False)
        for word in words(recipe, example.prompt)
    }
    assert {word for prompt in held_out_prompts(recipe) for word in words(recipe, prompt)} <= trained


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_committed_model_was_trained_on_this_stream(recipe):
    """The tokenizer, trained again on the stream, equals the one next to the weights."""
    committed = json.loads((BUNDLED / recipe.name / "tokenizer.json").read_text(encoding="utf-8"))
    assert json.loads(train_tokenizer(recipe.tokenizer_texts(), recipe.vocabulary).to_str()) == committed
