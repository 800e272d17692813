"""The contract of scorers."""

import math
from collections.abc import Sequence
from numbers import Real

from monkeys.testing.contract import check_class, require, require_json
from tasks.errors import ScoringCancelledError
from tasks.scorers import Candidate, Comparing, Scored, Scorer, ScorerConfig, Spent, Unscored

HOSTILE = ("", " \n\t", "\0", "é 数 🙂 \u202e", "1" * 10_000, "{text} {prompt}", "<|endoftext|>", "nan")
"""Texts that a model could write."""


def check_scorer(config: ScorerConfig, prompts: Sequence[tuple[str, str]], *, deterministic: bool = True) -> None:
    """Check that a scorer gives each candidate one finite number, or says why not, and that no number changes places.

    Args:
        config: with the fields that it needs.
        prompts: some questions, each with a sample that it scores; at least two.
        deterministic: whether a candidate has the same score in any call; a model that is sampled has not.

    Raises:
        ContractError: a promise is broken; the message says which.
    """
    check_class("scorer", config)
    require(type(config.version) is int and config.version >= 1, f"version is {config.version!r}")
    require(bool(config.label), "label is empty")
    require_json(config.ingredients(), "ingredients()")
    require(len(prompts) >= 2, "give at least two prompts")
    config.check()
    pivots = tuple(f"pivot {number}" for number in range(config.pivots)) if isinstance(config, Comparing) else ()
    candidates = [Candidate(f"p{i}", question, question, text, pivots) for i, (question, text) in enumerate(prompts)]
    with config.open() as scorer:
        require(scorer.max_concurrent_calls >= 1, f"max_concurrent_calls is {scorer.max_concurrent_calls}")
        require(scorer.max_candidates >= 1, f"max_candidates is {scorer.max_candidates}")
        require(bool(scorer.version), "the scorer's version is empty")
        _score(scorer, [])
        scores = _score(scorer, candidates)
        require(not any(isinstance(each, Unscored) for each in scores), f"a given sample has no score: {scores}")
        if deterministic:
            require(_score(scorer, candidates[::-1]) == scores[::-1], "a score depends on the order of candidates")
            alone = [_score(scorer, [each])[0] for each in candidates]
            require(alone == scores, "a score depends on the other candidates")
        question, _ = prompts[0]
        _score(scorer, [Candidate("p", question, question, text, pivots) for text in HOSTILE])
        require(isinstance(scorer.spent, Spent), "spent is not a Spent")
        negative = [name for name, value in scorer.spent._asdict().items() if value is not None and value < 0]
        require(not negative, f"spent.{negative[:1]} is below 0")
        scorer.cancel()
        try:
            scorer.score(candidates)
        except ScoringCancelledError:
            return
        require(False, "score() goes on after cancel()")


def _score(scorer: Scorer, candidates: Sequence[Candidate]) -> list[float | Unscored]:
    scores = [each.value if isinstance(each, Scored) else each for each in scorer.score(candidates)]
    require(len(scores) == len(candidates), f"score() gave {len(scores)} scores for {len(candidates)} candidates")
    for candidate, score in zip(candidates, scores, strict=True):
        if not isinstance(score, Unscored):
            number = isinstance(score, Real) and not isinstance(score, bool)
            require(
                number and math.isfinite(score), f"{score!r:.100} for {candidate.text[:100]!r} is not a finite number"
            )
    return scores
