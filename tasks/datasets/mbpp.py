"""MBPP (Austin et al. 2021): small Python functions described in a sentence, graded by three assertions.

Rows are those of google-research's mbpp.jsonl and of the hub: task_id, text, code, test_list. Of the file's 974 tasks,
11 to 510 are the test split, and 2, 3 and 4 the examples in the prompt, which is that of Austin et al.
"""

import ast
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import AliasChoices, Field

from sandboxes.config import Config
from tasks.errors import UserError
from tasks.files.schema import RowModel, Where
from tasks.files.sources import Hub, Source, read, row_error
from tasks.graders.base.literal_calls import calls_in
from tasks.records import FewShotExample, FunctionCheck, LabelledSample, Problem

HUB = Hub("google-research-datasets/mbpp", ("full",))
_EXAMPLE = '{"task_id": 11, "text": "...", "code": "def f(x): ...", "test_list": ["assert f(1) == 2"]}'
_WHOLE = "all of mbpp.jsonl (Parquet and CSV too)"
_SHOTS = (2, 3, 4)
_TEST = range(11, 511)

# Assertions run unchanged: they may contain strings of several lines, which must not be indented.
_CHECK = """\
{setup}
def check(candidate):
    for assertion in {assertions!r}:
        exec(compile(assertion, "test.py", "exec"), globals())
"""


class _Row(RowModel):
    task_id: int
    text: str = Field(validation_alias=AliasChoices("text", "prompt"))
    code: str
    test_list: list[str]
    test_setup_code: str = ""
    test_imports: Sequence[str] = ()


class MbppDataset(Config):
    """MBPP's 500 test problems, from a local file or the Hugging Face hub."""

    template: ClassVar[str] = "mbpp"
    grader: ClassVar[str] = "functions"
    graders: ClassVar[tuple[str, ...]] = ("functions",)
    stop: ClassVar[tuple[str, ...]] = ("[DONE]",)
    max_tokens: ClassVar[int] = 512

    name: Literal["mbpp"] = "mbpp"
    path: str | None = Field(
        default=None,
        description="mbpp.jsonl, all 974 rows or some (Parquet, CSV, URL too); empty: from the Hugging Face hub",
    )
    shots: int = Field(default=3, ge=0, le=3, description="Examples before each question: tasks 2, 3 and 4")

    def load(self) -> list[Problem]:
        """The test problems in upstream order; raises UserError where file or hub cannot be read."""
        shots = self._examples()
        problems = [
            Problem(f"MBPP/{row.task_id}", _question(row), _test(where, row), shots=shots)
            for where, row in self._rows()
        ]
        if not problems:
            raise UserError(f"dataset.path: {self.path or HUB.name} has none of the test tasks, 11 to 510")
        return problems

    def solutions(self) -> Iterator[LabelledSample]:
        """The dataset's own code."""
        for _, row in self._rows():
            yield LabelledSample(f"MBPP/{row.task_id}", row.code)

    def _rows(self) -> Iterator[tuple[Where, _Row]]:
        source = Source(self.path, HUB, "test", what=_WHOLE)
        for where, row in read(source, _Row, _EXAMPLE):
            if row.task_id in _TEST:
                yield where, row

    def _examples(self) -> tuple[FewShotExample, ...]:
        if self.shots == 0:
            return ()
        source = Source(self.path, HUB, "prompt", what=_WHOLE)
        known = {row.task_id: row for _, row in read(source, _Row, _EXAMPLE) if row.task_id in _SHOTS}
        absent = [task_id for task_id in _SHOTS[: self.shots] if task_id not in known]
        if absent:
            raise UserError(
                f"dataset.shots: {source.name} lacks task {absent[0]}, an example of the prompt; give all of"
                " mbpp.jsonl, or set dataset.shots to 0"
            )
        return tuple(FewShotExample(_question(known[task_id]), known[task_id].code) for task_id in _SHOTS[: self.shots])


def _question(row: _Row) -> str:
    return f"{row.text} Your code should pass these tests:\n\n" + "\n".join(row.test_list)


def _test(where: Where, row: _Row) -> FunctionCheck:
    setup = "\n".join([*row.test_imports, row.test_setup_code])
    try:
        defined = {node.name for node in ast.walk(ast.parse(row.code)) if isinstance(node, ast.FunctionDef)}
        trees = [ast.parse(assertion) for assertion in row.test_list]
    except (SyntaxError, ValueError, RecursionError) as error:
        raise row_error(where, "test_list", f"is not valid Python ({error})") from error
    called = [node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name)]
    entry_point = next((name for name in called if name in defined), None)
    if entry_point is None:
        raise row_error(where, "test_list", "calls no function that `code` defines")
    test = _CHECK.format(setup=setup, assertions=row.test_list)
    # The question shows all assertions.
    return FunctionCheck(entry_point, test, public=test, calls=calls_in(row.test_list, {entry_point}))
