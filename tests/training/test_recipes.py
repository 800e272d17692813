"""No held-out problem occurs in training: the whole stream of each bundled model is generated again and searched."""

import json

import pytest

from infra.training.recipes import RECIPES
from infra.training.tokenizer import train_tokenizer
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.engines.model_files import BUNDLED
from tasks.prompts import render


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_no_held_out_problem_is_trained_on(recipe):
    held_out = list(held_out_rows(recipe.name))
    forms = {row["form"] for row in held_out}
    prompts = {render(recipe.name, row["question"]) for row in held_out}
    answers = {row["program"] if recipe.name == "programs" else " " + row["solution"] for row in held_out}
    assert len(forms) == len(prompts) == len(answers) == 128

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
        word for example, _ in zip(recipe.examples(), range(4000), strict=False) for word in example.prompt.split()
    }
    words = {
        word
        for row in held_out_rows(recipe.name)
        for word in row["question"].split()
        if not any(map(str.isdigit, word))
    }
    assert words <= trained


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_the_committed_model_was_trained_on_this_stream(recipe):
    """The tokenizer, trained again on the stream, equals the one next to the weights."""
    committed = json.loads((BUNDLED / recipe.name / "tokenizer.json").read_text(encoding="utf-8"))
    assert json.loads(train_tokenizer(recipe.tokenizer_texts(), recipe.vocabulary).to_str()) == committed
