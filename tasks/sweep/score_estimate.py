"""What is scored of a sweep, what is not, and how long the rest takes. Nothing is written, and no scorer is opened."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.store.blocks import Block
from tasks.store.footers import current
from tasks.store.sample_layout import SampleFooter
from tasks.sweep.scoring import Scoring
from tasks.sweep.throughput import Throughput, annotating_throughput


@dataclass(frozen=True, slots=True)
class ScoringEstimate:
    """One scorer's part: samples that it has scored and those it has not, among those that are stored (`pending`) and
    together with those to be drawn (`missing`). `seconds` is None if nothing is scored yet, and something is missing.
    """

    scorer: str
    scores: str
    scored: int
    pending: int
    missing: int
    scoring: Throughput | None
    seconds: float | None


def estimate_scoring(scoring: Scoring, stored: Mapping[Block, SampleFooter], to_draw: int) -> ScoringEstimate:
    """Read a score set's footers.

    Args:
        scoring: the scorer on a sweep's samples.
        stored: the sweep's intact blocks of samples.
        to_draw: how many more will be drawn.

    Raises:
        NewerSchemaError: a newer version of this package wrote the set.
        StoreUnavailableError: the store does not respond.
    """
    blocks = scoring.selection.within(stored)
    valid = current(scoring.scores.objects().footers, blocks)
    scored = sum(block.samples - footer.unscored for block, footer in valid.items())
    pending = sum(block.samples for block in blocks) - scored
    missing = pending + to_draw
    throughput = annotating_throughput(valid)
    return ScoringEstimate(
        scorer=scoring.scorer.label,
        scores=scoring.scores.identity.name,
        scored=scored,
        pending=pending,
        missing=missing,
        scoring=throughput,
        seconds=0.0 if not missing else None if throughput is None else throughput.seconds_for(missing),
    )
