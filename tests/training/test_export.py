"""Other tools can use the bundled models: transformers loads them and computes the same logits."""

import json
import re

import numpy as np
import pytest

from infra.training.card import SUBJECTS, Measured, card
from infra.training.recipes import RECIPES
from tasks.engines.model_files import BUNDLED, bundled_models
from tasks.engines.onnx import OnnxConfig
from tests.engines.logits import logits


@pytest.mark.parametrize("name", bundled_models())
def test_transformers_computes_the_same_logits(name):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    transformers = pytest.importorskip("transformers", reason="transformers is not installed")
    model = transformers.LlamaForCausalLM.from_pretrained(BUNDLED / name, dtype=torch.float32)
    ids = list(range(3, 60))
    with torch.no_grad():
        theirs = model(torch.tensor([ids])).logits[0].numpy()
    assert logits(OnnxConfig(model=name).open(), ids) == pytest.approx(theirs, abs=1e-4)


@pytest.mark.parametrize("name", bundled_models())
def test_logits_equal_the_golden_ones_of_transformers(name):
    """`golden_logits.json` holds the likeliest tokens and their logits, by transformers on the same folder."""
    golden = json.loads((BUNDLED.parents[2] / "tests/training/golden_logits.json").read_text())[name]
    ours = logits(OnnxConfig(model=name).open(), golden["ids"])
    assert ours.argmax(axis=1).tolist() == golden["argmax"]
    assert ours.max(axis=1) == pytest.approx(np.array(golden["max"]), abs=1e-3)


@pytest.mark.parametrize("name", bundled_models())
def test_weights_are_stored_once(name):
    sizes = {path.name: path.stat().st_size for path in (BUNDLED / name).iterdir()}
    assert sizes["model.onnx"] < 50_000
    assert sum(sizes.values()) < 2_000_000


@pytest.mark.parametrize("name", bundled_models())
def test_the_model_card_says_how_the_model_was_trained_and_measured(name):
    card = (BUNDLED / name / "README.md").read_text()
    for word in ("## Data and recipe", "| k | pass@k |", "held out", "CPU seconds", "## Limits"):
        assert word in card


@pytest.mark.parametrize("name", bundled_models())
def test_the_model_card_is_what_its_script_prints_but_for_the_figures(name):
    """The script is run again whenever a model is trained: a sentence that only one of the two has would be lost."""
    written = (BUNDLED / name / "README.md").read_text()
    measured = Measured(1000, [0, 5, 1000])
    minif2f = measured if "MiniF2F-MATH" in written.partition("## Results")[2] else None
    printed = card(RECIPES[name], SUBJECTS[name], {"parameters": 1, "cpu_seconds": 1.0}, measured, minif2f)
    assert _without_figures(written) == _without_figures(printed)


def _without_figures(text: str) -> str:
    prose = " ".join(line for line in text.splitlines() if not line.startswith("|"))
    return re.sub(r"[\d,.]*\d", "#", " ".join(prose.split()))
