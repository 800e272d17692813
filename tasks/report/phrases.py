"""Numbers as text: the same phrases on the page, in Markdown and in the terminal."""

import shlex
import unicodedata
from collections.abc import Callable, Sequence

from tasks.scaling.backtest import LawComparison
from tasks.scaling.forecast import Forecast
from tasks.scaling.laws import Interval, NoFit
from tasks.scaling.summary import Outlook, SweepSummary, percent


def table_percent(summary: SweepSummary) -> Callable[[float], str]:
    """A formatter of percentages with as many decimals for the whole table as its smallest coverage needs."""
    smallest = min((point.coverage for point in summary.table if point.coverage > 0), default=1.0)
    digits = 1 if smallest >= 0.01 else 2 if smallest >= 0.001 else 3
    return lambda share: f"{share:.{digits}%}"


def interval(low: float | None, high: float | None, show: Callable[[float], str]) -> str:
    """`low – high`, or a dash if there is no interval."""
    return "–" if low is None or high is None else f"{show(low)} – {show(high)}"


def number(value: float) -> str:
    """Three decimals, with a true minus sign."""
    return f"{value:.3f}".replace("-", "−")


def parameter(value: float, around: Interval | None) -> str:
    """A parameter with its interval, if there is one."""
    return number(value) if around is None else f"{number(value)} [{number(around.low)}, {number(around.high)}]"


def law_sentence(summary: SweepSummary) -> str:
    """The fitted law, or why there is none."""
    law = summary.law
    if isinstance(law, NoFit):
        return f"No law was fitted: {law.reason}."
    return (
        f"Fitted law: log c = a·k^b with a = {parameter(law.a, law.a_interval)} and "
        f"b = {parameter(law.b, law.b_interval)}."
    )


def forecast_sentence(summary: SweepSummary) -> str | None:
    """Expected coverage at a round k of about ten times the samples drawn; None if there is no forecast."""
    if not summary.forecast:
        return None
    wanted = 10 * summary.forecast[0].k
    point = min(round_points(summary.forecast[1:]), key=lambda candidate: abs(candidate.k - wanted))
    return (
        f"k = {point.k:,} is expected to solve {percent(point.coverage)} of these problems "
        f"(90% interval over samples {percent(point.low90)} to {percent(point.high90)})."
    )


def usage_rows(summary: SweepSummary) -> list[tuple[str, str]]:
    """Label and value for tokens and, if there is a price, dollars; empty if there are no samples."""
    usage = summary.usage
    if usage is None or not usage.samples:
        return []
    rows = []
    for label, tokens in (("completion tokens", usage.tokens), ("prompt tokens", usage.prompt_tokens)):
        each = "" if tokens is None else f" ({tokens / usage.samples:,.1f} per sample)"
        rows.append((label, "not recorded" if tokens is None else f"{tokens:,}{each}"))
    if usage.tokens is not None and summary.solved:
        rows.append(("completion tokens per problem solved", f"{usage.tokens / summary.solved:,.0f}"))
    if usage.price is not None:
        dollars = usage.dollars
        price = f"${usage.price.completion:g} and ${usage.price.prompt:g} per million"
        rows.append(
            (f"cost at {price}", "not known: tokens were not recorded" if dollars is None else _dollars(dollars))
        )
        if dollars is not None and summary.solved:
            rows.append(("cost per problem solved", _dollars(dollars / summary.solved)))
    return rows


def usage_sentence(summary: SweepSummary) -> str:
    """Tokens, and dollars if there is a price, in one line."""
    usage = summary.usage
    if usage is None or usage.tokens is None:
        return "Tokens were not recorded."
    prompts = "" if usage.prompt_tokens is None else f", {usage.prompt_tokens:,} prompt tokens"
    cost = "" if usage.dollars is None else f": {_dollars(usage.dollars)}"
    return f"{usage.tokens:,} completion tokens{prompts}{cost}."


def _dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 1 else f"${value:.2g}"


def backtest_rows(laws: LawComparison) -> list[tuple[str, str, str]]:
    """Law, median and root mean square error of log coverage at held-out k, the best first."""

    def error(value: float | None) -> str:
        return "no fit" if value is None else f"{value:.3f}"

    total = laws.subsamples
    return [
        (
            each.law + (f" (no fit in {each.failed_fits} of {total})" if 0 < each.failed_fits < total else ""),
            error(each.median),
            error(each.rms),
        )
        for each in laws.errors
    ]


def backtest_sentence(laws: LawComparison) -> str:
    """What the backtest's errors measure."""
    return (
        f"Each law is fitted to {laws.fitted:,} random samples per problem and compared with "
        f"coverage measured at k up to {laws.held_out:,}: absolute error of log c."
    )


def round_points(points: Sequence[Forecast]) -> list[Forecast]:
    """The points whose k is 1, 2 or 5 times a power of ten."""
    return [point for point in points if str(point.k).rstrip("0") in ("1", "2", "5")]


def outlook_rows(outlook: Outlook, drawn: int) -> list[tuple[str, str]]:
    """Label and value for each line of an outlook; `drawn` is the k that it starts from."""
    rows = [
        (f"coverage gained by {outlook.more:,} more samples", f"+{100 * outlook.gain:.1f} pp"),
        (f"further problems solved by k = {outlook.tenfold:,}, expected", f"{outlook.expected_solves:.1f}"),
    ]
    for needed in outlook.needed:
        far = needed.k is None or needed.k > 1000 * drawn
        rows.append(
            (
                f"k for {needed.coverage:.0%} coverage",
                "beyond the forecast range" if far else f"about {_rounded(needed.k)}",
            )
        )
    return rows


def _rounded(k: int | None) -> str:
    """k to two significant figures, which is all that a forecast of it is good for."""
    return f"{int(float(f'{k:.1e}')):,}" if k else "–"


def view_command(
    store: str, samples: str, verdicts: str, *, problem: str | None = None, index: int | None = None
) -> str:
    """The command that opens the page of a set, a problem or a sample in a browser."""
    words = ["monkeys", "view", store, "--set", samples, "--verdicts", verdicts]
    words += [] if problem is None else ["--problem", problem]
    words += [] if index is None else ["--index", str(index)]
    return shlex.join(words)


def visible(text: str) -> str:
    """Text whose hidden characters (control, direction-changing, private, unpaired surrogates) are shown as code
    points."""
    if text.isprintable():
        return text
    return "".join(
        character
        if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co")
        else f"‹U+{ord(character):04X}›"
        for character in text.replace("\r\n", "\n")
    )
