"""Converts other tools' files to files of this project: samples, their provenance, and counts of their verdicts.

Everything is read before any file gets its name, so a fault in the last row leaves nothing behind.
"""

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.files.atomic import replacing
from tasks.importers import Imported, Importer
from tasks.importers.normalize import Numbering, digest, read
from tasks.importers.provenance import provenance_path
from tasks.importers.sample_rows import optional_document

_to_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(slots=True)
class Tally:
    """The number of a problem's samples, of those with a verdict, and of the correct ones."""

    samples: int = 0
    graded: int = 0
    correct: int = 0


@dataclass(slots=True)
class Imports:
    """The result of an import.

    Attributes:
        format: the importer's name.
        problems: what was read, by problem.
        left_out: samples that the tool failed to draw.
        renumbered: problems whose indices had gaps.
        provenance: what the files say about how the samples were drawn and graded.
        choices: the verdicts to choose from, where samples have several and none was chosen.
        questions: by problem the question, or a prompt that contains it, where the files have it.
    """

    format: str
    problems: dict[str, Tally] = field(default_factory=dict)
    left_out: int = 0
    renumbered: int = 0
    provenance: Mapping[str, Any] = field(default_factory=dict)
    choices: dict[str, None] = field(default_factory=dict)
    questions: dict[str, str] = field(default_factory=dict)

    @property
    def samples(self) -> int:
        """The number of samples."""
        return sum(each.samples for each in self.problems.values())

    @property
    def graded(self) -> int:
        """The number of samples with a verdict."""
        return sum(each.graded for each in self.problems.values())

    @property
    def correct(self) -> int:
        """The number of correct samples."""
        return sum(each.correct for each in self.problems.values())


def convert(
    importer: Importer,
    paths: Sequence[Path],
    *,
    output: Path | None,
    counts: Path | None,
    verdict: str | None = None,
    ids: str | None = None,
) -> Imports:
    """Read samples and write them, and the counts of their verdicts.

    Args:
        importer: reads the files.
        paths: files or folders.
        output: JSONL file to write the samples to, with their provenance next to it; None: write none.
        counts: CSV file to write problem,samples,correct to, of the samples with a verdict; None: write none.
        verdict: which of several verdicts counts; None: the usual one.
        ids: template for problem ids; None: the importer's ids.

    Raises:
        UserError: as `tasks.importers.normalize.read`; there is no sample; with `counts`, there is no verdict, or one
            has to be chosen; the files are of several models; a file cannot be written, or is one of the input.
            Nothing was written.
    """
    if output is not None and output.suffix != ".jsonl":
        raise UserError(f"--output {output}: does not end in .jsonl")
    for option, written in (("--output", output), ("--counts", counts)):
        if written is not None:
            _refuse_overwrite(option, written, paths)
    imports = Imports(importer.name)
    numbering = Numbering()
    with ExitStack() as files:
        fresh = None if output is None else files.enter_context(_fresh("--output", output))
        table = None if counts is None else files.enter_context(_fresh("--counts", counts))
        samples = _tallied(read(importer, paths, verdict=verdict, ids=ids), imports)
        if fresh is None:
            for sample in samples:
                numbering.place(sample)
        else:
            _write(samples, numbering, fresh)
        if not imports.samples:
            failed = f": all {imports.left_out:,} failed in the tool itself" if imports.left_out else ""
            raise UserError(f"{paths[0]}: holds no sample{failed}")
        moved = numbering.closed()
        imports.renumbered = len(moved)
        known = _provenance(importer, paths, verdict)
        if not imports.graded:
            known.pop("graded_by", None)
        imports.provenance = known
        if table is not None:
            _write_counts(imports, table, paths[0])
        if fresh is not None and output is not None:
            if moved:
                _renumber(fresh, moved)
            document = {
                "format": importer.name,
                **known,
                **({} if ids is None else {"ids": ids}),
                **({"left_out": imports.left_out} if imports.left_out else {}),
                **({"questions": imports.questions} if imports.questions else {}),
                "files": {"names": [path.name for path in paths], "sha256": digest(paths)},
                "samples": _sha256(fresh),
            }
            note = files.enter_context(_fresh("--output", provenance_path(output)))
            note.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return imports


def _refuse_overwrite(option: str, written: Path, paths: Sequence[Path]) -> None:
    """Make sure that no input file is overwritten, and nothing is written into an input folder."""
    target = written.resolve()
    for path in paths:
        if path.resolve() in (target, *target.parents):
            raise UserError(
                f"{option} {written}: is one of the imported files, or in an imported folder; write it elsewhere"
            )


def _provenance(importer: Importer, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:
    """What the files say about the samples; raises UserError if they are of several models or sampling parameters."""
    known = importer.provenance(paths, verdict)
    compared = {name: known[name] for name in ("model", "sampling") if known.get(name) is not None}
    for path in paths[1:] if compared else ():
        other = importer.provenance([path], verdict)
        for name, mine in compared.items():
            its = other.get(name)
            if its is not None and its != mine:
                raise UserError(
                    f"{path}: {name}: is {_to_json(its)}, and that of {paths[0]} is {_to_json(mine)}; import the"
                    " samples of one model and one run at a time"
                )
    return known


def _tallied(samples: Iterator[Imported], imports: Imports) -> Iterator[Imported]:
    """The samples that have a text; all are counted in `imports`."""
    for sample in samples:
        if sample.text is None:
            imports.left_out += 1
            continue
        tally = imports.problems.setdefault(sample.problem_id, Tally())
        tally.samples += 1
        tally.graded += sample.correct is not None
        tally.correct += sample.correct is True
        imports.choices |= dict.fromkeys(sample.choices)
        if sample.question is not None and sample.problem_id not in imports.questions:
            imports.questions[sample.problem_id] = sample.question
        yield sample


def _write(samples: Iterator[Imported], numbering: Numbering, path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        for sample in samples:
            row = {"problem_id": sample.problem_id, "index": numbering.place(sample), "text": sample.text}
            file.write(_to_json(row | optional_document(sample)) + "\n")


def _renumber(path: Path, moved: Mapping[str, Mapping[int, int]]) -> None:
    """Give the samples beyond a gap their new indices."""
    with replacing(path) as whole, path.open(encoding="utf-8") as old, whole.open("w", encoding="utf-8") as new:
        for line in old:
            row = json.loads(line)
            row["index"] = moved.get(row["problem_id"], {}).get(row["index"], row["index"])
            new.write(_to_json(row) + "\n")


def _write_counts(imports: Imports, path: Path, source: Path) -> None:
    if imports.choices:
        raise UserError(
            f"--counts: {source} has several verdicts on a sample; choose one with --verdict:"
            f" {', '.join(map(repr, imports.choices))}"
        )
    if not imports.graded:
        raise UserError(f"--counts: {source} has no verdicts; leave --counts out, and grade the samples with a sweep")
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("problem", "samples", "correct"))
        table.writerows((problem, each.graded, each.correct) for problem, each in imports.problems.items())


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def _fresh(option: str, path: Path) -> Iterator[Path]:
    """A file that replaces `path` at the end of the `with` block; after an error it is removed."""
    if path.is_dir():
        raise UserError(f"{option} {path}: is a folder")
    try:
        with replacing(path) as temporary:
            yield temporary
    except OSError as error:
        raise UserError(f"{option} {path}: cannot be written ({error.strerror or error})") from error
