"""The page of a problem: all verdicts by index, its answers, and its samples, filtered and sorted."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from tasks.records import Verdict
from tasks.report.palette import VERDICTS
from tasks.viewer.addresses import address_of_problem
from tasks.viewer.asked import asked
from tasks.viewer.library import Found, Library
from tasks.viewer.problem_samples import ProblemSamples
from tasks.viewer.query import NOT_GRADED, ROWS_PER_PAGE, Query, find_samples
from tasks.viewer.rendering import page

_COLUMNS = (
    ("index", "sample"),
    ("verdict", "verdict"),
    ("answer", "answer"),
    ("tokens", "tokens"),
    ("logprob", "log-probability"),
    ("score", "score"),
    ("cpu_s", "CPU seconds"),
)
_ANSWERS = 12
_CELLS_IN_A_ROW = 100


def render(library: Library, found: Found, position: int, query: Query, *, whole: bool = False) -> str:
    """The page as HTML; the texts of the problem are cut where they are very long, unless the `whole` is asked for.

    Raises:
        UserError: the set has no such problem, or the query cannot be read.
    """
    problem = library.problem(found, position)
    rows = find_samples(query, problem.table, library.texts(found, position))
    positions = list(found.samples.by_problem)
    at = positions.index(position)
    pages = max(1, -(-rows.num_rows // ROWS_PER_PAGE))
    number = min(query.page, pages)
    shown = rows.slice((number - 1) * ROWS_PER_PAGE, ROWS_PER_PAGE)
    used = [(column, label) for column, label in _COLUMNS if _says_something(problem.table[column])]
    return page(
        "problem.html.j2",
        title=problem.problem_id,
        samples=found.samples,
        chosen=found.chosen,
        state=found.state,
        problem=problem,
        asked=asked(library.asked(found, position), corrected=_has_corrections(found), whole=whole),
        query=query,
        columns=used,
        rows=shown.to_pylist(),
        matching=rows.num_rows,
        number=number,
        pages=pages,
        link=lambda **changes: address_of_problem(found.samples.name, position, found.chosen, query.address(**changes)),
        counts=_verdict_counts(problem),
        notable=_notable(problem),
        answers=_answers(problem),
        strip=verdict_strip(problem.table["index"], problem.table["verdict"]),
        previous=positions[at - 1] if at else None,
        following=positions[at + 1] if at + 1 < len(positions) else None,
        not_graded=NOT_GRADED,
    )


def _has_corrections(found: Found) -> bool:
    return found.verdicts is not None and found.verdicts.ingredients.get("corrections") is not None


def _says_something(column: pa.ChunkedArray) -> bool:
    """Whether a column has more than nulls and zeros."""
    values = column.drop_null()
    return len(values) > 0 and not (pa.types.is_floating(values.type) and pc.max(pc.abs(values)).as_py() == 0)


def _verdict_counts(problem: ProblemSamples) -> list[tuple[str | None, int]]:
    counts = {each["values"]: each["counts"] for each in problem.table["verdict"].value_counts().to_pylist()}
    order = [each.verdict for each in VERDICTS]
    return sorted(counts.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order))


def _notable(problem: ProblemSamples) -> list[tuple[str, int]]:
    """Samples that one looks at first, by what they are."""
    table = problem.table
    found = []
    for label, verdict in (("first correct", Verdict.CORRECT), ("first wrong", Verdict.WRONG)):
        of_verdict = table.filter(pc.equal(table["verdict"], verdict.value))
        if of_verdict.num_rows:
            found.append((label, int(of_verdict["index"][0].as_py())))
    for label, order in (("shortest", "ascending"), ("longest", "descending")):
        if table["tokens"].null_count < table.num_rows:
            best = pc.sort_indices(table, sort_keys=[("tokens", order), ("index", "ascending")])
            found.append((label, int(table["index"][best[0].as_py()].as_py())))
    return found


class AnswerCount(NamedTuple):
    """How many samples gave an answer, how many of them are correct, and the share of the most frequent answer's."""

    answer: str
    samples: int
    correct: int
    length: float


@dataclass(frozen=True, slots=True)
class Answers:
    """The most frequent answers, and how many more there are."""

    first: list[AnswerCount]
    more: int
    without: int


def _answers(problem: ProblemSamples) -> Answers | None:
    table = problem.table
    given = table.filter(pc.is_valid(table["answer"]))
    if not given.num_rows:
        return None
    marked = given.append_column("right", pc.equal(given["verdict"], Verdict.CORRECT.value).cast(pa.int32()))
    counted = marked.group_by("answer").aggregate([("index", "count"), ("right", "sum")])
    counted = counted.sort_by([("index_count", "descending"), ("answer", "ascending")])
    most = counted["index_count"][0].as_py()
    first = [
        AnswerCount(each["answer"], each["index_count"], each["right_sum"], each["index_count"] / most)
        for each in counted.slice(0, _ANSWERS).to_pylist()
    ]
    return Answers(first, max(0, counted.num_rows - _ANSWERS), table.num_rows - given.num_rows)


class Strip(NamedTuple):
    """All verdicts by index as cells of a drawing, `width` in a row: for each verdict the path of its cells."""

    width: int
    height: int
    cells: int
    paths: list[tuple[str, str]]


def verdict_strip(indices: Any, verdicts: Any) -> Strip:
    """The cells of equal neighbours are one rectangle, so that 10,000 samples are a small drawing. A sample whose block
    is damaged has an empty cell: a cell's place is its sample's index."""
    at_index = dict(zip(indices.to_pylist(), verdicts.to_pylist(), strict=True))
    values = [at_index.get(index) for index in range(max(at_index) + 1)]
    width = min(_CELLS_IN_A_ROW, max(1, len(values)))
    paths: dict[str, list[str]] = {}
    start = 0
    for at in range(1, len(values) + 1):
        if at == len(values) or at % width == 0 or values[at] != values[start]:
            row, column = divmod(start, width)
            paths.setdefault(values[start] or "none", []).append(f"M{column} {row}h{at - start}v1h-{at - start}z")
            start = at
    drawn = [(verdict, "".join(cells)) for verdict, cells in paths.items()]
    return Strip(width, -(-len(values) // width), len(values), drawn)
