"""SWE-bench (Jimenez et al. 2024): issues of Python repositories, solved by a patch that makes their tests pass.

Lite has 300 issues in its test split and 23 in `dev`, Verified has 500; any file in this format is read. The rows of
both lack the image, the script that runs the tests and the parser of its output, which later files have: they are
completed here, without a network.
"""

import json
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from sandboxes.config import Config
from tasks.datasets.repositories.checkouts import read_files
from tasks.datasets.repositories.scripts import how_tested
from tasks.errors import UserError
from tasks.files.schema import RowModel, Where
from tasks.files.sources import Hub, Source, read, row_error
from tasks.graders.repositories.report import END, START
from tasks.patches.unified import file_patches
from tasks.records import LabelledSample, Problem, RepositoryCheck, SourceFile

HUBS = {"lite": Hub("SWE-bench/SWE-bench_Lite"), "verified": Hub("SWE-bench/SWE-bench_Verified")}
_IMAGE = "swebench/sweb.eval.x86_64.{key}:latest"
_PLACE = re.compile(r"\{([^{}]*)\}")
_PLACES = ("id", "key")
_EXAMPLE = (
    '{"instance_id": "owner__name-1", "repo": "owner/name", "version": "1.0", "base_commit": "0a1b...",'
    ' "problem_statement": "...", "test_patch": "diff --git ...", "FAIL_TO_PASS": ["test_a"], "PASS_TO_PASS": []}'
)


class _Row(RowModel):
    instance_id: str = Field(min_length=1)
    repo: str = Field(pattern=r"^[\w.-]+/[\w.-]+$")
    base_commit: str = Field(pattern=r"^[0-9a-f]{7,64}$")
    problem_statement: str
    test_patch: str
    FAIL_TO_PASS: str | list[str]
    PASS_TO_PASS: str | list[str]
    version: str | None = None
    patch: str | None = None
    image: str | None = None
    eval_script: str | None = None
    log_parser: str | None = None
    eval_type: Literal["pass_and_fail", "fail_only"] | None = None


class SweBenchDataset(Config):
    """SWE-bench Lite, Verified, or any file in SWE-bench's format; attempts are single completions."""

    grader: ClassVar[str] = "swe_bench"
    graders: ClassVar[tuple[str, ...]] = ("swe_bench",)
    stop: ClassVar[tuple[str, ...]] = ()
    max_tokens: ClassVar[int] = 4096

    name: Literal["swe_bench"] = "swe_bench"
    subset: Literal["lite", "verified"] = Field(
        default="lite", description="Which one is downloaded from the Hugging Face hub where no path is given"
    )
    path: str | None = Field(
        default=None, description="File in SWE-bench's format (JSONL, .gz, Parquet; URL too); empty: from the hub"
    )
    split: Literal["test", "dev"] = Field(default="test", description="Lite has 300 issues in test and 23 in dev")
    image: str | None = Field(
        default=None,
        description="Name of the container images, with {id} for the issue's id, or {key} for the id in lower case with"
        " _1776_ for __, as Docker Hub has it; empty: the row's, or swebench/sweb.eval.x86_64.{key}:latest",
    )
    format: Literal["diff", "search_replace", "whole_file"] = Field(
        default="diff", description="How the prompt asks for the changes; any of the three is graded"
    )
    checkouts: str | None = Field(
        default=None,
        description="Folder with a clone of each repository, such as django__django, from which the files in the prompt"
        " are read; empty: the prompt has the issue alone",
    )
    files: str | None = Field(
        default=None,
        description='JSON file with the paths to show for each issue, such as {"django__django-1": ["django/a.py"]};'
        " empty: the files that the gold patch changes, which is a hint",
    )

    @field_validator("image")
    @classmethod
    def _known_places(cls, image: str | None) -> str | None:
        unknown = [place for place in _PLACE.findall(image or "") if place not in _PLACES]
        if unknown:
            raise ValueError(f"{{{unknown[0]}}} is unknown; an image's name may have {{id}} and {{key}}")
        return image

    @model_validator(mode="after")
    def _has_files_to_edit(self) -> Self:
        if self.checkouts is None and self.format != "diff":
            raise ValueError(
                f"format: {self.format} edits files of the prompt, which needs checkouts; or set format: diff"
            )
        if self.checkouts is None and self.files is not None:
            raise ValueError("files: the files are read from checkouts, which is empty")
        return self

    @property
    def template(self) -> str:
        """The prompt template of the format."""
        return f"swe_bench_{self.format}"

    def load(self) -> list[Problem]:
        """The issues in upstream order.

        Raises:
            UserError: the file, the hub or a clone cannot be read, a row is malformed, or it is not known how its tests
                are run.
        """
        return [self._problem(where, row) for where, row in self._rows()]

    def solutions(self) -> Iterator[LabelledSample]:
        """The gold patches."""
        for _, row in self._rows():
            if row.patch is not None and row.patch.strip():
                yield LabelledSample(row.instance_id, row.patch, source="gold patch")

    def _rows(self) -> Iterator[tuple[Where, _Row]]:
        return read(Source(self.path, HUBS[self.subset], self.split), _Row, _EXAMPLE)

    def _problem(self, where: Where, row: _Row) -> Problem:
        tested = how_tested(row.repo, row.version, row.base_commit, row.test_patch)
        script = row.eval_script or (tested and tested.script)
        log_parser = row.log_parser or (tested and tested.log_parser)
        if not script or not log_parser:
            what = "eval_script" if not script else "log_parser"
            raise row_error(
                where, what, f"is missing, and it is not known how version {row.version} of {row.repo} is tested"
            )
        for marker in (START, END):
            if script.count(marker) != 1:
                raise row_error(where, "eval_script", f"must have the line : '{marker}' once")
        files = self._files(where, row)
        question = row.problem_statement if not files else f"{row.problem_statement}\n\n{_shown(files)}"
        check = RepositoryCheck(
            repository=row.repo,
            base_commit=row.base_commit,
            image=self._image(row),
            evaluation_script=script,
            log_parser=log_parser,
            fail_to_pass=_tests(where, "FAIL_TO_PASS", row.FAIL_TO_PASS),
            pass_to_pass=_tests(where, "PASS_TO_PASS", row.PASS_TO_PASS),
            test_patch=row.test_patch,
            fail_only=row.eval_type == "fail_only",
            files=files,
        )
        return Problem(row.instance_id, question, check)

    def _image(self, row: _Row) -> str:
        template = self.image or row.image or _IMAGE
        key = row.instance_id.lower().replace("__", "_1776_")
        return template.replace("{id}", row.instance_id).replace("{key}", key)

    def _files(self, where: Where, row: _Row) -> tuple[SourceFile, ...]:
        if self.checkouts is None:
            return ()
        if self._given is not None:
            paths = self._given.get(row.instance_id)
            if paths is None:
                raise UserError(f"dataset.files: {self.files} has no paths for {row.instance_id!r}")
        elif row.patch is None:
            raise row_error(where, "patch", "is missing, so its files are not known; set dataset.files")
        else:
            paths = [each.old for each in file_patches(row.patch) if each.old is not None]
        return read_files(Path(self.checkouts), row.repo, row.base_commit, tuple(dict.fromkeys(paths)))

    @cached_property
    def _given(self) -> dict[str, list[str]] | None:
        if self.files is None:
            return None
        try:
            given = json.loads(Path(self.files).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(
                f"dataset.files: {self.files} cannot be read ({' '.join(str(error).split())[:100]})"
            ) from error
        if not isinstance(given, dict) or not all(_is_paths(each) for each in given.values()):
            raise UserError(
                f'dataset.files: {self.files} is not an object such as {{"django__django-1": ["django/a.py"]}}'
            )
        return given


def _is_paths(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) and each for each in value)


def _tests(where: Where, field: str, value: str | list[str]) -> tuple[str, ...]:
    """The names of tests, which the hub has as JSON in a text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError) as error:
            raise row_error(where, field, 'is not a JSON list, such as ["test_a"]') from error
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise row_error(where, field, 'is not a list of names, such as ["test_a"]')
    return tuple(value)


def _shown(files: tuple[SourceFile, ...]) -> str:
    """The files as they stand in the prompt."""
    return "\n\n".join(f'<file path="{each.path}">\n{each.text.removesuffix(chr(10))}\n</file>' for each in files)
