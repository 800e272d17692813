"""The output of `monkeys samples` and `monkeys export`: samples with their verdicts."""

import json
from itertools import islice
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.text import Text

from flows.command_line.terminal import literal, stdout
from tasks.errors import UserError
from tasks.records import Verdict
from tasks.report.documents import sample_document
from tasks.report.phrases import visible
from tasks.store.inspect.catalog import find
from tasks.store.inspect.export import export
from tasks.store.inspect.opening import open_store
from tasks.store.inspect.query import ScoredRow, annotated_blocks, select_scored


def print_samples(
    url: str,
    name: str,
    *,
    verdicts: str | None,
    scores: str | None,
    problem: str | None,
    verdict: str | None,
    index: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """`monkeys samples`."""
    wanted = None if verdict is None else _verdict(verdict)
    console = stdout()
    shown = 0
    with open_store(url) as store:
        found = find(store, name)
        graded = found.graded_by(verdicts)
        if wanted is not None and graded is None:
            raise UserError(f"--verdict {verdict}: {found.name} is not graded yet; run its sweep, or `monkeys regrade`")
        rows = select_scored(
            store, found, graded, found.scored_by(scores), problem=problem, verdict=wanted, index=index
        )
        for row in islice(rows, limit):
            shown += 1
            if as_json:
                console.file.write(json.dumps(sample_document(row), ensure_ascii=False) + "\n")
            else:
                console.print(_heading(row), soft_wrap=True)
                console.print(Text(visible(row.sample.text)), soft_wrap=True)
                console.print()
    if not as_json:
        more = f"{shown} shown; raise --limit to see more" if shown == limit else ""
        console.print(more if shown else "no matching samples")


def export_set(url: str, name: str, output: Path, *, verdicts: str | None, scores: str | None) -> None:
    """`monkeys export`."""
    with open_store(url) as store:
        found = find(store, name)
        graded, scored = found.graded_by(verdicts), found.scored_by(scores)
        blocks = track(
            annotated_blocks(store, found, graded, scored),
            "exporting",
            total=len(found.objects.footers),
            console=Console(stderr=True),
            transient=True,
            disable=not Console(stderr=True).is_terminal,
        )
        written = export(blocks, output)
    which = "no verdicts" if graded is None else f"the verdicts of {graded.name}"
    if scored is not None:
        which += f" and the scores of {scored.name}"
    stdout().print(literal(f"wrote {written:,} samples with {which} to {output}"), soft_wrap=True)


def _heading(row: ScoredRow) -> Text:
    sample, graded, scored = row
    parts = [f"{sample.problem_id} · sample {sample.index}"]
    if graded is None:
        parts.append("not graded")
    else:
        parts.append(f"{graded.verdict}: {graded.detail}" if graded.detail else graded.verdict.value)
    if scored is not None:
        detail = f" ({scored.detail})" if scored.detail else ""
        parts.append(f"no score: {scored.detail}" if scored.score is None else f"score {scored.score:.6g}{detail}")
    if sample.tokens is not None:
        parts.append(f"{sample.tokens} tokens")
    if sample.finish_reason is not None:
        parts.append(sample.finish_reason)
    return Text(visible(" · ".join(" ".join(part.split()) for part in parts)), style="bold")


def _verdict(name: str) -> Verdict:
    try:
        return Verdict(name)
    except ValueError as error:
        raise UserError(f"--verdict: unknown verdict {name!r} (choose from {', '.join(Verdict)})") from error
