"""The contract of importers."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monkeys.testing.contract import check_class, one_line, require, require_json
from tasks.errors import UserError
from tasks.files.rows import first_row
from tasks.importers import Imported, Importer
from tasks.importers.normalize import Numbering, read


def check_importer(importer: Importer, paths: Sequence[Path], *, malformed: Sequence[Path] = ()) -> None:
    """Check that an importer recognises its files, reads the same valid samples each time, and names malformed files.

    Args:
        importer: an object of the class.
        paths: files or folders of one run that it must read.
        malformed: files that it must refuse, each in one line that names the file.

    Raises:
        ContractError: a promise is broken; the message says which.
    """
    check_class("format", importer)
    require(bool(importer.description.strip()), "description is empty")
    require(isinstance(importer.first_row, int), "first_row is not a number")
    require(importer.verdicts is None or bool(importer.verdicts), "verdicts is neither None nor a text")
    for path in paths:
        require(importer.recognises(path, _first_row(path)) is True, f"recognises() is not True for {path.name}")
    foreign = importer.recognises(Path("foreign.bin"), {})
    require(foreign is False, "recognises() is not False for a file of another name and content")
    samples = list(_read(importer, paths))
    require(bool(samples), "there are no samples")
    require(list(_read(importer, paths)) == samples, "samples() does not give the same twice")
    numbering = Numbering()
    for sample in read(importer, paths, verdict=None, ids=None):
        numbering.place(sample)
    provenance = importer.provenance(paths, None)
    require(isinstance(provenance, dict), f"provenance() returned {type(provenance).__name__}, not a dict")
    require_json(provenance, "provenance()")
    for path in malformed:
        _check_refused(importer, path)


def _first_row(path: Path) -> Mapping[str, Any]:
    """As the importers are asked: nothing for what is not a file of rows."""
    try:
        return first_row(path)
    except UserError:
        return {}


def _read(importer: Importer, paths: Sequence[Path]) -> Iterator[Imported]:
    for sample in importer.samples(paths, None):
        require(isinstance(sample, Imported), f"samples() yields {type(sample).__name__}, not Imported")
        require(bool(sample.where), f"a sample of {sample.problem_id} does not say where it stands")
        require(isinstance(sample.problem_id, str) and bool(sample.problem_id), f"{sample.where}: no problem is named")
        require(sample.text is None or isinstance(sample.text, str), f"{sample.where}: text is not a text")
        require(sample.correct in {None, True, False}, f"{sample.where}: correct is {sample.correct!r}")
        yield sample


def _check_refused(importer: Importer, path: Path) -> None:
    try:
        list(_read(importer, [path]))
    except UserError as error:
        one_line(error, path.name)
        require(path.name in str(error), f"the error does not name {path.name}: {error}")
    else:
        require(False, f"{path.name} is read without an error")
