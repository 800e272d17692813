"""What an object depends on, and the name that follows from it. k is in no key."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tasks.records import Problem

SCHEMA = 1
"""Version of what is stored. It enters every key: a new schema never reads an old object."""


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
    return Identity(label, {"schema": SCHEMA, **ingredients})


def verdict_identity(samples: Identity, grader: str, version: int, limits: Mapping[str, Any]) -> Identity:
    """What verdicts depend on: the samples, the grader and its version, and the limits they ran under."""
    rule = {"grader": grader, "version": version, "limits": dict(limits)}
    return Identity(f"{grader}-v{version}", {"schema": SCHEMA, "samples": samples.name, **rule})


def problems_digest(problems: Iterable[Problem]) -> str:
    """Content hash of a dataset: every field of every problem, in order; its shots where it has any."""
    return digest([_content(problem) for problem in problems])


def _content(problem: Problem) -> dict[str, Any]:
    content = asdict(problem)
    # Sets whose problems have none were named before there were any.
    if not problem.shots:
        del content["shots"]
    return content


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON, in hex."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def slug(text: str) -> str:
    """A label as it may stand in a key."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", text).strip("-") or "unnamed"
