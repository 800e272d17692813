"""The ids that problems have in this project's datasets, where other tools use a number or another name."""

_BY_ROW = {"gsm8k": "gsm8k/{:04d}", "math": "math/{:04d}", "mbpp": "MBPP/{}"}


def by_row(task: str | None, row: str | int) -> str:
    """The id of a dataset's row (for MBPP, of a task id), where ids follow from rows; else the row as text."""
    number = as_number(row)
    if task not in _BY_ROW or number is None:
        return str(row)
    return _BY_ROW[task].format(number)


def by_task_id(task_id: str) -> str:
    """The id of a problem that evalplus names differently; else the id unchanged."""
    return task_id.replace("Mbpp/", "MBPP/", 1) if task_id.startswith("Mbpp/") else task_id


# MATH's test problems by subject, in the order of the hub's copy and of `tasks.datasets.math`.
_MATH_SUBJECTS = {
    "algebra": 1187,
    "counting_and_probability": 474,
    "geometry": 479,
    "intermediate_algebra": 903,
    "number_theory": 540,
    "prealgebra": 871,
    "precalculus": 546,
}


def row_of_subject(subject: str, row: int) -> int | None:
    """The row in all of MATH of a subject's row; None if there is no such subject, or it has fewer rows."""
    if row >= _MATH_SUBJECTS.get(subject, 0):
        return None
    subjects = list(_MATH_SUBJECTS)
    return sum(_MATH_SUBJECTS[each] for each in subjects[: subjects.index(subject)]) + row


def by_template(template: str, source_id: str | int, row: int | None) -> str:
    """An id from a template, such as `gsm8k/{row:04d}`. `id` is the tool's id of the problem, `row` the
    problem's row in the dataset, from 0; None where it is not known.

    Raises:
        ValueError, KeyError, IndexError, AttributeError: the template does not fit the id.
    """
    number = source_id if isinstance(source_id, int) or ":" not in template else as_number(source_id)
    return template.format(id=source_id if number is None else number, **({} if row is None else {"row": row}))


def as_number(source_id: str | int) -> int | None:
    """An id as a number; None if it is not one."""
    if isinstance(source_id, int):
        return source_id
    return int(source_id) if source_id.isascii() and source_id.isdigit() else None
