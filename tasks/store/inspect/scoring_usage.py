"""What the scorers of a stored set used, from the footers of the blocks that they scored."""

from collections.abc import Iterable

from tasks.costs.usage import ScoringUsage
from tasks.store.annotations import ScoreFooter
from tasks.store.busy_time import busy_s
from tasks.store.inspect.catalog import StoredAnnotations, scored_samples


def scoring_usage(scores: StoredAnnotations[ScoreFooter]) -> ScoringUsage | None:
    """What a scorer used for each sample that has a score, equal samples of a problem, which are scored once, included;
    None where no sample has one. Blocks that were scored at the same time share the wall-clock seconds."""
    footers = scores.current.values()
    scored = scored_samples(scores)
    if not scored:
        return None
    return ScoringUsage(
        prompt=_mean((each.prompt_tokens for each in footers), scored),
        completion=_mean((each.tokens for each in footers), scored),
        context=_mean((each.context for each in footers), scored),
        seconds=busy_s(run for each in footers for run in each.runs) / scored,
        dollars=_mean((each.dollars for each in footers), scored),
    )


def _mean(values: Iterable[float | None], samples: int) -> float | None:
    """The sum per sample; None where a value is not known."""
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total / samples
