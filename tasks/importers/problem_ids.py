"""The ids in this project's datasets of problems that other tools know by a number or another name."""

_BY_ROW = {"gsm8k": "gsm8k/{:04d}", "math": "math/{:04d}", "mbpp": "MBPP/{}"}


def by_row(task: str | None, row: str | int) -> str:
    """The id of a dataset's row (of MBPP, its task id), where the ids follow from it; else the row as it is."""
    number = int(row) if isinstance(row, int) or (row.isascii() and row.isdigit()) else None
    if task not in _BY_ROW or number is None:
        return str(row)
    return _BY_ROW[task].format(number)


def by_task_id(task_id: str) -> str:
    """The id of a problem that evalplus knows by another name; else the id as it is."""
    return task_id.replace("Mbpp/", "MBPP/", 1) if task_id.startswith("Mbpp/") else task_id


def by_template(template: str, source_id: str | int, first: int) -> str:
    """An id in a form that a person gives, such as `gsm8k/{row:04d}`: `id` is what the tool calls the problem, `row`
    the same counted from 0, where the tool calls its first problem `first`.

    Raises:
        ValueError, KeyError, IndexError: the form does not suit the id.
    """
    numeric = isinstance(source_id, int) or (source_id.isascii() and source_id.isdigit())
    plain = ":" not in template
    row = {"row": int(source_id) - first} if numeric else {}
    return template.format(id=int(source_id) if numeric and not plain else source_id, **row)
