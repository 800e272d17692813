"""What all checks share: how they fail, and what must hold for the configuration class of every role."""

import json
from typing import Any

from pydantic import BaseModel

from sandboxes import SandboxConfig
from tasks.datasets import Dataset
from tasks.engines import EngineConfig
from tasks.errors import UserError
from tasks.graders import Grader
from tasks.importers import Importer
from tasks.plugins import class_fault
from tasks.provers import Prover
from tasks.scorers import ScorerConfig
from tasks.selection import Selector
from tasks.sweep.budgets import Budget

PROTOCOLS: dict[str, type] = {
    "dataset": Dataset,
    "engine": EngineConfig,
    "grader": Grader,
    "prover": Prover,
    "scorer": ScorerConfig,
    "sandbox": SandboxConfig,
    "format": Importer,
    "budget": Budget,
    "selector": Selector,
}


class ContractError(AssertionError):
    """An implementation breaks the Protocol of its role."""


def require(holds: bool, message: str) -> None:
    """Raise ContractError with this message unless something holds."""
    if not holds:
        raise ContractError(message)


def check_class(role: str, config: Any) -> None:
    """Check what is checked when a plug-in is loaded, and that every field has a description for the form.

    Raises:
        ContractError: the class cannot be chosen by its name, lacks a member, or has a field without a description.
    """
    target = config if role == "format" else type(config)
    name = str(getattr(config, "name", ""))
    require(bool(name), f"{type(config).__name__} has no name")
    fault = class_fault(role, name, target, PROTOCOLS[role])
    require(fault is None, f"{type(config).__name__} {fault}")
    if isinstance(config, BaseModel):
        fields = type(config).model_fields
        silent = [name for name, field in fields.items() if name != "name" and not field.description]
        require(not silent, f"{type(config).__name__}: these fields have no description: {', '.join(silent)}")
        again = type(config).model_validate(json.loads(config.model_dump_json()))
        require(again == config, f"{type(config).__name__} changes when it is written as JSON and read again")


def require_json(value: object, what: str) -> None:
    """Check that a value can be written as JSON and read again unchanged."""
    try:
        again = json.loads(json.dumps(value))
    except (TypeError, ValueError) as error:
        require(False, f"{what} is not JSON: {error}")
    else:
        require(again == value, f"{what} changes when it is written as JSON and read again: {value!r:.200}")


def one_line(error: UserError, what: str) -> None:
    """Check that the message of an error is one line."""
    text = str(error)
    require(bool(text.strip()) and len(text.splitlines()) == 1, f"{what}: the error is not one line: {text!r}")
