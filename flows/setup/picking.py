"""What selectors pick from, read from files or a store, and from names to selectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from flows.config.pick import ChosenEquality, ChosenSelector
from flows.config.yaml_file import build_config
from tasks.errors import UserError
from tasks.files.answers import LOGPROB_MEAN, AnsweredProblem, completed, ranked_last_note, read_answers
from tasks.graders import Grader
from tasks.importers.inspect_answers import is_log, read_logged_answers
from tasks.report.picking.outcomes import Prepared, in_classes
from tasks.selection import Selector
from tasks.store.inspect.answers import stored_answers
from tasks.store.inspect.catalog import find
from tasks.store.inspect.opening import open_store


def from_store(url: str, name: str, verdicts: str | None, grader: str | None) -> Prepared:
    """The graded samples of a stored set; answers are equal as its grader says, unless another is named.

    Raises:
        UserError: the set is not there, is not graded, or cannot be read; there is no grader of this name.
    """
    with open_store(url) as store:
        found = find(store, name)
        graded = found.graded_by(verdicts)
        if graded is None:
            raise UserError(f"{found.name} is not graded yet; run its sweep, or `monkeys regrade`")
        stored = stored_answers(store, found, graded)
    notes = list(stored.notes)
    if grader is None:
        grader = str(graded.ingredients["grader"])
        try:
            _equality(grader)
        except UserError:
            notes.append(f"The grader {grader} is not available here: answers are the same if their texts are.")
            grader = None
    read = prepared(stored.problems, grader)
    return read._replace(notes=(*notes, *read.notes))


def from_files(
    paths: Sequence[Path],
    verdict: str | None,
    grader: str | None,
    score_files: Sequence[Path] = (),
    score_names: Sequence[str] = (),
) -> Prepared:
    """The answers in tables, or in inspect_ai logs; `verdict` is the scorer of the logs that says what is correct.

    Raises:
        UserError: a file cannot be read or is malformed, tables and logs are mixed, `verdict` is given for tables, or
            there is no grader of this name.
    """
    logs = [is_log(path) for path in paths]
    if not any(logs):
        if verdict is not None:
            raise UserError("--verdict: names a scorer of inspect_ai logs, but the files are tables of answers")
        answered = read_answers(paths, score_files, score_names)
        read = prepared(answered, grader)
        ranked = sum(len(each.without_tokens) for each in answered if LOGPROB_MEAN in each.scores)
        return read._replace(notes=(*([ranked_last_note(ranked)] if ranked else []), *read.notes))
    if not all(logs):
        log, table = paths[logs.index(True)], paths[logs.index(False)]
        raise UserError(f"{table}: is not an inspect_ai log, as {log} is; give logs or tables")
    logged = read_logged_answers(paths, verdict, () if score_files else score_names)
    if not logged.problems:
        raise UserError(f"{', '.join(map(str, paths))}: no sample has a verdict")
    read = prepared(completed(logged.problems, score_files, score_names), grader)
    return read._replace(notes=(*logged.notes, *read.notes))


def prepared(problems: Sequence[AnsweredProblem], grader: str | None) -> Prepared:
    """As `in_classes`, with the grader of this name.

    Raises:
        UserError: there is no grader of this name.
    """
    return in_classes(problems, None if grader is None else _equality(grader))


def selector(text: str) -> Selector:
    """The selector that a person names: `majority`, or `{name: best_of, score: reward}`.

    Raises:
        UserError: there is none of this name, or a field is wrong.
    """
    return build_config(ChosenSelector, {"selector": _yaml("--by", text)}, where=f"--by {text}").selector


def _equality(text: str) -> Grader:
    return build_config(ChosenEquality, {"grader": _yaml("--grader", text)}, where=f"--grader {text}").grader


def _yaml(option: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"{option} {text}: broken YAML ({' '.join(str(error).split())})") from error
