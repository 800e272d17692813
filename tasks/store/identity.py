"""What an object depends on, and the name that follows from it. k is in no key.

Everything that is hashed takes one canonical form (`canonical`): JSON, with a dataclass as those of its fields that
differ from their defaults. An ingredient that is None is left out, too. So a record can grow by a field with a default,
and a set by an ingredient that may be None, without renaming the sets that do not use them. A default never changes:
that would be another rule under the same name.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any

from tasks.records import AnswerCheck, FunctionCheck, Problem, RepositoryCheck, StdioCheck
from tasks.store.schema import SCHEMA


@dataclass(frozen=True, slots=True)
class Identity:
    """The ingredients of a set of results. Sets with different ingredients never share an object."""

    label: str
    ingredients: Mapping[str, Any]

    @property
    def name(self) -> str:
        """A readable label with a hash of all ingredients, such as `programs-onnx-3f9a0c2be1d4`."""
        return f"{slug(self.label)}-{digest(self.ingredients)[:12]}"

    def to_json(self) -> bytes:
        """The ingredients as a person can read them."""
        return (json.dumps(dict(self.ingredients), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()


def sample_identity(label: str, **ingredients: Any) -> Identity:
    """What samples depend on: problems, prompt, engine and model, sampling parameters, seed."""
    return Identity(label, _known({"schema": SCHEMA.major, **ingredients}))


def verdict_identity(
    samples: Identity,
    grader: str,
    version: int,
    limits: Mapping[str, Any],
    plugins: Mapping[str, str] | None = None,
    *,
    settings: Mapping[str, Any] = MappingProxyType({}),
    corrections: str | None = None,
    public_tests: str | None = None,
) -> Identity:
    """What verdicts depend on: the samples, the grader with its version and those settings that are not its defaults,
    the limits they ran under, plug-ins, and the digests of gold answers that were corrected and of which tests are
    public."""
    rule = {"grader": grader, "version": version, "limits": _known(limits), "plugins": plugins}
    rule |= {"settings": dict(settings) or None, "corrections": corrections, "public_tests": public_tests}
    return Identity(f"{grader}-v{version}", _known({"schema": SCHEMA.major, "samples": samples.name, **rule}))


def score_identity(
    samples: Identity, scorer: str, version: int, *, label: str | None = None, **ingredients: Any
) -> Identity:
    """What scores depend on: the samples, the scorer and its version, and what else it says, such as its model. `label`
    is a part of the name alone."""
    rule = {"scorer": scorer, "version": version, **ingredients}
    name = scorer if label is None else f"{scorer}-{label}"
    return Identity(f"{name}-v{version}", _known({"schema": SCHEMA.major, "samples": samples.name, **rule}))


def problems_digest(problems: Iterable[Problem]) -> str:
    """Content hash of a dataset as it was published: every problem, in order. Samples depend neither on corrections nor
    on which tests are public, but on the order of the tests, of which the public ones come first. Nor do they depend on
    how a repository's tests are run, such as on the registry that has its image: verdicts do."""
    return digest([as_published(problem) for problem in problems])


def corrections_digest(problems: Iterable[Problem]) -> str | None:
    """Content hash of the gold answers that were corrected, with their problems; None where none was."""
    checks = [(problem.id, problem.check) for problem in problems]
    corrected = [
        [name, check.answer] for name, check in checks if isinstance(check, AnswerCheck) and check.published is not None
    ]
    return digest(corrected)[:12] if corrected else None


def public_tests_digest(problems: Iterable[Problem], *, of_functions: bool = False) -> str | None:
    """Content hash of how many tests of each problem are public, and with `of_functions`, of the public tests of
    functions and their calls; None where they are not known of any problem."""
    known = []
    for problem in problems:
        check = problem.check
        if isinstance(check, StdioCheck) and check.public is not None:
            known.append([problem.id, check.public])
        if of_functions and isinstance(check, FunctionCheck) and (check.public is not None or check.calls):
            known.append([problem.id, check.public, list(check.calls)])
    return digest(known)[:12] if known else None


def as_published(problem: Problem) -> Problem:
    """A problem without what verdicts alone depend on, such as a correction of its gold answer."""
    check = problem.check
    if isinstance(check, StdioCheck) and check.public is not None:
        return replace(problem, check=replace(check, public=None))
    if isinstance(check, FunctionCheck):
        return replace(problem, check=replace(check, public=None, calls=()))
    if isinstance(check, RepositoryCheck):
        return replace(problem, check=replace(check, image="", evaluation_script="", log_parser="", fail_only=False))
    if not isinstance(check, AnswerCheck) or check.published is None:
        return problem
    return replace(problem, check=AnswerCheck(check.published))


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, in hex."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(value: Any) -> Any:
    """A value as plain JSON has it. A dataclass becomes its fields that differ from their defaults, and its `kind`
    where it has one: two kinds with equal fields are not equal.

    Raises:
        TypeError: it holds something that JSON cannot say.
    """
    if is_dataclass(value) and not isinstance(value, type):
        kind = getattr(type(value), "kind", None)
        kept = {each.name: getattr(value, each.name) for each in fields(value) if not _is_default(each, value)}
        return ({} if kind is None else {"kind": kind}) | {name: canonical(each) for name, each in kept.items()}
    if isinstance(value, Mapping):
        return {str(key): canonical(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(each) for each in value]
    if isinstance(value, str | int | float | None):
        return value
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _known(ingredients: Mapping[str, Any]) -> dict[str, Any]:
    return {name: canonical(value) for name, value in ingredients.items() if value is not None}


def _is_default(field: "Field[Any]", value: Any) -> bool:
    if field.default_factory is not MISSING:
        return bool(getattr(value, field.name) == field.default_factory())
    return field.default is not MISSING and bool(getattr(value, field.name) == field.default)


def slug(text: str) -> str:
    """A label as it may stand in a key."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-") or "unnamed"
