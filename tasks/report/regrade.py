"""What changed by regrading, as Markdown: verdicts before and after, and the problems on which they differ."""

from collections.abc import Mapping

from tasks.records import Verdict
from tasks.report.sweep.markdown import escape
from tasks.store.inspect.regrade_diff import Difference

MAX_PROBLEMS = 50


def regraded(after: str, counts: Mapping[str, int], before: str | None, apart: Difference | None) -> str:
    """The new verdicts by count, and against those of `before` where there are some to compare with."""
    lines = [f"# {escape(after)}", "", *_counts(counts)]
    if before is not None and apart is not None:
        changed = (
            f"**{apart.changed:,} of {apart.samples:,} samples have another verdict than under {escape(before)}.**"
        )
        lines += ["", changed, ""]
        if apart.changed:
            lines += [*_verdicts(apart), "", *_problems(apart)]
    return "\n".join(lines) + "\n"


def _counts(counts: Mapping[str, int]) -> list[str]:
    return ["| verdict | samples |", "|:--|--:|"] + [
        f"| {name} | {count:,} |" for name, count in sorted(counts.items())
    ]


def _verdicts(apart: Difference) -> list[str]:
    seen = {verdict for pair in apart.verdicts for verdict in pair}
    names = [verdict.value for verdict in Verdict if verdict in seen]
    rows = [
        f"| {before} | " + " | ".join(f"{apart.verdicts.get((before, after), 0):,}" for after in names) + " |"
        for before in names
    ]
    return [f"| before ↓ after → | {' | '.join(names)} |", "|:--|" + "--:|" * len(names), *rows]


def _problems(apart: Difference) -> list[str]:
    changed = sorted((each for each in apart.problems if each.changed), key=lambda each: -each.changed)
    rows = [
        f"| {escape(each.problem_id)} | {each.samples:,} | {each.correct_before:,} | {each.correct_after:,} |"
        f" {each.changed:,} |"
        for each in changed[:MAX_PROBLEMS]
    ]
    left = len(changed) - len(rows)
    head = ["| problem | samples | correct before | correct after | changed |", "|:--|--:|--:|--:|--:|"]
    return head + rows + (["", f"and {left:,} problems more"] if left > 0 else [])
