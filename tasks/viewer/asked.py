"""What a problem asks, as its page shows it: the statement, the prompt, and what decides if a sample is correct."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tasks.errors import UserError
from tasks.store.problems import StoredProblem
from tasks.viewer.texts import ShownText, shown_texts

_LABELS = {
    "answer": "Gold answer",
    "entry_point": "Function",
    "code": "Test",
    "system": "System",
    "header": "Header",
    "name": "Theorem",
    "statement": "Statement to prove",
    "repository": "Repository",
    "base_commit": "Base commit",
    "fail_to_pass": "Tests that have to pass",
    "pass_to_pass": "Tests that still have to pass",
    "test_patch": "Patch with the tests",
}
_MAX_TESTS = 20


class ShownPart(NamedTuple):
    """A part of a check: what it is, and its text."""

    label: str
    text: ShownText


class Asked(NamedTuple):
    """What a problem asks. `prompt` is None where none was sent, or the statement is all of it. `note` says what is
    missing, in one sentence."""

    question: ShownText | None
    prompt: ShownText | None
    check: list[ShownPart]
    note: str = ""


def asked(problem: StoredProblem | UserError | None, *, corrected: bool = False, whole: bool = False) -> Asked:
    """A stored problem as a page shows it; long texts are cut unless the `whole` is asked for. `corrected` says that
    its verdicts rest on corrections of what the dataset publishes."""
    if problem is None:
        return Asked(None, None, [], "The problems of this set were not stored; running its sweep again stores them.")
    if isinstance(problem, UserError):
        return Asked(None, None, [], f"The problems of this set cannot be read: {problem}.")
    parts = list(_parts(problem.check or {}))
    prompt = None if problem.prompt == problem.question else problem.prompt
    texts = [problem.question, *(text for _, text in parts), *([] if prompt is None else [prompt])]
    shown = shown_texts(texts, whole=whole)
    sizes = [f"{name}: {size:,} in all" for name, size in (problem.shortened or {}).items()]
    notes = []
    if sizes:
        notes.append(f"What decides is shortened here ({'; '.join(sizes)}).")
    if corrected:
        notes.append("These verdicts were given with corrected gold answers, which are not shown here.")
    labels = [label for label, _ in parts]
    return Asked(
        shown[0],
        None if prompt is None else shown[-1],
        [ShownPart(*each) for each in zip(labels, shown[1 : 1 + len(parts)], strict=True)],
        " ".join(notes),
    )


def _parts(check: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The parts of a check as texts; of a kind that is not known here, all of its fields."""
    for name, value in check.items():
        if name == "kind":
            continue
        if name == "tests" and isinstance(value, list):
            yield from _tests(value)
        else:
            yield _LABELS.get(name, name.replace("_", " ").capitalize()), _text(value)


def _tests(tests: list[Any]) -> Iterator[tuple[str, str]]:
    for number, test in enumerate(tests[:_MAX_TESTS], 1):
        fields = test.items() if isinstance(test, Mapping) else [("", test)]
        for name, value in fields:
            yield f"Test {number} {name}".strip(), _text(value)
    if len(tests) > _MAX_TESTS:
        yield "More tests", f"{len(tests) - _MAX_TESTS:,} more are stored."


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(map(_text, value))
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_text(each)}" for name, each in value.items())
    return "" if value is None else str(value)
