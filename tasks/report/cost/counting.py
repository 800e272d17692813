"""Counts what the samples of a set cost, by the rules that a person gave, and says what was assumed."""

import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from tasks.costs.flops import shape_of
from tasks.costs.measures import LinearCost, Measure, Prompts, dollars, flops, known_dollars, seconds, tokens
from tasks.costs.prices import ModelPrice, PriceTable, bundled_prices, find_price, parse_prices
from tasks.costs.usage import ScoringUsage, UsageByProblem
from tasks.errors import UserError
from tasks.files.answers import CONFIDENCES, LOGPROB_MEAN, LOGPROB_SUM
from tasks.report.cost.phrases import amount
from tasks.scaling.estimators import Counts

_HOW_PROMPTS_COUNT = {
    Prompts.EACH: "A prompt counts for every sample drawn from it; a server that bills one prompt for a request of"
    " several samples bills less.",
    Prompts.ONCE: "A prompt counts once for all samples of its problem.",
    Prompts.CACHED: "The first sample of a problem writes its prompt to the cache; the others read it there.",
}


_FROM_DRAWING = frozenset((LOGPROB_SUM, LOGPROB_MEAN, *CONFIDENCES))
_NO_USAGE = "what the scores {name} cost is not stored with them"
_NOT_STORED = "what {name} used is not stored; it does not report that, or an earlier version scored the set"


@dataclass(frozen=True, slots=True)
class Rules:
    """How costs are counted. `configs` and `parameters` are of the models of the sets, by label or name of the set."""

    measure: Measure | None = None
    prompts: Prompts | None = None
    batch: bool = False
    prices: str | None = None
    configs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)


class CostedScorer(NamedTuple):
    """A scorer: what it used for a sample, the names that its price may be listed under, and the config.json of its
    model, if it is known."""

    usage: ScoringUsage
    models: tuple[str, ...]
    config: Path | None = None


class CostedResults(NamedTuple):
    """A set: its short and its full name, the names that its price may be listed under, its counts, what reads the
    usage of some of its problems, its own price, and the config.json of its model, if they are known, whether it is
    a table of counts or of answers rather than stored, and its scorers by the names of their scores."""

    label: str
    name: str
    models: tuple[str, ...]
    counts: Counts
    usage: Callable[[Sequence[str]], UsageByProblem]
    price: ModelPrice | None
    config: Path | None
    is_table: bool = False
    is_answers: bool = False
    scorers: Mapping[str, CostedScorer] = MappingProxyType({})


class CostCounter:
    """Counts costs, and collects what has to be said about them."""

    def __init__(self, measure: Measure, rules: Rules, today: datetime.date) -> None:
        self._measure = measure
        self._rules = rules
        self._today = today
        self._prompts = rules.prompts or (Prompts.ONCE if measure is Measure.FLOPS else Prompts.EACH)
        self._notes: list[str] = []

    def cost(self, of: CostedResults, used: UsageByProblem, price: ModelPrice | None) -> LinearCost:
        """What samples of a set cost."""
        match self._measure:
            case Measure.DOLLARS:
                return self._dollars(of, used, price)
            case Measure.FLOPS:
                return self._flops(of, used)
            case Measure.TOKENS:
                return tokens(self._with_prompts(of, used), of.label, self._prompts)
            case Measure.SECONDS:
                return seconds(used, of.label)

    def with_scoring(
        self,
        cost: LinearCost,
        of: CostedResults,
        used: UsageByProblem,
        price: ModelPrice | None,
        *,
        scores: Sequence[str],
        tables: Sequence[PriceTable],
    ) -> LinearCost:
        """The cost of samples with that of scoring them. A sample counts what scoring one took on average, in
        proportion to the mean length of its problem's samples. Scores that come from drawing cost nothing more. What
        is not known is not counted, and a note says so.

        Args:
            cost: of drawing.
            of: the set.
            used: what its samples used.
            price: of its samples, for what is paid by the hour.
            scores: the names of the scores.
            tables: prices of scorers.
        """
        each = cost.each
        for name in dict.fromkeys(scores):
            if name in _FROM_DRAWING:
                continue
            scorer = of.scorers.get(name)
            found = _NO_USAGE if scorer is None else self._scoring(scorer, price, tables)
            if isinstance(found, str):
                self._notes.append(f"{of.label}: scoring not counted: {found.format(name=name)}.")
                continue
            self._notes.append(f"{of.label}: scoring by {name} counts, {amount(found, self._measure)} a sample.")
            each = each + found * used.relative_lengths
        return LinearCost(cost.fixed, each)

    def _scoring(self, scorer: CostedScorer, price: ModelPrice | None, tables: Sequence[PriceTable]) -> float | str:
        """What scoring a sample costs, or why that is not known."""
        used = scorer.usage
        match self._measure:
            case Measure.SECONDS:
                return _NOT_STORED if used.seconds is None else used.seconds
            case Measure.TOKENS:
                return _NOT_STORED if used.tokens is None else used.tokens
            case Measure.FLOPS:
                return self._scoring_flops(scorer)
            case Measure.DOLLARS:
                return self._scoring_dollars(scorer, price, tables)

    def _scoring_flops(self, scorer: CostedScorer) -> float | str:
        used = scorer.usage
        if used.tokens is None or used.context is None:
            return _NOT_STORED
        given = [path for name, path in self._rules.configs.items() if name in scorer.models]
        sizes = [size for name, size in self._rules.parameters.items() if name in scorer.models]
        file = Path(given[0]) if given else scorer.config
        if file is None:
            return "the model of {name} is not known; give its config.json with --config {name}=FILE"
        shape = shape_of(_config(file), str(file), sizes[0] if sizes else None)
        return float(shape.flops(np.array([used.tokens]), np.array([used.context]))[0])

    def _scoring_dollars(
        self, scorer: CostedScorer, price: ModelPrice | None, tables: Sequence[PriceTable]
    ) -> float | str:
        used, listed = scorer.usage, find_price(scorer.models, tables)
        hourly = listed or price
        by_hour = 0.0 if hourly is None or hourly.hour is None else hourly.hour / 3_600 * (used.seconds or 0.0)
        if listed is not None and listed.prompt is not None and listed.completion is not None:
            if used.prompt is None or used.completion is None:
                return _NOT_STORED
            return (listed.prompt * used.prompt + listed.completion * used.completion) / 1e6 + by_hour
        if used.dollars is None and not by_hour:
            return (
                "there is no price for {name}; give one with --prices FILE" if used.prompt is not None else _NOT_STORED
            )
        return (used.dollars or 0.0) + by_hour

    def notes(self) -> list[str]:
        """What was assumed, in whole sentences, once all costs are counted."""
        if self._measure is Measure.SECONDS:
            return [
                "Seconds are those of the wall clock while samples were drawn, on the machines that drew them.",
                *self._notes,
            ]
        formula = ["FLOPs are 2·(parameters + 2·layers·hidden·context) for each token."]
        return [*(formula if self._measure is Measure.FLOPS else []), _HOW_PROMPTS_COUNT[self._prompts], *self._notes]

    def _with_prompts(self, of: CostedResults, used: UsageByProblem) -> UsageByProblem:
        """Tables of answers often have completion tokens only: prompts are then left out, and a note says so."""
        if not of.is_answers or used.prompt is not None:
            return used
        self._notes.append(f"{of.label}: prompt tokens are not in its table, and not counted.")
        nothing = np.zeros(len(used), dtype=np.int64)
        return replace(used, prompt=nothing, shared_prompt=nothing)

    def _dollars(self, of: CostedResults, used: UsageByProblem, price: ModelPrice | None) -> LinearCost:
        if used.dollars is not None:
            self._notes.append(f"{of.label}: dollars as its table has them.")
            return known_dollars(used, of.label)
        if price is None:
            example = f"{{model: {of.models[0]}, prompt: 0.5, completion: 1.5, date: {self._today}}}"
            raise UserError(
                f"prices: there is no price for {of.label} (looked for as {' or '.join(dict.fromkeys(of.models))});"
                f" give --prices FILE with `prices: [{example}]`, or count --in tokens"
            )
        self._notes.append(f"{of.label}: {_price_text(price, batch=self._rules.batch)}.")
        warning = price.age_warning(self._today)
        if warning is not None and warning not in self._notes:
            self._notes.append(warning)
        if used.cached is None and price.cached_read is not None and self._prompts is Prompts.EACH:
            self._notes.append(
                f"{of.label}: how many prompt tokens were cached was not reported; none counts as cached."
            )
        return dollars(used, price, of.label, self._prompts, batch=self._rules.batch)

    def _flops(self, of: CostedResults, used: UsageByProblem) -> LinearCost:
        given = {name: path for name, path in self._rules.configs.items() if name in (of.label, of.name, *of.models)}
        sizes = [size for name, size in self._rules.parameters.items() if name in (of.label, of.name, *of.models)]
        file = Path(next(iter(given.values()))) if given else of.config
        if file is None:
            raise UserError(
                f"cost: the model of {of.label} is not known; give its config.json with --config {of.label}=FILE, or"
                " count --in tokens"
            )
        shape = shape_of(_config(file), str(file), sizes[0] if sizes else None)
        self._notes.append(
            f"{of.label}: {shape.parameters:,} parameters, {shape.layers} layers, hidden size {shape.hidden:,}."
        )
        return flops(used, shape, of.label, self._prompts)


def default_measure(usages: Sequence[UsageByProblem], prices: Sequence[ModelPrice | None], rules: Rules) -> Measure:
    """Dollars where every set has them, or where prices are given, so that one that is missing is told."""
    known = [used.dollars is not None or price is not None for used, price in zip(usages, prices, strict=True)]
    return Measure.DOLLARS if all(known) or rules.prices is not None or rules.batch else Measure.TOKENS


def price_tables(rules: Rules) -> tuple[PriceTable, ...]:
    """The user's table before the bundled one."""
    if rules.prices is None:
        return (bundled_prices(),)
    try:
        text = Path(rules.prices).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UserError(f"--prices {rules.prices}: cannot be read ({reason}); give a YAML file of prices") from error
    return (parse_prices(text, f"--prices {rules.prices}"), bundled_prices())


def _config(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_bytes())
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror}); give the model's config.json") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{file}: is not JSON; give the model's config.json") from error
    if not isinstance(document, dict):
        raise UserError(f"{file}: is not a JSON object; give the model's config.json")
    return document


def _price_text(price: ModelPrice, *, batch: bool) -> str:
    parts = []
    if price.prompt is not None:
        cached = "" if price.cached_read is None else f", ${price.read:g} cached"
        parts.append(f"${price.prompt:g} per million prompt tokens{cached}, ${price.completion:g} of completions")
    if price.hour is not None:
        parts.append(f"${price.hour:g} per hour of drawing")
    if batch and price.batch_discount is not None:
        parts.append(f"{price.batch_discount:.0%} less in batches")
    source = f" ({price.source}, {price.date})" if price.source else f" ({price.date})"
    return ", ".join(parts) + source
