"""What a sweep would still take: read from the store, before anything is spent. Nothing is written, no engine opened.

The figures stand on what the set holds already. Where it holds nothing there are none, but for what is certain: how
many samples are owed, and how many tokens they can have at most.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from tasks.records import Price
from tasks.scaling.arrays import Ints
from tasks.scaling.cost_prediction import Prediction, Seen, predict_total
from tasks.store.annotations import VERDICTS, VerdictFooter
from tasks.store.blocks import Block
from tasks.store.footers import Objects, is_complete, read_objects
from tasks.store.samples import SampleFooter, sample_footer
from tasks.store.tables import sums_by_problem
from tasks.sweep.sweep import Sweep

# Samples of every problem that a pilot draws: enough to tell how much they vary.
_PILOT = 10
_AT_ONCE = 16
_TARGETS = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast so many samples went, all work side by side counted once: wall seconds, and who did it when last (UTC).
    `tokens` is None where some were not counted."""

    by: str
    samples: int
    tokens: int | None
    seconds: float
    last: str

    def needs(self, samples: int, tokens: float | None = None) -> float:
        """Seconds for more: by tokens where they are known, else by samples."""
        if tokens is not None and self.tokens:
            return self.seconds * tokens / self.tokens
        return self.seconds * samples / self.samples


@dataclass(frozen=True, slots=True)
class Stored:
    """What there is of the chosen problems: `held` samples below k of each, `samples` in all (below k and above),
    tokens (None where an engine did not say), bytes with their verdicts, and damaged blocks, which count as absent.

    `unverified` counts those below k that await a verdict. Speeds are the latest last; `judging` is None where nothing
    was judged yet.
    """

    held: tuple[int, ...]
    samples: int
    prompt_tokens: int | None
    tokens: int | None
    bytes: int
    damaged: int
    unverified: int
    drawing: tuple[Speed, ...]
    judging: Speed | None

    @property
    def below_k(self) -> int:
        """How many samples below k are stored."""
        return sum(self.held)


@dataclass(frozen=True, slots=True)
class Outlay:
    """What going to k takes from here: samples to draw and blocks that hold them, samples to judge, and what that is
    expected to cost; None where nothing tells.

    `most_tokens` is what the samples can have at most, and `most_dollars` what those cost without prompts. Times
    are wall seconds; drawing and judging overlap, so the whole takes the longer of the two.
    """

    k: int
    samples: int
    blocks: int
    verdicts: int
    most_tokens: int
    prompt_tokens: Prediction | None
    tokens: Prediction | None
    drawing_s: float | None
    judging_s: float | None
    bytes: int | None
    dollars: Prediction | None
    most_dollars: float | None

    @property
    def seconds(self) -> float | None:
        """The longer of drawing and judging; None unless both are known."""
        if self.drawing_s is None or self.judging_s is None:
            return None
        return max(self.drawing_s, self.judging_s)


@dataclass(frozen=True, slots=True)
class SpendingPlan:
    """What is stored, what is owed now, and what larger k would take.

    `most` is what the budget can come to at most, where it plans in rounds; `further` are larger k without its rests.
    `prompt_characters` has the shortest, mean and longest prompt.
    """

    k: int
    problems: int
    stored: Stored
    owed: Outlay
    most: Outlay | None
    further: tuple[Outlay, ...]
    prompt_characters: tuple[int, int, int]

    @property
    def pilot_k(self) -> int:
        """Samples of every problem that a pilot of this sweep draws."""
        return min(_PILOT, self.k)


def plan(job: Sweep) -> SpendingPlan:
    """Read the sets of a sweep, and say what it would take to finish it, or to go further.

    Raises:
        UserError: a newer version wrote the set.
        StoreUnavailableError: the store does not answer.
    """
    store, name = job.samples.store, job.samples.identity.name
    of_samples, of_verdicts = f"samples/{name}", f"verdicts/{name}/{job.grading.verdicts.identity.name}"
    sizes = store.sizes(of_samples) | store.sizes(of_verdicts)
    samples = read_objects(store, of_samples, sizes, sample_footer)
    verdicts = read_objects(store, of_verdicts, sizes, VERDICTS.read_footer)
    expected = _Expectation(job, samples, verdicts, sizes)
    owed = job.missing_given(samples.footers, verdicts.footers)
    lengths = [len(job.prompt_of(problem)) for problem in job.selection.problems]
    return SpendingPlan(
        k=job.selection.k,
        problems=len(job.selection.problems),
        stored=expected.stored,
        owed=expected.outlay(job.selection.k, owed),
        most=None
        if job.single_round
        else expected.outlay(job.selection.k, job.missing_below(job.selection.k, samples.footers)),
        further=tuple(
            expected.outlay(k, blocks)
            for k in _TARGETS
            if k > job.selection.k and (blocks := job.missing_below(k, samples.footers))
        ),
        prompt_characters=(min(lengths), round(sum(lengths) / len(lengths)), max(lengths)),
    )


class _Expectation:
    """What the stored blocks of the chosen problems say of those to come."""

    def __init__(
        self, job: Sweep, samples: Objects[SampleFooter], verdicts: Objects[VerdictFooter], sizes: Mapping[str, int]
    ) -> None:
        self._job = job
        self._row = {position: row for row, position in enumerate(job.selection.positions)}
        blocks = {block: footer for block, footer in samples.footers.items() if self._rows(block)}
        judged = {block: footer for block, footer in verdicts.footers.items() if block in blocks}
        self._prompts, self._tokens = self._seen(blocks)
        of_samples = sum(sizes[samples.key(block)] for block in blocks)
        of_verdicts = sum(sizes[verdicts.key(block)] for block in judged)
        self._bytes_each = _ratio(of_samples, blocks) + _ratio(of_verdicts, judged)
        self.stored = Stored(
            held=tuple(self._by_problem(blocks, below=job.selection.k).tolist()),
            samples=int(self._by_problem(blocks).sum()),
            prompt_tokens=None if self._prompts is None else int(self._prompts.total.sum()),
            tokens=None if self._tokens is None else int(self._tokens.total.sum()),
            bytes=of_samples + of_verdicts,
            damaged=len(samples.damaged) + len(verdicts.damaged),
            unverified=sum(
                block.samples
                for block, footer in blocks.items()
                if block.start < job.selection.k and not is_complete(judged.get(block), footer)
            ),
            drawing=_speeds(blocks),
            judging=_judging(
                {block: each for block, each in judged.items() if each.samples_checksum == blocks[block].checksum}
            ),
        )

    def outlay(self, k: int, blocks: Sequence[Block]) -> Outlay:
        """What these blocks, and what is not judged yet, take."""
        missing = self._by_problem(blocks)
        samples = int(missing.sum())
        verdicts = samples + self.stored.unverified
        longest, price = self._job.sampling.max_tokens, self._job.price
        prompts = None if self._prompts is None else predict_total(self._prompts, missing)
        tokens = None if self._tokens is None else predict_total(self._tokens, missing, most=longest)
        drawing = self.stored.drawing[-1] if self.stored.drawing else None
        judging = self.stored.judging
        return Outlay(
            k=k,
            samples=samples,
            blocks=len(blocks),
            verdicts=verdicts,
            most_tokens=samples * longest,
            prompt_tokens=prompts,
            tokens=tokens,
            drawing_s=drawing.needs(samples, tokens.expected if tokens else None) if drawing else _none_of(samples),
            judging_s=judging.needs(verdicts) if judging else _none_of(verdicts),
            bytes=round(self._bytes_each * samples) if self.stored.samples else None,
            dollars=_dollars(price, prompts, tokens),
            most_dollars=None if price is None else price.completion * samples * longest / 1e6,
        )

    def _rows(self, block: Block) -> list[int]:
        """Where a block's problems stand among the chosen ones."""
        return [self._row[position] for position in range(block.first, block.last) if position in self._row]

    def _by_problem(self, blocks: Iterable[Block], below: int | None = None) -> Ints:
        """How many samples each chosen problem has in these blocks."""
        counts = np.zeros(len(self._row), dtype=np.int64)
        for block in blocks:
            stop = block.stop if below is None else min(block.stop, below)
            counts[self._rows(block)] += max(0, stop - block.start)
        return counts

    def _seen(self, blocks: Iterable[Block]) -> tuple[Seen | None, Seen | None]:
        """Tokens of prompts and tokens written, by problem; None where some were not counted."""
        at = {problem.id: row for row, problem in enumerate(self._job.selection.problems)}
        names = ("prompt_tokens", "tokens")
        sums = {name: np.zeros((3, len(at)), dtype=np.int64) for name in names}
        unknown = set()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            tables = pool.map(lambda block: self._job.samples.columns(block, ("problem_id", *names)), blocks)
        for table in tables:
            for name in names:
                by_problem = sums_by_problem(table, name)
                if by_problem is None:
                    unknown.add(name)
                    continue
                for problem, found in by_problem.items():
                    if problem in at:
                        sums[name][:, at[problem]] += found
        prompts, tokens = (None if name in unknown else Seen(*sums[name]) for name in names)
        return prompts, tokens


def _ratio(amount: int, blocks: Iterable[Block]) -> float:
    """For each sample of the blocks; 0 where there is none."""
    return amount / (sum(block.samples for block in blocks) or 1)


def _none_of(things: int) -> float | None:
    """How long nothing takes is known without a rate."""
    return None if things else 0.0


def _speeds(blocks: Mapping[Block, SampleFooter]) -> tuple[Speed, ...]:
    """One for each engine's version, the latest last."""
    by: dict[str, dict[Block, SampleFooter]] = {}
    for block, footer in blocks.items():
        by.setdefault(footer.engine, {})[block] = footer
    speeds = []
    for engine, of in by.items():
        counts = [footer.tokens for footer in of.values()]
        speeds.append(
            Speed(
                engine,
                sum(block.samples for block in of),
                None if None in counts else sum(count or 0 for count in counts),
                busy_s([(footer.drawn_at, footer.seconds) for footer in of.values()]),
                max(footer.drawn_at for footer in of.values()),
            )
        )
    return tuple(sorted(speeds, key=lambda speed: speed.last))


def _judging(blocks: Mapping[Block, VerdictFooter]) -> Speed | None:
    if not blocks:
        return None
    return Speed(
        ", ".join(sorted({footer.made_by for footer in blocks.values()})),
        sum(block.samples for block in blocks),
        None,
        busy_s([(footer.written_at, footer.seconds) for footer in blocks.values()]),
        max(footer.written_at for footer in blocks.values()),
    )


def busy_s(work: Iterable[tuple[str, float]]) -> float:
    """Wall seconds in which pieces of work ran, given when each ended (ISO 8601, cut to the second) and how long it
    took: what ran side by side counts once. Pieces too short for such a clock are added up."""
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


def _dollars(price: Price | None, prompts: Prediction | None, tokens: Prediction | None) -> Prediction | None:
    """What tokens to come cost, counted as `tasks.scaling.cost` does; the two intervals add up, which is never too
    narrow."""
    if price is None:
        return None
    parts = []
    for each, predicted in ((price.prompt, prompts), (price.completion, tokens)):
        if each and predicted is None:
            return None
        if each and predicted is not None:
            parts.append(predicted.scaled(each / 1e6))
    level = parts[0].level if parts else 0.95
    expected = sum(part.expected for part in parts)
    lows, highs = [part.low for part in parts], [part.high for part in parts]
    if None in lows or None in highs:
        return Prediction(expected, None, None, level)
    return Prediction(expected, sum(low or 0 for low in lows), sum(high or 0 for high in highs), level)
