"""Folders of the paper's own code (ScalingIntelligence/large_language_monkeys): one YAML file for each problem.

A file has `prompt`, `question`, `samples` (a list of texts), `gt_answer`, `theorem_name` or `test_cases`, and
`is_corrects` if it was graded. Its name is the row of the test split, or the problem's name for CodeContests, whose
graded files lack the suffix. How the samples were drawn is not recorded.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tasks.errors import UserError
from tasks.files.rows import opened
from tasks.files.schema import RowModel, parse_row
from tasks.importers import Imported
from tasks.importers.problem_ids import by_row

_EXAMPLE = "samples: [...], is_corrects: [...]"
_SUFFIXES = (".yaml", ".yml")


class _Problem(RowModel):
    samples: list[str]
    is_corrects: list[bool] | None = None
    question: str | None = None
    gt_answer: str | None = None
    theorem_name: str | None = None
    test_cases: dict[str, Any] | None = None

    @property
    def task(self) -> str | None:
        """The task, from fields that only its files have."""
        if self.gt_answer is not None:
            return "gsm8k" if "####" in self.gt_answer else "math" if "\\boxed" in self.gt_answer else None
        return "code_contests" if self.test_cases is not None else "minif2f" if self.theorem_name is not None else None


class Llmonk:
    """A folder of YAML files, or one of them."""

    name: ClassVar[str] = "llmonk"
    description: ClassVar[str] = "the paper's own code: a folder of YAML files, one a problem"
    first_row: ClassVar[int] = 0
    verdicts: ClassVar[str | None] = None

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """By the suffix of its files."""
        names = [each.name for each in path.iterdir()] if path.is_dir() else [path.name]
        return any(name.endswith(_SUFFIXES) for name in names)

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:  # noqa: ARG002
        """Every sample of every file; see `tasks.importers.Importer`."""
        for file in _files(paths):
            problem = _read(file)
            if problem.is_corrects is not None and len(problem.is_corrects) != len(problem.samples):
                raise UserError(
                    f"{file}: is_corrects: has {len(problem.is_corrects):,} verdicts on"
                    f" {len(problem.samples):,} samples"
                )
            row = _stem(file)
            problem_id = problem.theorem_name or by_row(problem.task, row)
            for index, text in enumerate(problem.samples):
                correct = None if problem.is_corrects is None else problem.is_corrects[index]
                where = f"{file}, samples.{index}"
                yield Imported(where, row, problem_id, text, index, correct, question=problem.question)

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:  # noqa: ARG002
        """The tool, and the task of the first file."""
        first = next(_files(paths), None)
        task = None if first is None else _read(first).task
        return {"tool": "llmonk"} | ({} if task is None else {"task": task})


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """The problems' files, in the order of their numbers."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = [file for file in path.iterdir() if file.is_file() and not file.name.startswith(".")]
        named = [file for file in inside if file.name.endswith(_SUFFIXES)]
        if not inside:
            raise UserError(f"{path}: has no YAML file; name the folder in which llmonk saved its samples")
        yield from sorted(named or inside, key=_by_number)


def _by_number(file: Path) -> tuple[int, str]:
    stem = _stem(file)
    return (int(stem), "") if re.fullmatch(r"[0-9]+", stem) else (-1, stem)


def _stem(file: Path) -> str:
    # Names of contest problems may contain dots.
    return file.name.removesuffix(".yaml").removesuffix(".yml")


def _read(file: Path) -> _Problem:
    import yaml

    # The C loader is ten times as fast, but not part of every build.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with opened(file) as stream:
        try:
            document = yaml.load(stream, Loader=loader)  # noqa: S506 - both are the safe loader
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise UserError(f"{file}: broken YAML ({' '.join(str(error).split())[:200]})") from error
    return parse_row(str(file), document, _Problem, _EXAMPLE, thing="problem")
