"""A comparison by cost in words, the same in the terminal, on the page and in Markdown."""

from itertools import groupby

from tasks.costs.comparison import CostComparison
from tasks.costs.curves import Option
from tasks.costs.measures import Measure
from tasks.costs.overtaking import CostCrossing, Match
from tasks.costs.spending import Best, Reach
from tasks.report.comparison.phrases import with_chance
from tasks.scaling.summary import percent

# From here on, seconds are shown as hours.
_HOURS = 2 * 3_600
_LEAST_LEAD = 1.01
# By how much a mixture must solve more than any one set to be reported.
_VISIBLE_GAIN = 0.005
_PREFIXES = (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3))


def amount(cost: float | None, measure: Measure) -> str:
    """A cost to three digits with its unit, such as $10.8, 3.1 PFLOP, 25,300 tokens or 90 s; a dash for None."""
    if cost is None:
        return "–"
    if measure is Measure.DOLLARS:
        return f"${cost:,.2f}" if cost >= 1 or cost == 0 else f"${cost:.3g}"
    if measure is Measure.FLOPS:
        prefix, size = next((each for each in _PREFIXES if cost >= each[1]), ("", 1.0))
        return f"{_digits(cost / size)} {prefix}FLOP"
    if measure is Measure.TOKENS:
        return f"{_digits(cost)} tokens"
    return f"{_digits(cost / 3_600)} h" if cost >= _HOURS else f"{_digits(cost)} s"


def option_text(option: Option) -> str:
    """What is drawn, such as `5 samples of A` or `3 samples of A and 1 of B`."""
    (label, k), *others = option.parts
    return " and ".join([f"{k:,} sample{'s' * (k != 1)} of {label}", *(f"{k:,} of {label}" for label, k in others)])


def headline(of: CostComparison) -> str:
    """Which set solves most, and from which cost on."""
    sentence = _headline(of)
    return sentence if of.delivered_by is None else f"Delivered by {of.delivered_by}: {sentence}"


def solved_label(of: CostComparison) -> str:
    """What the accuracy of a set is: problems solved, or right answers."""
    return "problems solved" if of.delivered_by is None else f"right answers by {of.delivered_by}"


def _headline(of: CostComparison) -> str:
    if not of.frontier:
        return "No set solves a problem."
    leaders, starts = _leaders(of)
    if len(of.sets) == 1:
        last = of.frontier[-1].option
        solve = f"{option_text(last)} {_verb(last, 'solve')} {percent(last.accuracy)} of {_problems(of)}"
        return f"{solve} for {amount(last.cost, of.measure)}."
    if len(leaders) == 1:
        return f"{leaders[0]} solves most at every cost from {amount(starts[0], of.measure)}."
    below = f"at lower costs, {leaders[0]} does" if len(leaders) == 2 else "at lower costs, it depends on the cost"
    # The same number as in the sentence on the crossing: the frontier has only whole numbers of samples.
    overtakes = [each.cost for each in of.crossings if (each.label, each.other) == (leaders[-1], leaders[-2])]
    start = max(overtakes, default=starts[-1])
    return f"{leaders[-1]} solves most from {amount(start, of.measure)} on; {below}."


def _leaders(of: CostComparison) -> tuple[list[str], list[float]]:
    """The sets that solve most as the cost rises, and the cost from which each does. One that does so over less than
    1 % of the cost is left out, as where a sample of it is just a little cheaper."""
    runs = [
        (label, [point.option.cost for point in points])
        for label, points in groupby(of.frontier, lambda point: point.option.parts[0].label)
    ]
    ends = [*(costs[0] for _, costs in runs[1:]), float("inf")]
    long = [(label, costs[0]) for (label, costs), end in zip(runs, ends, strict=True) if end > _LEAST_LEAD * costs[0]]
    merged = [next(run) for _, run in groupby(long, lambda each: each[0])]
    return [label for label, _ in merged], [start for _, start in merged]


def findings(of: CostComparison) -> list[str]:
    """Everything that was asked or found, in sentences."""
    found = []
    if of.reach is not None:
        found += _reach(of.reach, of.measure)
    if of.budget is not None:
        found += _budget(of.budget, of.measure)
    found += _mixture(of)
    found += [match_sentence(each, of.measure) for each in _cheapest_matches(of)]
    found += [crossing_sentence(each, of.measure) for each in of.crossings]
    return found


def _cheapest_matches(of: CostComparison) -> list[Match]:
    """The cheapest match of each set."""
    cheapest: dict[str, Match] = {}
    for match in of.matches:
        label = match.other.parts[0].label
        if label not in cheapest or match.ratio < cheapest[label].ratio:
            cheapest[label] = match
    return list(cheapest.values())


def match_sentence(match: Match, measure: Measure) -> str:
    """How cheaply one set matches another's fewest samples."""
    around = "" if match.low is None or match.high is None else f" [{_ratio(match.low)}, {_ratio(match.high)}]"
    return (
        f"{option_text(match.option)} {_verb(match.option, 'match')} {option_text(match.other)}"
        f" ({percent(match.other.accuracy)}) at {_ratio(match.ratio)}{around} times the cost:"
        f" {amount(match.option.cost, measure)} instead of {amount(match.other.cost, measure)}."
    )


def crossing_sentence(crossing: CostCrossing, measure: Measure) -> str:
    """Where one set overtakes another, and in how many resamples it does."""
    where = f"{crossing.label} overtakes {crossing.other} at {amount(crossing.cost, measure)}"
    return with_chance(where, f"{amount(crossing.low, measure)} to {amount(crossing.high, measure)}", crossing.share)


def _reach(reach: Reach, measure: Measure) -> list[str]:
    share, found = percent(reach.accuracy), []
    if reach.option is None:
        found.append(f"No set reaches {share} with the samples that were drawn.")
    else:
        around = ""
        if reach.low is not None:
            end = "beyond the samples" if reach.high is None else amount(reach.high, measure)
            around = f" (interval {amount(reach.low, measure)} to {end})"
        found.append(
            f"The cheapest way to {share} is {option_text(reach.option)}, for"
            f" {amount(reach.option.cost, measure)}{around}."
        )
    if reach.mixture is not None:
        less = "" if reach.option is None else "Less is enough for a mixture: "
        mixed = f"{option_text(reach.mixture)} per problem, for {amount(reach.mixture.cost, measure)}"
        found.append(f"{less or f'A mixture reaches {share}: '}{mixed}.")
    return found


def _budget(best: Best, measure: Measure) -> list[str]:
    spent = amount(best.budget, measure)
    if best.option is None:
        return [f"{spent} is less than one sample per problem costs in any set."]
    around = "" if best.low is None or best.high is None else f" (interval {percent(best.low)} to {percent(best.high)})"
    found = [
        f"The best use of {spent} is {option_text(best.option)}, solving {percent(best.option.accuracy)}{around} for"
        f" {amount(best.option.cost, measure)}."
    ]
    if best.mixture is not None and (best.gain is None or best.gain.difference >= _VISIBLE_GAIN):
        more = ""
        if best.gain is not None:
            low, high = (f"{100 * end:+.1f}".replace("-", "−") for end in (best.gain.low, best.gain.high))
            more = f", {100 * best.gain.difference:.1f} points more (interval {low} to {high})"
        found.append(
            f"A mixture solves more: {option_text(best.mixture)} per problem, solving"
            f" {percent(best.mixture.accuracy)} for {amount(best.mixture.cost, measure)}{more}."
        )
    return found


def _mixture(of: CostComparison) -> list[str]:
    """The mixture that solves the most more than any one set at its cost, where that shows."""
    best = max(of.mixed, key=lambda each: each.option.accuracy - each.alone, default=None)
    if best is None or best.option.accuracy - best.alone < _VISIBLE_GAIN:
        return []
    ends = "" if best.low is None or best.high is None else f" (interval {percent(best.low)} to {percent(best.high)})"
    return [
        f"A mixture gains most at {amount(best.option.cost, of.measure)}: {option_text(best.option)} per problem solve"
        f" {percent(best.option.accuracy)}{ends}, {100 * (best.option.accuracy - best.alone):.1f} points more than any"
        " one set at this cost."
    ]


def cost_label(of: CostComparison) -> str:
    """The title of the axis of costs."""
    names = {
        Measure.DOLLARS: "dollars",
        Measure.FLOPS: "FLOPs",
        Measure.TOKENS: "tokens",
        Measure.SECONDS: "seconds of drawing",
    }
    return f"{names[of.measure]} for {_problems(of)}"


def _problems(of: CostComparison) -> str:
    return f"all {of.problems:,} problems" if of.problems > 1 else "the one problem"


def _verb(option: Option, verb: str) -> str:
    """A verb that agrees with `option_text`."""
    if len(option.parts) > 1 or option.parts[0].k != 1:
        return verb
    return f"{verb}es" if verb.endswith("ch") else f"{verb}s"


def _ratio(ratio: float) -> str:
    return f"{ratio:.2g}" if ratio < 10 else f"{ratio:,.0f}"


def _digits(value: float) -> str:
    """A number to three digits, whole from 1,000 on."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
