"""What is done to the samples of every importer: ids follow the template, texts are checked, indices are assigned."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.errors import UserError
from tasks.importers import NO_ROW, Imported, Importer, ReadsUngraded
from tasks.importers.problem_ids import as_number, by_template
from tasks.importers.sample_rows import optional_document


def read(
    importer: Importer, paths: Sequence[Path], *, verdict: str | None, ids: str | None, graded: bool = True
) -> Iterator[Imported]:
    """The samples of some files.

    Args:
        importer: reads their format.
        paths: files or folders.
        verdict: which of several verdicts on a sample counts; None: the usual one.
        ids: template for problem ids, such as `gsm8k/{row:04d}`; None: the importer's ids.
        graded: whether somebody looks at the verdicts.

    Raises:
        UserError: as the importer's `samples`; a file is named twice; the template does not fit an id, or gives two
            problems the same id; a text is not valid Unicode; `verdict` is given, and the format has one verdict only.
    """
    if verdict is not None and importer.verdicts is None:
        raise UserError(f"--verdict {verdict}: {importer.name} carries one verdict for each sample; leave it out")
    for number, path in enumerate(paths):
        if path.resolve() in {other.resolve() for other in paths[:number]}:
            raise UserError(f"{path}: is named twice; name each file once")
    formed: dict[str, str | int] = {}
    for sample in (
        importer.ungraded_samples(paths)
        if not graded and isinstance(importer, ReadsUngraded)
        else importer.samples(paths, verdict)
    ):
        problem_id = sample.problem_id
        if ids is not None:
            try:
                problem_id = by_template(ids, sample.source_id, _row(sample, importer.first_row))
            except (ValueError, KeyError, IndexError, AttributeError) as error:
                if sample.row == NO_ROW and "{row" in ids:
                    raise UserError(
                        f"--ids {ids}: {sample.where} is of a part of a dataset, whose rows are not those of the whole;"
                        " use {id}, and a dataset of that part"
                    ) from error
                raise UserError(
                    f"--ids {ids}: does not fit {sample.source_id!r} ({sample.where}); use a template such as"
                    " gsm8k/{row:04d} or {id}"
                ) from error
            if (other := formed.setdefault(problem_id, sample.source_id)) != sample.source_id:
                raise UserError(
                    f"--ids {ids}: gives {other!r} and {sample.source_id!r} the same id, {problem_id!r}; a template"
                    " needs {id} or {row}"
                )
        _check_unicode(sample, problem_id)
        yield sample if problem_id == sample.problem_id else replace(sample, problem_id=problem_id)


def _check_unicode(sample: Imported, problem_id: str) -> None:
    """Texts that an importer has put together were not checked with their row."""
    turns = json.dumps(optional_document(sample), ensure_ascii=False) if sample.turns else ""
    try:
        for text in (problem_id, sample.text or "", sample.question or "", turns):
            text.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{sample.where}: is not valid Unicode (a lone surrogate)") from error


def _row(sample: Imported, first: int) -> int | None:
    if sample.row is not None:
        return None if sample.row == NO_ROW else sample.row
    number = as_number(sample.source_id)
    return None if number is None or number < first else number - first


class Numbering:
    """Assigns each sample its index in its problem. In the end indices run from 0 without a gap.

    Gaps, such as those left by samples that the tool failed to draw, are closed by renumbering in order.
    """

    def __init__(self) -> None:
        self._following: dict[str, int] = {}
        self._beyond: dict[str, set[int]] = {}

    def place(self, sample: Imported) -> int:
        """The index of the next sample: its own, or the next one of its problem where it has none.

        Raises:
            UserError: another sample has this index.
        """
        problem = sample.problem_id
        following = self._following.get(problem, 0)
        index = following if sample.index is None else sample.index
        if index == following and problem not in self._beyond:
            self._following[problem] = following + 1
            return index
        beyond = self._beyond.setdefault(problem, set())
        if index < following or index in beyond:
            raise UserError(
                f"{sample.where}: index {index} of problem {problem!r} occurs twice; import the samples of one"
                " model and one run at a time"
            )
        beyond.add(index)
        while following in beyond:
            beyond.remove(following)
            following += 1
        self._following[problem] = following
        if not beyond:
            del self._beyond[problem]
        return index

    def closed(self) -> dict[str, dict[int, int]]:
        """For each problem with a gap, the indices beyond it and what they become."""
        return {
            problem: {old: new for new, old in enumerate(sorted(beyond), start=self._following[problem])}
            for problem, beyond in self._beyond.items()
        }


def digest(paths: Sequence[Path]) -> str:
    """SHA-256 of the content of all files, in hex; for folders, also of the names inside.

    Raises:
        UserError: a file cannot be read.
    """
    whole = hashlib.sha256()
    for path in paths:
        if path.is_dir():
            for file in sorted(each for each in path.rglob("*") if each.is_file()):
                whole.update(f"{file.relative_to(path).as_posix()}\0{_digest(file)}\n".encode())
        else:
            whole.update(f"{_digest(path)}\n".encode())
    return whole.hexdigest()


def _digest(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({error.strerror})") from error
