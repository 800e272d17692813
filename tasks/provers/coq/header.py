"""A header's own definitions as a compiled library, which the proof and the statement both load.

Were each of the two compiled with its own definition, the kernel would have to compare `f 100` of one with `f 100`
of the other by computing both. Here they share `f`. A definition is moved into a module of the library; where it stood,
the module is imported, so that names mean what they meant. So are lemmas, on which definitions may rest, and modules.
All other sentences, such as imports, scopes and notations, stay where they are.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sandboxes.confined_command import ConfinedCommand
from sandboxes.scratch import scratch_folder
from tasks.provers import ProverFailedError, TheoremFaultError
from tasks.provers.coq.installation import Installation
from tasks.provers.coq.warm import OPTIONS
from tasks.provers.vernacular.placing import is_shared, opens_lemma, opens_module
from tasks.provers.vernacular.sentences import words

LIBRARY = "MonkeysHeader"
"""The name of the compiled library."""

_CPU_S = 120.0
_MAX_OUTPUT_BYTES = 1024 * 1024


class Header(NamedTuple):
    """A header cut in two: the source of the library, None where it defines nothing; and what loads both."""

    library: str | None
    sentences: tuple[str, ...]


def divided(header: tuple[str, ...]) -> Header:
    """A header whose definitions, lemmas and modules are moved into the library."""
    library: list[str] = []
    users = [f"Require {LIBRARY}."]
    modules = 0
    for part in _parts(header):
        first = part[0]
        if is_shared(first) or opens_module(first) or opens_lemma(first):
            modules += 1
            module = f"Monkeys_{modules}"
            library += [f"Module {module}.", *part, f"End {module}.", f"Import {module}."]
            users.append(f"Import {LIBRARY}.{module}.")
            if words(first)[:2] == ["Module", "Import"]:  # What it imports is not imported with the module around it.
                imported = f"Import {words(first)[2]}."
                library.append(imported)
                users.append(imported)
        else:
            library += part
            users += part
    return Header("\n".join(library) + "\n", tuple(users)) if modules else Header(None, header)


def _parts(header: tuple[str, ...]) -> Iterator[list[str]]:
    """What is moved as a whole: a module up to its end, a lemma with its proof, or else one sentence."""
    part: list[str] = []
    depth = 0
    for sentence in header:
        part.append(sentence)
        ends = words(sentence)[:1]
        depth += opens_module(sentence) - (ends == ["End"])
        proving = opens_lemma(part[0]) and ends not in (["Qed"], ["Defined"])
        if depth <= 0 and not proving:
            yield part
            part = []
    if part:
        yield part


@lru_cache(maxsize=64)
def compiled(library: str, rocq: Installation, memory_mb: int) -> bytes:
    """The library, compiled by a process that runs nothing else.

    Raises:
        TheoremFaultError: it does not compile.
        ProverFailedError: it takes too long or too much memory.
        SandboxUnavailableError: bubblewrap cannot run here.
    """
    with scratch_folder() as folder:
        source = folder / f"{LIBRARY}.v"
        source.write_text(library, encoding="utf-8")
        command = ConfinedCommand((rocq.compiler, *OPTIONS, "-noglob", str(source)), rocq.shown, memory_mb, folder)
        finished = command.run(_CPU_S, _MAX_OUTPUT_BYTES)
        if finished.limit is not None:
            raise ProverFailedError(f"the header could not be compiled: {finished.limit}")
        if finished.exit_code != 0:
            said = re.sub(r"\s+", " ", finished.stderr.partition("Error:")[2] or finished.stderr)
            raise TheoremFaultError(f"its header does not compile as a library: {said.strip()[:200]}")
        return source.with_suffix(".vo").read_bytes()
