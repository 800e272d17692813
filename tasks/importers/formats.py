"""All formats by name, and the one that a file is in."""

from collections.abc import Sequence
from pathlib import Path

from tasks.errors import UserError
from tasks.files.rows import first_row
from tasks.importers import Importer
from tasks.importers.evalplus import Evalplus
from tasks.importers.human_eval import HumanEval
from tasks.importers.inspect_ai import InspectAi
from tasks.importers.llmonk import Llmonk
from tasks.importers.lm_eval import LmEval
from tasks.importers.monkey_business import MonkeyBusiness
from tasks.importers.plain import Plain
from tasks.importers.swe_bench import SweBench
from tasks.plugins import fault_of, load

FORMATS: tuple[Importer, ...] = (
    Llmonk(),
    MonkeyBusiness(),
    HumanEval(),
    Evalplus(),
    InspectAi(),
    LmEval(),
    SweBench(),
    Plain(),
)
AUTO = "auto"


def formats() -> tuple[Importer, ...]:
    """The built-in importers, and those of plug-ins."""
    plugins = load("format", Importer, [each.name for each in FORMATS])
    return (*FORMATS, *(each.target for each in plugins if each.fault is None))


def importer(name: str, paths: Sequence[Path]) -> Importer:
    """The importer of this name; for `auto`, the one that recognizes the first path.

    Raises:
        UserError: there is no such format, a path is not there, or none knows it.
    """
    for path in paths:
        if not path.exists():
            raise UserError(f"{path}: does not exist")
    known = formats()
    names = ", ".join(each.name for each in known)
    if name != AUTO:
        found = next((each for each in known if each.name == name), None)
        if found is None:
            broken = fault_of("format", name)
            if broken is not None:
                raise UserError(f"format: {broken}")
            raise UserError(f"format: {name!r} is not one of {AUTO}, {names}")
        return found
    try:
        first = first_row(paths[0])
    except UserError:
        # No built-in format can read it; a plug-in may recognize its name.
        of_plugin = next((each for each in known[len(FORMATS) :] if each.recognises(paths[0], {})), None)
        if of_plugin is None:
            raise
        return of_plugin
    found = next((each for each in known if each.recognises(paths[0], first)), None)
    if found is None:
        having = f"its first row has {', '.join(list(first)[:8])}" if first else "it has no named fields"
        raise UserError(f"{paths[0]}: unrecognized format ({having}); name one: {names}")
    return found
