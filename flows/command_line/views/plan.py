"""The output of `monkeys plan`: what is stored, what is missing, and its expected cost."""

import shlex
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.filesize import decimal
from rich.markup import escape
from rich.table import Table

from flows.command_line.terminal import counted, literal, new_table, print_json, stdout
from tasks.errors import RESUME

if TYPE_CHECKING:
    from flows.config.sweep import SweepConfig
    from tasks.scaling.cost_prediction import Prediction
    from tasks.sweep.estimate import CostEstimate, Stored, SweepEstimate
    from tasks.sweep.sweep import Sweep
    from tasks.sweep.throughput import Throughput

_MAX_RANGES = 4


def show_plan(file: Path, overrides: Sequence[str], *, k: int | None, store: str | None, as_json: bool) -> None:
    """`monkeys plan`.

    Raises:
        UserError: file, fields or store cannot be used.
        StoreUnavailableError: the store does not respond.
    """
    if not as_json:
        stdout().print(f"[bold]monkeys plan[/] {escape(str(file))}", soft_wrap=True)

    from flows.config.yaml_file import read_config  # imported after the first line is shown
    from flows.setup.sweep import build_sweep
    from tasks.store.fsspec_store import FsspecStore
    from tasks.sweep.estimate import estimate

    config = read_config(file, overrides, k=k, store=store)
    job = build_sweep(config)
    if "://" in config.store:  # a local folder that does not exist yet is an empty store
        FsspecStore(config.store).check_readable()
    found = estimate(job)
    options = [
        *(() if store is None else ("--store", store)),
        *(part for each in overrides for part in ("--set", each)),
    ]
    pilot = shlex.join(["monkeys", "sweep", str(file), "--k", str(found.pilot_k), *options])
    if as_json:
        from tasks.report.documents import plan_document

        sets = {
            "store": config.store,
            "samples": job.samples.identity.name,
            "verdicts": job.grading.verdicts.identity.name,
        }
        document = plan_document(found, [problem.id for problem in job.selection.problems])
        print_json(sets | document | {"pilot": None if found.stored.samples else pilot})
    else:
        _show(stdout(), found, config, job, pilot)


def _show(console: Console, found: "SweepEstimate", config: "SweepConfig", job: "Sweep", pilot: str) -> None:
    most = f"{config.k:,}" if job.single_round else f"up to {config.k:,}"
    console.print(
        literal(
            f"{counted(found.problems, 'problem')} × {most} samples of {config.engine.label} on {config.dataset.name},"
            f" stored in {config.store}"
        ),
        soft_wrap=True,
    )
    console.print()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="bold", no_wrap=True)
    facts.add_column(overflow="fold")
    for fact, value in (*_stored(found.stored), *_remaining(found), *_scores(found), *_capped(config)):
        facts.add_row(fact, literal(value))
    console.print(facts)
    if found.stored.samples:
        if found.upper_bound is not None or found.larger_k:
            console.print()
            console.print(_larger_k(found))
        console.print(literal(_footing(found.stored, priced=found.remaining.dollars is not None)))
    else:
        drawn = found.problems * found.pilot_k
        console.print()
        console.print("Nothing is stored yet, so tokens, time and cost are unknown.")
        console.print(f"Run a pilot of {drawn:,} samples first; the sweep reuses them:")
        console.print(literal(f"  {pilot}"), soft_wrap=True)


def _stored(stored: "Stored") -> Iterator[tuple[str, str]]:
    yield "stored", f"{stored.below_k:,} samples up to k{_ranges(stored.held)}" if stored.samples else "nothing"
    if stored.samples:
        above = f"; {stored.samples - stored.below_k:,} beyond k" if stored.samples > stored.below_k else ""
        tokens = "tokens not recorded" if stored.tokens is None else f"{_count(stored.tokens)} tokens"
        prompts = "" if stored.prompt_tokens is None else f", {_count(stored.prompt_tokens)} prompt tokens"
        yield "", f"{tokens}{prompts}, {decimal(stored.bytes)}{above}"
    if stored.damaged:
        yield "", f"{stored.damaged} blocks are damaged and count as missing; `monkeys check` names them"
    for speed in stored.drawing:
        yield "drawn by", _speed(speed)
    if stored.grading:
        yield "graded in", _speed(stored.grading).replace("none:", "no sandbox:", 1)


def _remaining(found: "SweepEstimate") -> Iterator[tuple[str, str]]:
    cost = found.remaining
    now = "" if found.upper_bound is None else " for now; the verdicts decide how many more"
    if not cost.samples and not cost.verdicts:
        yield "missing", f"nothing{now}" if now else "nothing: every sample is stored and graded"
        return
    blocks = f" in {cost.blocks} block{'s' * (cost.blocks != 1)}" if cost.samples else ""
    pending = f"; {found.stored.pending:,} stored ones have pending verdicts" if found.stored.pending else ""
    yield "missing", f"{cost.samples:,} samples{blocks}{now}{pending}"
    if cost.samples:
        yield "tokens", _tokens(cost)
        if not found.stored.samples:
            least, mean, longest = found.prompt_characters
            yield "prompts", f"{least:,} to {longest:,} characters, {mean:,} on average"
    if cost.seconds is not None:
        grading = _time(cost.grading_s)
        parts = f"sampling {_time(cost.drawing_s)}, grading {grading}, concurrently" if cost.samples else "grading"
        yield "time", f"{_time(cost.seconds)}: {parts}"
    elif cost.drawing_s is not None:
        yield (
            "time",
            f"{_time(cost.drawing_s)} of sampling; nothing is graded yet, so the time of grading is unknown",
        )
    if cost.bytes:
        yield "space", decimal(cost.bytes)
    if cost.dollars is not None:
        yield "cost", _money(cost.dollars)
    elif cost.max_dollars:
        yield "cost", f"at most {_dollars(cost.max_dollars)} for completions; the cost of prompts is unknown"


def _scores(found: "SweepEstimate") -> Iterator[tuple[str, str]]:
    for each in found.scores:
        if not each.missing:
            yield "scores", f"nothing missing: {each.scorer} has scored every sample"
            continue
        time = "; nothing is scored yet, so its time is unknown" if each.seconds is None else f"; {_time(each.seconds)}"
        yield "scores", f"{each.missing:,} missing of {each.scorer}{time}"


def _capped(config: "SweepConfig") -> Iterator[tuple[str, str]]:
    cap = config.cap
    if cap is not None:
        each = [_dollars(cap.dollars)] if cap.dollars else []
        each += [f"{_count(cap.tokens)} tokens"] if cap.tokens else []
        each += [f"{cap.hours:g} h"] if cap.hours else []
        yield "cap", f"{' or '.join(each) or 'none'} per run. {RESUME}"


def _tokens(cost: "CostEstimate") -> str:
    most = f"at most {_count(cost.max_tokens)} completion tokens ({cost.max_tokens // cost.samples:,} per sample)"
    if cost.tokens is None:
        return most
    prompts = "" if cost.prompt_tokens is None else f"; {_predicted(cost.prompt_tokens, 'prompt tokens')}"
    return f"{_predicted(cost.tokens, 'completion tokens')}{prompts}"


def _larger_k(found: "SweepEstimate") -> Table:
    bounded = found.upper_bound is not None
    rows = [("now " if bounded else "", found.remaining)] if found.remaining.samples else []
    rows += [("at most ", found.upper_bound)] if found.upper_bound is not None else []
    rows += [("at most " if bounded else "", each) for each in found.larger_k]
    priced = any(each.dollars is not None for _, each in rows)
    columns = ["k", "samples", "completion tokens", "prompt tokens", "time", "space", *(["cost"] * priced)]
    table = new_table(*columns, right=range(len(columns)))
    for prefix, each in rows:
        cells = [f"{each.k:,}", f"{prefix}{each.samples:,}", _short(each.tokens), _short(each.prompt_tokens)]
        cells += [_time(each.seconds), decimal(each.bytes or 0)]
        cells += [_dollars(each.dollars.expected) if each.dollars else "unknown"] * priced
        table.add_row(*cells)
    return table


def _footing(stored: "Stored", *, priced: bool) -> str:
    """What the figures are based on."""
    speed = stored.drawing[-1]
    of = "" if len(stored.drawing) == 1 else f", the latest of {len(stored.drawing)} engines"
    prompts = " Prompts are priced once per sample; a server may charge once per request." if priced else ""
    return (
        f"Tokens are estimated from the {stored.samples:,} samples stored, per problem where it has some. Times assume"
        f" the throughput of {speed.by}{of}, as of {_day(speed.last)}; it differs on another machine or with larger"
        f" blocks.{prompts}"
    )


def _ranges(held: Sequence[int]) -> str:
    """The number of samples per problem, by runs of consecutive problems."""
    fewest, most = min(held), max(held)
    if fewest == most:
        return f" ({most:,} per problem)" if most else ""
    runs = [(n, len(list(run))) for n, run in groupby(held)]
    if len(runs) > _MAX_RANGES:
        return f" ({fewest:,} to {most:,} per problem)"
    first, parts = 1, []
    for n, length in runs:
        which = f"problems {first} to {first + length - 1}" if length > 1 else f"problem {first}"
        parts.append(f"{n:,} for {which}")
        first += length
    return f" ({', '.join(parts)})"


def _speed(speed: "Throughput") -> str:
    rates = [f"{_rate(speed.samples / speed.seconds)} samples/s"] if speed.seconds else []
    rates += [f"{speed.tokens / speed.seconds:,.0f} tokens/s"] if speed.tokens and speed.seconds else []
    took = f"{speed.samples:,} samples in {_time(speed.seconds)}"
    return f"{speed.by}: {took}, {', '.join(rates)}, as of {_day(speed.last)}"


def _predicted(predicted: "Prediction", what: str) -> str:
    value = f"{_count(predicted.expected)} {what}"
    if predicted.low is None or predicted.high is None:
        return f"{value} (too few samples for an interval)"
    low, high = _count(predicted.low), _count(predicted.high)
    return value if low == high else f"{value} ({predicted.level:.0%} interval {low} to {high})"


def _money(predicted: "Prediction") -> str:
    value = _dollars(predicted.expected)
    if predicted.low is None or predicted.high is None:
        return value
    low, high = _dollars(predicted.low), _dollars(predicted.high)
    return value if low == high else f"{value} ({predicted.level:.0%} interval {low} to {high})"


def _short(predicted: "Prediction | None") -> str:
    return "unknown" if predicted is None else _count(predicted.expected)


def _count(number: float) -> str:
    """A number to three significant digits, with a unit if it is large."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if number >= size:
            return f"{number / size:,.3g} {unit}" if number < 1_000 * size else f"{number / size:,.0f} {unit}"
    return f"{number:,.0f}"


def _rate(rate: float) -> str:
    """A rate, as a whole number from 100 and to three significant digits below."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 else f"${value:.2g}"


def _time(seconds: float | None) -> str:
    """A duration, in its one or two largest units."""
    if seconds is None:
        return "unknown"
    if seconds < 1:
        return "under 1 s" if seconds else "0 s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return (
        f"{minutes // 60} h {minutes % 60} min"
        if hours < 10
        else f"{hours} h"
        if hours < 100
        else f"{hours / 24:.0f} days"
    )


def _day(at: str) -> str:
    """A timestamp without its seconds."""
    return f"{at[:16].replace('T', ' ')} UTC"
