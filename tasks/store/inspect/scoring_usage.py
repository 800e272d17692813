"""What the scorers of a stored set used, from the footers of the blocks that they scored."""

from collections.abc import Callable

from tasks.costs.usage import ScoringUsage
from tasks.store.annotations import ScoreFooter
from tasks.store.busy_time import busy_s
from tasks.store.inspect.catalog import StoredAnnotations, scored_samples


def scoring_usage(scores: StoredAnnotations[ScoreFooter]) -> ScoringUsage | None:
    """What a scorer used for each sample that has a score, equal samples of a problem, which are scored once, included;
    None where no sample has one. Tokens and dollars are those of the blocks for which they are known. Blocks that were
    scored at the same time share the wall-clock seconds."""
    scored = scored_samples(scores)
    if not scored:
        return None
    return ScoringUsage(
        prompt=_mean(scores, lambda footer: footer.prompt_tokens),
        completion=_mean(scores, lambda footer: footer.tokens),
        context=_mean(scores, lambda footer: footer.context),
        seconds=busy_s(run for each in scores.current.values() for run in each.runs) / scored,
        dollars=_mean(scores, lambda footer: footer.dollars),
    )


def _mean(scores: StoredAnnotations[ScoreFooter], used: Callable[[ScoreFooter], float | None]) -> float | None:
    """The sum per scored sample over the blocks for which it is known; None where it is known for none of them."""
    total, samples = 0.0, 0
    for block, footer in scores.current.items():
        value = used(footer)
        if value is not None:
            total += value
            samples += block.samples - footer.unscored
    return total / samples if samples else None
