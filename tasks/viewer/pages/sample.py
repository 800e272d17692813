"""The page of a sample: its text, its verdict, what is known of it, and its neighbours."""

import shlex
from urllib.parse import parse_qsl

import pyarrow.compute as pc

from tasks.errors import UserError
from tasks.records import Verdict
from tasks.store.inspect.query import only_with
from tasks.store.notes import Label, Note, delete_note, read_note, write_note
from tasks.store.schema import CorruptObjectError
from tasks.store.sets import now
from tasks.viewer.library import Found, Library
from tasks.viewer.problem_samples import ProblemSamples
from tasks.viewer.rendering import page, time_of
from tasks.viewer.texts import shown_texts


def render(library: Library, found: Found, position: int, index: int, *, whole: bool = False) -> str:
    """The page as HTML; a very long text is cut unless the `whole` is asked for.

    Raises:
        UserError: there is no such sample.
    """
    shown = library.sample(found, position, index)
    problem = library.problem(found, position)
    verdict = None if shown.graded is None else shown.graded.verdict
    sample = shown.sample
    note, fault = _note(library, found, position, index)
    text, *turns = shown_texts([sample.text, *(each.content for each in sample.turns)], whole=whole)
    return page(
        "sample.html.j2",
        title=f"{sample.problem_id} · {index}",
        samples=found.samples,
        chosen=found.chosen,
        problem=problem,
        shown=shown,
        verdict=verdict,
        text=text,
        turns=list(zip(sample.turns, turns, strict=True)),
        facts=_facts(found, problem, index),
        command=_command(library, found, sample.problem_id, index),
        previous=_neighbour(problem, index, forward=False),
        following=_neighbour(problem, index, forward=True),
        previous_same=_neighbour(problem, index, forward=False, verdict=verdict) if verdict else None,
        following_same=_neighbour(problem, index, forward=True, verdict=verdict) if verdict else None,
        other=_other(problem, index, verdict),
        note=note,
        other_text=note is not None and note.sample != sample.text,
        note_fault=fault,
        labels=list(Label),
    )


def write(library: Library, found: Found, position: int, index: int, form: bytes) -> None:
    """Write the note that a form of the page has, or remove it where it has no label.

    Raises:
        UserError: there is no such sample, or the form is not one of the page.
    """
    try:
        fields = dict(parse_qsl(form.decode(), keep_blank_values=True, max_num_fields=8, errors="strict"))
        label = Label(fields["label"]) if fields.get("label") else None
    except (ValueError, KeyError) as error:
        raise UserError("the form of a note has a label, one of right, wrong and unsure, and a remark") from error
    sample = library.sample(found, position, index).sample
    if label is None:
        delete_note(library.store, found.samples.name, position, index)
        return
    remark = fields.get("remark", "").replace("\r\n", "\n")
    note = Note(sample.problem_id, position, index, label, remark, sample.text, now())
    write_note(library.store, found.samples.name, note)


def _note(library: Library, found: Found, position: int, index: int) -> tuple[Note | None, str]:
    """The note on a sample, and what is wrong with it."""
    try:
        return read_note(library.store, found.samples.name, position, index), ""
    except CorruptObjectError as error:
        return None, str(error)


def _facts(found: Found, problem: ProblemSamples, index: int) -> list[tuple[str, str]]:
    row = problem.table.filter(pc.equal(problem.table["index"], index)).to_pylist()[0]
    labels = {
        "tokens": "completion tokens",
        "prompt_tokens": "prompt tokens",
        "finish_reason": "finish reason",
        "logprob": "log-probability",
        "cpu_s": "CPU seconds of grading",
        "score": "score",
    }
    facts = [
        (label, f"{row[name]:,.6g}" if isinstance(row[name], float) else str(row[name]))
        for name, label in labels.items()
        if row[name] is not None
    ]
    _, footer = only_with(found.samples, problem.position, index).in_order[0]
    return [*facts, ("drawn", time_of(footer.drawn_at)), ("by", footer.engine)]


def _command(library: Library, found: Found, problem_id: str, index: int) -> str:
    words = ["monkeys", "samples", found.samples.name, "--problem", problem_id, "--index", str(index)]
    if found.chosen is not None:
        words += ["--verdicts", found.chosen]
    return shlex.join([*words, "--store", library.store.url("").rstrip("/")])


def _neighbour(problem: ProblemSamples, index: int, *, forward: bool, verdict: Verdict | None = None) -> int | None:
    """The next or the previous sample that is stored, or of those with a verdict."""
    table = problem.table
    if verdict is not None:
        table = table.filter(pc.equal(table["verdict"], verdict.value))
    indices = table["index"]
    if forward:
        return pc.min(indices.filter(pc.greater(indices, index))).as_py()  # type: ignore[no-any-return]
    return pc.max(indices.filter(pc.less(indices, index))).as_py()  # type: ignore[no-any-return]


def _other(problem: ProblemSamples, index: int, verdict: Verdict | None) -> int | None:
    """The sample to compare with: the nearest correct one of one that is not, and the other way round."""
    if verdict is None:
        return None
    table = problem.table
    correct = pc.equal(table["verdict"], Verdict.CORRECT.value)
    wanted = table.filter(pc.invert(correct) if verdict is Verdict.CORRECT else correct)["index"].to_pylist()
    return min(wanted, key=lambda each: abs(each - index), default=None)
