"""How fast samples were drawn and graded, from the footers of stored blocks."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.store.annotations import AnnotationFooter
from tasks.store.blocks import Block
from tasks.store.busy_time import busy_s
from tasks.store.sample_layout import SampleFooter


@dataclass(frozen=True, slots=True)
class Throughput:
    """Samples processed in a number of wall-clock seconds, in which concurrent work counts once; `by` whom, and when
    `last` (UTC). `tokens` is None if some are not known."""

    by: str
    samples: int
    tokens: int | None
    seconds: float
    last: str

    def seconds_for(self, samples: int, tokens: float | None = None) -> float:
        """Seconds for more samples, in proportion to tokens if they are known, or else to samples."""
        if tokens is not None and self.tokens:
            return self.seconds * tokens / self.tokens
        return self.seconds * samples / self.samples


def drawing_throughputs(blocks: Mapping[Block, SampleFooter]) -> tuple[Throughput, ...]:
    """One throughput for each engine and version, the latest last."""
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


def annotating_throughput(blocks: Mapping[Block, AnnotationFooter]) -> Throughput | None:
    """The throughput of all sandboxes together, or of all scorers; None if there are no blocks."""
    if not blocks:
        return None
    return Throughput(
        ", ".join(sorted({footer.made_by for footer in blocks.values()})),
        sum(block.samples for block in blocks),
        None,
        busy_s(run for footer in blocks.values() for run in footer.runs),
        max(footer.written_at for footer in blocks.values()),
    )
