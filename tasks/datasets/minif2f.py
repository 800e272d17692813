"""miniF2F (Zheng et al. 2022): 488 competition problems as formal statements, 244 in each split, in Lean 4 or Rocq.

The paper's MiniF2F-MATH are the 130 of the test split whose names contain `mathd`. A row has `name` (or `id`), and
`formal_statement` with `header` (Lean), or the whole file as `text` (Rocq). What the model sees of a theorem has the
name `goal` (in the paper's prompt `theorem6`, after five examples), since the names say where the problems come from.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from sandboxes.config import Config
from tasks.datasets.formal import lean, rocq
from tasks.datasets.formal.known import defect, version_of
from tasks.datasets.formal.statement import Statement, Unreadable
from tasks.errors import UserError
from tasks.files.schema import RowModel, Where
from tasks.files.sources import Hub, Source, read, row_error
from tasks.records import LabelledSample, Problem, TheoremCheck

HUBS = {"lean": Hub("cat-searcher/minif2f-lean4"), "rocq": Hub("LLM4Rocq/miniF2F-rocq")}
_EXAMPLES = {
    "lean": '{"name": "...", "header": "import Mathlib", "formal_statement": "theorem t : 1 + 1 = 2 := by"}',
    "rocq": '{"name": "...", "text": "Require Import Arith. Theorem t : 1 + 1 = 2."}',
}
_MATH = 130
_log = logging.getLogger(__name__)


class _Row(RowModel):
    name: str | None = None
    id: str | None = None
    split: str | None = None
    header: str = ""
    formal_statement: str | None = None
    text: str | None = None


class MiniF2FDataset(Config):
    """miniF2F in Rocq or in Lean 4, from local files or the Hugging Face hub."""

    graders: ClassVar[tuple[str, ...]] = ("proof",)
    grader: ClassVar[str] = "proof"

    name: Literal["minif2f"] = "minif2f"
    prover: Literal["rocq", "lean"] = Field(
        default="rocq", description="The prover for which the statements and the proofs are written"
    )
    path: str | None = Field(
        default=None,
        description="The statements (JSONL, .gz, Parquet; URL too), or a folder of them or of .v files; empty: from the"
        " Hugging Face hub",
    )
    split: Literal["test", "valid"] = Field(default="test", description="Each has 244 problems")
    subset: Literal["mathd"] | None = Field(
        default=None, description="The 130 test problems that the paper calls MiniF2F-MATH; empty: all"
    )
    prompt: Literal["whole_proof", "paper"] = Field(
        default="whole_proof", description="paper: the paper's five examples in Lean, and at most 200 tokens"
    )
    imports: str = Field(
        default="Psatz",
        pattern=r"^([A-Za-z_][\w']*(\.[A-Za-z_][\w']*)*( [A-Za-z_][\w']*(\.[A-Za-z_][\w']*)*)*)?$",
        description="Rocq: modules to import before each file's own imports, for the tactics that proofs use; Psatz has"
        " lia, lra and nra. Empty: none",
    )
    exclude: Literal["defective"] | None = Field(
        default=None, description="defective: leave out the statements that are known not to load or to be wrong"
    )

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.prompt == "paper" and self.prover != "lean":
            raise ValueError("prompt: the paper's prompt is in Lean; set prover: lean, or prompt: whole_proof")
        if self.subset == "mathd" and self.split != "test":
            raise ValueError("subset: mathd is a part of the test split")
        return self

    @property
    def template(self) -> str:
        """The prompt template: the paper's, or one for whole proofs."""
        if self.prompt == "paper":
            return "minif2f_paper"
        return "lean_proof" if self.prover == "lean" else "theorems"

    @property
    def stop(self) -> tuple[str, ...]:
        """What can only come after the proof. In the paper's prompt, the proof is in parentheses."""
        if self.prompt == "paper":
            return ("\n)", "```", "Write a lean4")
        return ("```",) if self.prover == "lean" else ("Qed.", "Defined.", "Admitted.", "\nTheorem ")

    @property
    def max_tokens(self) -> int:
        """The paper's, or enough for most proofs of the length that is usual in each language."""
        if self.prompt == "paper":
            return 200
        return 1024 if self.prover == "lean" else 200

    def load(self) -> list[Problem]:
        """The problems in upstream order; raises UserError where they cannot be read."""
        statements = self._statements()
        sound = [each for each in statements if defect(self.prover, each) is None]
        if self.exclude is None and len(sound) < len(statements):
            _log.warning(
                "dataset: %d of the %d statements are known to be defective; `exclude: defective` leaves them out",
                *(len(statements) - len(sound), len(statements)),
            )
        return [self._problem(each) for each in (statements if self.exclude is None else sound)]

    def solutions(self) -> Iterator[LabelledSample]:
        """None: the dataset has no proofs."""
        return iter(())

    def _statements(self) -> list[Statement]:
        found: dict[str, Statement] = {}
        for where, row in self._rows():
            named = row.name or row.id
            if self.subset == "mathd" and "mathd" not in (named or ""):
                continue
            try:
                statement = self._statement(row)
            except Unreadable as error:
                raise row_error(where, "formal_statement" if row.text is None else "text", str(error)) from error
            if named not in (None, statement.name):
                raise row_error(where, "name", f"is {named}, and the theorem's is {statement.name}")
            if statement.name in found:
                raise row_error(where, "name", f"{statement.name} is there twice")
            found[statement.name] = statement
        if self.subset == "mathd" and len(found) != _MATH:
            raise UserError(
                f"dataset.subset: mathd is {_MATH} theorems of the test split; {self._source.name} has {len(found)}"
            )
        if not found:
            raise UserError(f"dataset.split: {self._source.name} has no theorems of the {self.split} split")
        statements = list(found.values())
        _log.info("dataset: %s", version_of(self.prover, statements))
        return statements

    @property
    def _source(self) -> Source:
        split = "validation" if self.split == "valid" and self.path is None else self.split
        return Source(self.path, HUBS[self.prover], split)

    def _rows(self) -> Iterator[tuple[Where, _Row]]:
        if self.path is not None and (files := sorted(_coq_files(Path(self.path), self.split))):
            for number, file in enumerate(files, 1):
                where = Where(f"dataset.path: {file}", "file", number)
                try:
                    text = file.read_text(encoding="utf-8")
                except (OSError, UnicodeDecodeError) as error:
                    raise UserError(f"dataset.path: {file}: cannot be read ({error})") from error
                yield where, _Row(name=file.stem, text=text)
            return
        for where, row in read(self._source, _Row, _EXAMPLES[self.prover]):
            if row.split in (None, self.split, self._source.split):
                yield where, row

    def _statement(self, row: _Row) -> Statement:
        if self.prover == "lean":
            if row.formal_statement is None:
                raise Unreadable("is missing")
            return lean.statement(row.header, row.formal_statement)
        text = row.text if row.text is not None else row.formal_statement
        if text is None:
            raise Unreadable("is missing")
        return rocq.statement(f"{row.header}\n{text}" if row.header else text)

    def _problem(self, statement: Statement) -> Problem:
        header = statement.header
        if self.prover == "rocq":
            if self.imports:
                header = f"Require Import {self.imports}.\n{header}".rstrip()
            question = f"{header}\n\n{statement.renamed('goal')}"
        elif self.prompt == "paper":
            question = f"{header}\n{statement.renamed('theorem6').removesuffix(' by')}"
        else:
            question = f"{header}\n\n{statement.renamed('goal')}"
        return Problem(
            f"minif2f/{statement.name}", question, TheoremCheck(self.prover, header, statement.name, statement.text)
        )


def _coq_files(path: Path, split: str) -> list[Path]:
    """The .v files of a local folder, or of its folder for the split."""
    folder = path / split if (path / split).is_dir() else path
    return list(folder.glob("*.v")) if folder.is_dir() else []
