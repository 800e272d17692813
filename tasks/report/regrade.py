"""What regrading changed, as Markdown: verdicts before and after, and the problems on which they differ."""

from collections.abc import Mapping

from tasks.records import Verdict
from tasks.report.sweep.markdown import escape
from tasks.store.inspect.regrade_diff import Difference

MAX_PROBLEMS = 50


def regraded(after: str, counts: Mapping[str, int], before: str | None, difference: Difference | None) -> str:
    """The counts of the new verdicts, and how they differ from those of the set `before`, if there is one."""
    lines = [f"# {escape(after)}", "", *_counts(counts)]
    if before is not None and difference is not None:
        changed = (
            f"**{difference.changed:,} of {difference.samples:,} samples have another verdict than in"
            f" {escape(before)}.**"
        )
        lines += ["", changed, ""]
        if difference.changed:
            lines += [*_verdicts(difference), "", *_problems(difference)]
    return "\n".join(lines) + "\n"


def _counts(counts: Mapping[str, int]) -> list[str]:
    return ["| verdict | samples |", "|:--|--:|"] + [
        f"| {name} | {count:,} |" for name, count in sorted(counts.items())
    ]


def _verdicts(difference: Difference) -> list[str]:
    seen = {verdict for pair in difference.verdicts for verdict in pair}
    names = [verdict.value for verdict in Verdict if verdict in seen]
    rows = [
        f"| {before} | " + " | ".join(f"{difference.verdicts.get((before, after), 0):,}" for after in names) + " |"
        for before in names
    ]
    return [f"| before ↓ after → | {' | '.join(names)} |", "|:--|" + "--:|" * len(names), *rows]


def _problems(difference: Difference) -> list[str]:
    changed = sorted((each for each in difference.problems if each.changed), key=lambda each: -each.changed)
    rows = [
        f"| {escape(each.problem_id)} | {each.samples:,} | {each.correct_before:,} | {each.correct_after:,} |"
        f" {each.changed:,} |"
        for each in changed[:MAX_PROBLEMS]
    ]
    left = len(changed) - len(rows)
    head = ["| problem | samples | correct before | correct after | changed |", "|:--|--:|--:|--:|--:|"]
    return head + rows + (["", f"and {left:,} more problems"] if left > 0 else [])
