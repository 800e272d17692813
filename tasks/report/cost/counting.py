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
from tasks.costs.prices import ModelPrice, PriceTable, bundled_prices, parse_prices
from tasks.costs.usage import UsageByProblem
from tasks.errors import UserError
from tasks.scaling.estimators import Counts

_HOW_PROMPTS_COUNT = {
    Prompts.EACH: "A prompt counts for every sample drawn from it; a server that bills one prompt for a request of"
    " several samples bills less.",
    Prompts.ONCE: "A prompt counts once for all samples of its problem.",
    Prompts.CACHED: "The first sample of a problem writes its prompt to the cache; the others read it there.",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """How costs are counted. `configs` and `parameters` are of the models of the sets, by label or name of the set."""

    measure: Measure | None = None
    prompts: Prompts | None = None
    batch: bool = False
    prices: str | None = None
    configs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, int] = field(default_factory=dict)


class CostedResults(NamedTuple):
    """A set: its short and its full name, the names that its price may be listed under, its counts, what reads the
    usage of some of its problems, its own price, and the config.json of its model, if they are known, whether it is
    a table of counts or of answers rather than stored, and the seconds of scoring a sample by each of its scorers."""

    label: str
    name: str
    models: tuple[str, ...]
    counts: Counts
    usage: Callable[[Sequence[str]], UsageByProblem]
    price: ModelPrice | None
    config: Path | None
    is_table: bool = False
    is_answers: bool = False
    scoring_s: Mapping[str, float] = MappingProxyType({})


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
