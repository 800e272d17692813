"""The ONNX scorer: the bundled scorers, and folders of other tools that are not what it needs."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tasks.datasets.programs import ProgramsDataset
from tasks.engines.model_files import BUNDLED
from tasks.errors import ScoringCancelledError, UserError
from tasks.prompts import render
from tasks.scorers import Candidate, Spent, Unscored
from tasks.scorers.in_process.probabilities import probabilities
from tasks.scorers.onnx import BUNDLED_SCORERS, OnnxScorerConfig, bundled_scorers


def candidates_of(name: str) -> list[Candidate]:
    """The reference programs of some problems, right for their own problem and wrong for the next."""
    rows = list(zip(ProgramsDataset().load()[:8], ProgramsDataset().solutions(), strict=False))
    texts = [solution.text for _, solution in rows]
    prompts = [(problem.id, problem.question, render("programs", problem.question)) for problem, _ in rows]
    return [
        Candidate(*prompt, text)
        for shift in (0, 1)
        for prompt, text in zip(prompts, np.roll(texts, shift), strict=True)
    ]


@pytest.mark.parametrize("name", bundled_scorers())
def test_a_bundled_scorer_gives_each_candidate_one_finite_logit(name: str) -> None:
    candidates = candidates_of(name)
    with OnnxScorerConfig(model=name).open() as scorer:
        scores = scorer.score(candidates)
    assert len(scores) == len(candidates)
    assert all(isinstance(each, float) and math.isfinite(each) for each in scores)


def test_the_bundled_scorer_prefers_a_program_for_the_problem_at_hand() -> None:
    with OnnxScorerConfig(model="programs").open() as scorer:
        scores = np.array(scorer.score(candidates_of("programs")), float)
    right, wrong = scores[:8], scores[8:]
    assert (right > wrong).mean() >= 0.75


@pytest.mark.parametrize("name", bundled_scorers())
def test_a_score_depends_on_neither_threads_nor_order_nor_other_texts(name: str) -> None:
    candidates = candidates_of(name)
    with OnnxScorerConfig(model=name, threads=2).open() as scorer:
        alone = [scorer.score([each])[0] for each in candidates]
        assert scorer.score(candidates[::-1]) == alone[::-1]
    with OnnxScorerConfig(model=name, threads=1).open() as scorer:
        assert scorer.score(candidates) == alone


def test_the_tokens_that_it_reads_are_counted() -> None:
    first, *others = candidates_of("programs")
    with OnnxScorerConfig(model="programs", threads=2).open() as scorer:
        assert scorer.spent == Spent(0, 0.0, 0, 0)
        scorer.score([first])
        length = scorer.spent.prompt_tokens
        assert length is not None
        assert length > 10
        assert scorer.spent == Spent(0, None, length, length * (length + 1) // 2)
        scorer.score([first, *others])
        twice = scorer.spent.prompt_tokens
        assert twice is not None
        assert twice > 2 * length


@pytest.mark.parametrize("name", bundled_scorers())
def test_prompt_and_sample_are_tokenized_apart_as_the_engine_does(name: str) -> None:
    candidate = candidates_of(name)[0]
    with OnnxScorerConfig(model=name).open() as scorer:
        tokenizer = scorer._tokenizer
    prompt, text = (tokenizer.encode(each).ids for each in (candidate.prompt, candidate.text))
    pair = tokenizer.encode(candidate.prompt, candidate.text)
    assert pair.ids == prompt + text
    assert pair.type_ids == [0] * len(prompt) + [1] * len(text)


def test_a_probability_is_told_from_a_logit_in_scores_and_identity() -> None:
    logit, probability = OnnxScorerConfig(model="programs"), OnnxScorerConfig(model="programs", output="probability")
    candidates = candidates_of("programs")
    with logit.open() as one, probability.open() as other:
        values = np.array(one.score(candidates), float)
        assert np.allclose(np.array(other.score(candidates), float), 1 / (1 + np.exp(-values)))
    assert logit.ingredients()["output"] == "logit"
    assert probability.ingredients()["output"] == "probability"


def test_probabilities_are_the_softmax_of_several_labels() -> None:
    found = probabilities(np.array([[0.0, math.log(3)], [1_000.0, 0.0]]))
    assert found == pytest.approx(np.array([[0.25, 0.75], [1.0, 0.0]]))


def test_a_text_beyond_the_models_context_gets_no_score() -> None:
    long = candidates_of("programs")[0]._replace(text="x = 1\n" * 300)
    with OnnxScorerConfig(model="programs").open() as scorer:
        assert scorer.score([long, candidates_of("programs")[0]])[0] == Unscored("longer than 512 tokens")
    with OnnxScorerConfig(model="programs", max_tokens=3).open() as scorer:
        assert scorer.score([long]) == [Unscored("longer than 3 tokens")]


def test_a_cancelled_scorer_scores_no_more() -> None:
    with OnnxScorerConfig(model="programs").open() as scorer:
        scorer.cancel()
        with pytest.raises(ScoringCancelledError):
            scorer.score(candidates_of("programs"))


def test_its_identity_names_the_content_of_the_model_and_no_path(tmp_path: Path) -> None:
    names = {json.dumps(OnnxScorerConfig(model=name).ingredients()) for name in bundled_scorers()}
    assert len(names) == len(bundled_scorers())
    assert not any(str(BUNDLED_SCORERS) in name for name in names)
    faster = OnnxScorerConfig(model="programs", threads=1)
    assert faster.ingredients() == OnnxScorerConfig(model="programs").ingredients()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "scorers.model: no folder "),
        ([], " has no model.onnx"),
        (["model.onnx"], " has no tokenizer.json"),
    ],
)
def test_a_folder_without_a_model_is_refused_in_one_line(tmp_path: Path, files: list[str] | None, message: str) -> None:
    folder = tmp_path / "model"
    if files is not None:
        folder.mkdir()
        for name in files:
            (folder / name).write_bytes(b"")
    with pytest.raises(UserError, match=message) as refused:
        OnnxScorerConfig(model=str(folder)).check()
    assert len(str(refused.value).splitlines()) == 1


def test_a_decoder_is_not_a_scorer(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a sequence classifier has input_ids and optionally attention_mask"):
        OnnxScorerConfig(model=str(BUNDLED / "programs")).open()


def test_a_label_that_the_model_lacks_is_refused() -> None:
    with (
        OnnxScorerConfig(model="programs", label_index=1).open() as scorer,
        pytest.raises(UserError, match="has 1 labels, counted from 0"),
    ):
        scorer.score(candidates_of("programs"))


@pytest.mark.parametrize("name", bundled_scorers())
def test_the_scorer_card_says_how_it_was_trained_and_measured(name: str) -> None:
    card = (BUNDLED_SCORERS / name / "README.md").read_text()
    for word in ("## Data and recipe", "AUC within a problem", "held out", "not a probability", "## Limits"):
        assert word in card
    assert (BUNDLED_SCORERS / name / "model.onnx").stat().st_size < 50_000, "it shares the bundled model's weights"
