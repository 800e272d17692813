"""How fast samples were drawn and graded, from the footers of stored blocks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from tasks.store.annotations import VerdictFooter
from tasks.store.blocks import Block
from tasks.store.samples import SampleFooter


@dataclass(frozen=True, slots=True)
class Throughput:
    """Samples processed in a number of wall seconds, concurrent work counted once; `by` whom, and when `last` (UTC).
    `tokens` is None where some were not counted."""

    by: str
    samples: int
    tokens: int | None
    seconds: float
    last: str

    def seconds_for(self, samples: int, tokens: float | None = None) -> float:
        """Seconds for more: by tokens where they are known, otherwise by samples."""
        if tokens is not None and self.tokens:
            return self.seconds * tokens / self.tokens
        return self.seconds * samples / self.samples


def drawing_throughputs(blocks: Mapping[Block, SampleFooter]) -> tuple[Throughput, ...]:
    """One for each engine's version, the latest last."""
    by: dict[str, dict[Block, SampleFooter]] = {}
    for block, footer in blocks.items():
        by.setdefault(footer.engine, {})[block] = footer
    found = []
    for engine, of in by.items():
        counts = [footer.tokens for footer in of.values()]
        found.append(
            Throughput(
                engine,
                sum(block.samples for block in of),
                None if None in counts else sum(count or 0 for count in counts),
                busy_s([(footer.drawn_at, footer.seconds) for footer in of.values()]),
                max(footer.drawn_at for footer in of.values()),
            )
        )
    return tuple(sorted(found, key=lambda each: each.last))


def grading_throughput(blocks: Mapping[Block, VerdictFooter]) -> Throughput | None:
    """One for all sandboxes together; None where nothing is graded yet."""
    if not blocks:
        return None
    return Throughput(
        ", ".join(sorted({footer.made_by for footer in blocks.values()})),
        sum(block.samples for block in blocks),
        None,
        busy_s([(footer.written_at, footer.seconds) for footer in blocks.values()]),
        max(footer.written_at for footer in blocks.values()),
    )


def busy_s(work: Iterable[tuple[str, float]]) -> float:
    """Wall seconds in which pieces of work ran, given when each ended (ISO 8601, cut to the second) and how long it
    took: concurrent pieces count once. Pieces too short for such a clock are added up."""
    pieces = list(work)
    spans = sorted(
        (end - timedelta(seconds=seconds), end + timedelta(seconds=1))
        for at, seconds in pieces
        for end in (datetime.fromisoformat(at),)
    )
    together, reached = 0.0, None
    for start, end in spans:
        begun = start if reached is None else max(start, reached)
        together += max(0.0, (end - begun).total_seconds())
        reached = end if reached is None else max(reached, end)
    return min(together, sum(seconds for _, seconds in pieces))
