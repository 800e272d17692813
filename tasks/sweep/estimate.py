"""Estimates from the store what the rest of a sweep costs. Nothing is written, and no engine is opened.

The figures come from the samples that are already stored. If there are none, only what is certain is given: the number
of missing samples, and the maximum of their tokens.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from tasks.records import Price
from tasks.scaling.arrays import Ints
from tasks.scaling.cost_prediction import Prediction, Seen, predict_total
from tasks.store.annotations import VERDICTS, VerdictFooter
from tasks.store.blocks import Block
from tasks.store.footers import Objects, current, is_complete, read_objects
from tasks.store.sample_layout import SampleFooter
from tasks.store.samples import sample_footer
from tasks.store.tables import sums_by_problem
from tasks.sweep.score_estimate import ScoringEstimate, estimate_scoring
from tasks.sweep.sweep import Sweep
from tasks.sweep.throughput import Throughput, annotating_throughput, drawing_throughputs

# Samples per problem in a pilot: enough to estimate how much they vary.
_PILOT_K = 10
_MAX_CONCURRENT_READS = 16
_TARGETS = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of the selected problems.

    `held` has the number of samples below k of each problem; `samples` is the number of all, including those from k.
    Tokens are None if an engine did not report them. `bytes` includes verdicts. `damaged` blocks count as missing, and
    `pending` samples below k have no verdict. `drawing` has the latest throughput last; `grading` is None if nothing is
    graded yet.
    """

    held: tuple[int, ...]
    samples: int
    prompt_tokens: int | None
    tokens: int | None
    bytes: int
    damaged: int
    pending: int
    drawing: tuple[Throughput, ...]
    grading: Throughput | None

    @property
    def below_k(self) -> int:
        """The number of stored samples below k."""
        return sum(self.held)


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """The cost of continuing to k: samples and blocks to draw, samples to grade (`verdicts`), and the expected tokens,
    seconds, bytes and dollars, which are None if there is nothing to estimate them from.

    `max_tokens` bounds the completion tokens, and `max_dollars` is their cost, without prompts. Times are wall-clock
    seconds; drawing and grading overlap, so the sweep takes the longer of the two.
    """

    k: int
    samples: int
    blocks: int
    verdicts: int
    max_tokens: int
    prompt_tokens: Prediction | None
    tokens: Prediction | None
    drawing_s: float | None
    grading_s: float | None
    bytes: int | None
    dollars: Prediction | None
    max_dollars: float | None

    @property
    def seconds(self) -> float | None:
        """The longer of drawing and grading; None unless both are known."""
        if self.drawing_s is None or self.grading_s is None:
            return None
        return max(self.drawing_s, self.grading_s)


@dataclass(frozen=True, slots=True)
class SweepEstimate:
    """What is stored, what the remaining samples and verdicts cost, and what a larger k would cost.

    `upper_bound` is the maximum cost under the budget, if it has several rounds; None otherwise. `larger_k` assumes
    that no problem stops early. `prompt_characters` are the lengths of the shortest, mean and longest prompt. `scores`
    has one entry for each scorer.
    """

    k: int
    problems: int
    stored: Stored
    remaining: CostEstimate
    upper_bound: CostEstimate | None
    larger_k: tuple[CostEstimate, ...]
    prompt_characters: tuple[int, int, int]
    scores: tuple[ScoringEstimate, ...] = ()

    @property
    def pilot_k(self) -> int:
        """The number of samples per problem in a pilot of this sweep."""
        return min(_PILOT_K, self.k)


def estimate(job: Sweep) -> SweepEstimate:
    """Read the sets of a sweep, and estimate what it costs to finish it, or to continue to a larger k.

    Raises:
        NewerSchemaError: a newer version of this package wrote the set.
        StoreUnavailableError: the store does not respond.
    """
    store, name = job.samples.store, job.samples.identity.name
    of_samples, of_verdicts = f"samples/{name}", f"verdicts/{name}/{job.grading.verdicts.identity.name}"
    sizes = store.sizes(of_samples) | store.sizes(of_verdicts)
    samples = read_objects(store, of_samples, sizes, sample_footer)
    verdicts = read_objects(store, of_verdicts, sizes, VERDICTS.read_footer)
    expected = _Expectation(job, samples, verdicts, sizes)
    remaining = job.missing_given(samples.footers, verdicts.footers)
    to_draw = sum(block.samples for block in remaining)
    lengths = [len(job.prompt_of(problem)) for problem in job.selection.problems]
    return SweepEstimate(
        k=job.selection.k,
        problems=len(job.selection.problems),
        stored=expected.stored,
        remaining=expected.cost_of(job.selection.k, remaining),
        upper_bound=None
        if job.single_round
        else expected.cost_of(job.selection.k, job.missing_below(job.selection.k, samples.footers)),
        larger_k=tuple(
            expected.cost_of(k, blocks)
            for k in _TARGETS
            if k > job.selection.k and (blocks := job.missing_below(k, samples.footers))
        ),
        prompt_characters=(min(lengths), round(sum(lengths) / len(lengths)), max(lengths)),
        scores=tuple(estimate_scoring(each, samples.footers, to_draw) for each in job.scorings),
    )


class _Expectation:
    """Predicts the cost of further blocks from the stored blocks of the selected problems."""

    def __init__(
        self, job: Sweep, samples: Objects[SampleFooter], verdicts: Objects[VerdictFooter], sizes: Mapping[str, int]
    ) -> None:
        self._job = job
        self._row = {position: row for row, position in enumerate(job.selection.positions)}
        blocks = {block: footer for block, footer in samples.footers.items() if self._rows(block)}
        graded = {block: footer for block, footer in verdicts.footers.items() if block in blocks}
        self._prompts, self._tokens = self._tokens_by_problem(blocks)
        of_samples = sum(sizes[samples.key(block)] for block in blocks)
        of_verdicts = sum(sizes[verdicts.key(block)] for block in graded)
        self._bytes_each = _ratio(of_samples, blocks) + _ratio(of_verdicts, graded)
        self.stored = Stored(
            held=tuple(self._by_problem(blocks, below=job.selection.k).tolist()),
            samples=int(self._by_problem(blocks).sum()),
            prompt_tokens=None if self._prompts is None else int(self._prompts.total.sum()),
            tokens=None if self._tokens is None else int(self._tokens.total.sum()),
            bytes=of_samples + of_verdicts,
            damaged=len(samples.damaged) + len(verdicts.damaged),
            pending=sum(
                block.samples
                for block, footer in blocks.items()
                if block.start < job.selection.k and not is_complete(graded.get(block), footer)
            ),
            drawing=drawing_throughputs(blocks),
            grading=annotating_throughput(current(graded, blocks)),
        )

    def cost_of(self, k: int, blocks: Sequence[Block]) -> CostEstimate:
        """The cost of drawing these blocks, and of grading them and all samples that are pending."""
        missing = self._by_problem(blocks)
        samples = int(missing.sum())
        verdicts = samples + self.stored.pending
        max_tokens, price = self._job.sampling.max_tokens, self._job.price
        prompts = None if self._prompts is None else predict_total(self._prompts, missing)
        tokens = None if self._tokens is None else predict_total(self._tokens, missing, most=max_tokens)
        drawing = self.stored.drawing[-1] if self.stored.drawing else None
        grading = self.stored.grading
        return CostEstimate(
            k=k,
            samples=samples,
            blocks=len(blocks),
            verdicts=verdicts,
            max_tokens=samples * max_tokens,
            prompt_tokens=prompts,
            tokens=tokens,
            drawing_s=drawing.seconds_for(samples, tokens.expected if tokens else None)
            if drawing
            else _zero_if_none(samples),
            grading_s=grading.seconds_for(verdicts) if grading else _zero_if_none(verdicts),
            bytes=round(self._bytes_each * samples) if self.stored.samples else None,
            dollars=_dollars(price, prompts, tokens),
            max_dollars=None if price is None else price.completion * samples * max_tokens / 1e6,
        )

    def _rows(self, block: Block) -> list[int]:
        """The rows of those of a block's problems that are selected."""
        return [self._row[position] for position in block.positions if position in self._row]

    def _by_problem(self, blocks: Iterable[Block], below: int | None = None) -> Ints:
        """The number of samples that each selected problem has in these blocks: [problems]."""
        counts = np.zeros(len(self._row), dtype=np.int64)
        for block in blocks:
            stop = block.stop if below is None else min(block.stop, below)
            counts[self._rows(block)] += max(0, stop - block.start)
        return counts

    def _tokens_by_problem(self, blocks: Iterable[Block]) -> tuple[Seen | None, Seen | None]:
        """Prompt tokens and completion tokens by problem; None if some are not known."""
        at = {problem.id: row for row, problem in enumerate(self._job.selection.problems)}
        names = ("prompt_tokens", "tokens")
        sums = {name: np.zeros((3, len(at)), dtype=np.int64) for name in names}
        unknown = set()
        with ThreadPoolExecutor(_MAX_CONCURRENT_READS) as pool:
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
    """The amount per sample of the blocks; 0 if there are none."""
    return amount / (sum(block.samples for block in blocks) or 1)


def _zero_if_none(things: int) -> float | None:
    """0 for no things, which take no time at any throughput; None otherwise."""
    return None if things else 0.0


def _dollars(price: Price | None, prompts: Prediction | None, tokens: Prediction | None) -> Prediction | None:
    """The cost of expected tokens, as `tasks.scaling.cost` counts it. The two intervals are added, which is never too
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
