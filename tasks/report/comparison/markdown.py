"""A comparison as Markdown."""

from tasks.costs.comparison import CostComparison
from tasks.report.comparison.phrases import chance, findings, is_clear, points, span
from tasks.report.cost.phrases import findings as cost_findings
from tasks.report.cost.phrases import headline as cost_headline
from tasks.report.sweep.markdown import escape
from tasks.scaling.comparison import Comparison


def markdown(
    comparison: Comparison, costs: CostComparison | str = "", delivered_costs: CostComparison | str = ""
) -> str:
    """The headline, the coverage of every set at round values of k, the differences and the findings, also those
    about costs, and about those of what is delivered."""
    names = [escape(each.label) for each in comparison.sets]
    lines = [f"**{escape(comparison.headline)}**", "", f"| k | {' | '.join(names)} |", "|--:|" + "--:|" * len(names)]
    at = [{point.k: f"{point.coverage:.1%}" for point in each.summary.table} for each in comparison.sets]
    lines += [f"| {k:,} | {' | '.join(of_set.get(k, '–') for of_set in at)} |" for k in sorted(set().union(*at))]
    for pair in comparison.pairs:
        lines += ["", f"| k | {escape(pair.label)} − {names[0]} | interval | p |", "|--:|--:|:-:|--:|"]
        for each in pair.differences:
            gap = f"**{points(each.difference)}**" if is_clear(each) else points(each.difference)
            lines.append(f"| {each.k:,} | {gap} | {span(each)} | {chance(each.p)} |")
    lines.append("")
    lines += [f"- {escape(each)}" for each in (*findings(comparison), *comparison.notes)]
    for by_cost in (each for each in (costs, delivered_costs) if not isinstance(each, str)):
        lines += ["", f"**{escape(cost_headline(by_cost))}**", ""]
        lines += [f"- {escape(each)}" for each in (*cost_findings(by_cost), *by_cost.notes)]
    return "\n".join(lines).rstrip() + "\n"
