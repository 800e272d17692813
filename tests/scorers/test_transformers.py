"""The transformers scorer: what is refused without PyTorch, and scores against the model called directly."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks.engines.model_files import BUNDLED
from tasks.errors import ScoringCancelledError, UserError
from tasks.scorers import Candidate, Unscored
from tasks.scorers.steps import combined
from tasks.scorers.transformers import TransformersScorerConfig

CANDIDATES = [Candidate("p", f"Task: print {i}.", f"Task: print {i}.\n", f"print({i})\n\nx = {i}") for i in range(5)]
TEMPLATE = "{% for m in messages %}<{{ m['role'] }}>{{ m['content'] }}{% endfor %}"


@pytest.fixture
def torch() -> Any:
    pytest.importorskip("transformers", reason="transformers is not installed")
    return pytest.importorskip("torch", reason="PyTorch is not installed")


def classifier(torch: Any, folder: Path, *, tokens: bool = False, labels: int = 1, template: bool = True) -> Path:
    """A small classifier over the bundled decoder, with a random head, as a folder of transformers."""
    import transformers

    torch.manual_seed(0)
    source = BUNDLED / "programs"
    kind = transformers.LlamaForTokenClassification if tokens else transformers.LlamaForSequenceClassification
    kind.from_pretrained(source, num_labels=labels, dtype=torch.float32).save_pretrained(folder)
    tokenizer = transformers.AutoTokenizer.from_pretrained(source)
    tokenizer.chat_template = TEMPLATE if template else None
    tokenizer.save_pretrained(folder)
    return folder


def reference(torch: Any, folder: Path, *, tokens: bool = False) -> tuple[Any, Any]:
    """Model and tokenizer, as a user of transformers would load them."""
    import transformers

    kind = transformers.AutoModelForTokenClassification if tokens else transformers.AutoModelForSequenceClassification
    return kind.from_pretrained(folder).eval(), transformers.AutoTokenizer.from_pretrained(folder)


def test_scores_equal_those_of_the_model_called_directly(torch: Any, tmp_path: Path) -> None:
    folder = classifier(torch, tmp_path)
    model, tokenizer = reference(torch, folder)
    expected = []
    with torch.inference_mode():
        for each in CANDIDATES:
            text = f"<user>{each.question}<assistant>{each.text}"
            ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
            expected.append(float(model(ids).logits[0, 0]))
    with TransformersScorerConfig(model=str(folder)).open() as scorer:
        assert scorer.score(CANDIDATES) == pytest.approx(expected, abs=1e-4)
        assert len(set(scorer.score(CANDIDATES))) == len(CANDIDATES)
    with TransformersScorerConfig(model=str(folder), output="probability").open() as scorer:
        sigmoid = torch.sigmoid(torch.tensor(expected, dtype=torch.float64)).tolist()
        assert scorer.score(CANDIDATES) == pytest.approx(sigmoid, abs=1e-5)


def test_a_pair_of_texts_and_a_label_are_chosen(torch: Any, tmp_path: Path) -> None:
    folder = classifier(torch, tmp_path, labels=2, template=False)
    model, tokenizer = reference(torch, folder)
    with torch.inference_mode():
        encoded = tokenizer(CANDIDATES[0].prompt, CANDIDATES[0].text, return_tensors="pt")
        expected = torch.softmax(model(encoded.input_ids).logits[0].double(), 0)[1]
    chosen = TransformersScorerConfig(
        model=str(folder), chat=False, reads="prompt", label_index=1, output="probability"
    )
    with chosen.open() as scorer:
        assert scorer.score(CANDIDATES[:1]) == pytest.approx([float(expected)], abs=1e-5)
    for fields, said in (
        ({"chat": False, "label_index": 2}, "has 2 labels, counted from 0"),
        ({}, "has no chat template; set it to false"),
    ):
        refused = TransformersScorerConfig.model_validate({"model": str(folder)} | fields)
        with refused.open() as scorer, pytest.raises(UserError, match=said):
            scorer.score(CANDIDATES[:1])


@pytest.mark.parametrize("by", ["min", "product", "last"])
def test_the_steps_of_a_process_reward_model_are_combined(torch: Any, tmp_path: Path, by: Any) -> None:
    folder = classifier(torch, tmp_path, tokens=True, labels=2)
    model, tokenizer = reference(torch, folder, tokens=True)
    (mark,) = tokenizer("<|endoftext|>", add_special_tokens=False).input_ids
    text = f"<user>{CANDIDATES[3].question}<assistant>print(3)<|endoftext|>x = 3<|endoftext|>"
    ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
    with torch.inference_mode():
        shares = torch.softmax(model(ids).logits[0].double(), -1)[ids[0] == mark, 1].tolist()
    assert len(shares) == 2
    config = TransformersScorerConfig(
        model=str(folder), steps=by, step_mark="<|endoftext|>", label_index=1, output="probability"
    )
    with config.open() as scorer:
        assert scorer.score(CANDIDATES[3:4]) == pytest.approx([combined(shares, by)], abs=1e-5)


def test_a_model_without_a_reward_head_is_refused(torch: Any) -> None:
    """transformers would fill the head with random numbers, which pass for scores."""
    with pytest.raises(UserError, match=r"is not a reward model: it has no weights for score\.weight"):
        TransformersScorerConfig(model=str(BUNDLED / "programs")).open()


def test_texts_that_are_too_long_get_no_score_and_a_cancelled_scorer_gives_none(torch: Any, tmp_path: Path) -> None:
    folder = classifier(torch, tmp_path)
    with TransformersScorerConfig(model=str(folder), max_tokens=3).open() as scorer:
        assert scorer.score(CANDIDATES[:1]) == [Unscored("longer than 3 tokens")]
        scorer.cancel()
        with pytest.raises(ScoringCancelledError):
            scorer.score(CANDIDATES)


def test_a_step_mark_of_several_tokens_is_refused(torch: Any, tmp_path: Path) -> None:
    folder = classifier(torch, tmp_path, tokens=True, labels=2)
    with pytest.raises(UserError, match=r"'two words' is [0-9]+ tokens of .*, not one"):
        TransformersScorerConfig(model=str(folder), steps="min", step_mark="two words").open()


def test_without_pytorch_it_is_refused_in_one_line() -> None:
    if importlib.util.find_spec("torch") is not None:
        pytest.skip("PyTorch is installed")
    with pytest.raises(UserError, match=r"scorer transformers: torch.* not installed; `make extra-transformers`"):
        TransformersScorerConfig(model=str(BUNDLED / "programs")).check()


def test_its_identity_names_content_and_settings_and_not_the_device(tmp_path: Path) -> None:
    folder = BUNDLED / "programs"
    one = TransformersScorerConfig(model=str(folder)).ingredients()
    assert str(folder) not in json.dumps(one)
    assert one["output"] == "logit"
    assert TransformersScorerConfig(model=str(folder), device="cpu").ingredients() == one
    assert TransformersScorerConfig(model=str(folder), output="probability").ingredients() != one
    assert TransformersScorerConfig(model=str(folder), dtype="bfloat16").ingredients() != one


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"steps": "min"}, "steps and step_mark go together"), ({"step_mark": "#"}, "steps and step_mark go together")],
)
def test_settings_that_do_not_fit_together_are_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TransformersScorerConfig.model_validate({"model": "m"} | fields)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "/no/such/folder"}, "scorers.model: no folder '/no/such/folder'"),
        ({"model": str(Path(__file__).parent)}, "has no config.json"),
        ({"model": str(BUNDLED / "programs"), "revision": "main"}, "only a model on the hub has revisions"),
    ],
)
def test_a_model_that_does_not_exist_is_refused_in_one_line(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as refused:
        TransformersScorerConfig.model_validate(fields).ingredients()
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
