"""The page of a sample: its text, its verdict, what is known of it, and its neighbours."""

import shlex

import pyarrow.compute as pc

from tasks.records import Verdict
from tasks.viewer.library import Found, Library
from tasks.viewer.problem_samples import ProblemSamples
from tasks.viewer.rendering import page, time_of
from tasks.viewer.texts import shown_text


def render(library: Library, found: Found, position: int, index: int, *, whole: bool = False) -> str:
    """The page as HTML; a very long text is cut unless the `whole` is asked for.

    Raises:
        UserError: there is no such sample.
    """
    shown = library.sample(found, position, index)
    problem = library.problem(found, position)
    verdict = None if shown.graded is None else shown.graded.verdict
    sample = shown.sample
    return page(
        "sample.html.j2",
        title=f"{sample.problem_id} · {index}",
        samples=found.samples,
        verdicts=found.verdicts,
        chosen=None if found.verdicts is None else found.verdicts.name,
        problem=problem,
        shown=shown,
        verdict=verdict,
        text=shown_text(sample.text, whole=whole),
        turns=[(each, shown_text(each.content, whole=whole)) for each in sample.turns],
        facts=_facts(found, problem, index),
        command=_command(library, found, sample.problem_id, index),
        previous=index - 1 if index else None,
        following=index + 1 if index + 1 < problem.table.num_rows else None,
        previous_same=_neighbour(problem, index, verdict, forward=False),
        following_same=_neighbour(problem, index, verdict, forward=True),
        other=_other(problem, index, verdict),
    )


def _facts(found: Found, problem: ProblemSamples, index: int) -> list[tuple[str, str]]:
    row = problem.table.filter(pc.equal(problem.table["index"], index)).to_pylist()[0]
    labels = {
        "tokens": "completion tokens",
        "prompt_tokens": "prompt tokens",
        "finish_reason": "finished because of",
        "logprob": "log-probability",
        "cpu_s": "CPU seconds of grading",
        "score": "score",
    }
    facts = [
        (label, f"{row[name]:,.6g}" if isinstance(row[name], float) else str(row[name]))
        for name, label in labels.items()
        if row[name] is not None
    ]
    block = next(
        footer
        for block, footer in found.samples.in_order
        if problem.position in block.positions and index in block.indices
    )
    return [*facts, ("drawn", time_of(block.drawn_at)), ("by", block.engine)]


def _command(library: Library, found: Found, problem_id: str, index: int) -> str:
    words = ["monkeys", "samples", found.samples.name, "--problem", problem_id, "--index", str(index)]
    if found.verdicts is not None:
        words += ["--verdicts", found.verdicts.name]
    return shlex.join([*words, "--store", library.store.url("").rstrip("/")])


def _neighbour(problem: ProblemSamples, index: int, verdict: Verdict | None, *, forward: bool) -> int | None:
    """The next or the previous sample with the same verdict."""
    if verdict is None:
        return None
    same = problem.table.filter(pc.equal(problem.table["verdict"], verdict.value))["index"].to_pylist()
    beyond = [each for each in same if (each > index if forward else each < index)]
    return (beyond[0] if forward else beyond[-1]) if beyond else None


def _other(problem: ProblemSamples, index: int, verdict: Verdict | None) -> int | None:
    """The sample to compare with: the nearest correct one of one that is not, and the other way round."""
    if verdict is None:
        return None
    table = problem.table
    correct = pc.equal(table["verdict"], Verdict.CORRECT.value)
    wanted = table.filter(pc.invert(correct) if verdict is Verdict.CORRECT else correct)["index"].to_pylist()
    return min(wanted, key=lambda each: abs(each - index), default=None)
