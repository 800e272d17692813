"""Reads a `SweepConfig` from a YAML file and `--set` options, with errors that name the field and what would be
right."""

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from flows.config.fields import OLD_NAMES, by_new_names
from flows.config.sweep import SweepConfig
from tasks.errors import UserError
from tasks.plugins import fault_of, loaded

Config = TypeVar("Config", bound=BaseModel)

_log = logging.getLogger(__name__)


def read_config(path: Path, overrides: Iterable[str] = (), **fields: Any) -> SweepConfig:
    """Read a sweep file, then apply `a.b=c` overrides in order, then top-level fields that are not None.

    Raises:
        UserError: the file is absent or not YAML, a field is unknown, or a value is out of bounds.
    """
    return build_config(SweepConfig, read_yaml(path), overrides, where=str(path), **fields)


def build_config(
    model: type[Config], document: dict[str, Any], overrides: Iterable[str] = (), *, where: str, **fields: Any
) -> Config:
    """Apply overrides and fields to a document as `read_config` does, and validate it; errors begin with `where`."""
    for override in overrides:
        name, equals, value = override.partition("=")
        if not equals or not name.strip():
            raise UserError(f"--set {override}: not of the form field=value, such as --set sampling.temperature=0.8")
        first, *inner = name.strip().split(".")
        _put(document, [OLD_NAMES.get(first, first), *inner], _value(override, value), override)
    document |= {name: value for name, value in fields.items() if value is not None}
    try:
        config = model.model_validate(document)
    except ValidationError as error:
        raise UserError(f"{where}: {_one_line(error)}") from error
    for plugin in loaded():
        if plugin.fault is not None:
            _log.warning("monkeys: %s is left out: %s", plugin, plugin.fault)
    return config


def read_yaml(path: Path) -> dict[str, Any]:
    """The fields of a file, not validated.

    Raises:
        UserError: it cannot be read, or is not a YAML mapping.
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); give the path of a sweep file") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 text ({error.reason}); give the path of a sweep file") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: broken YAML ({' '.join(str(error).split())})") from error
    if not isinstance(document, dict):
        raise UserError(f"{path}: holds no fields; a sweep file has at least `dataset:` and `engine:`")
    try:
        return by_new_names(document)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def _value(override: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UserError(f"--set {override}: broken YAML value ({' '.join(str(error).split())})") from error


def _put(document: dict[str, Any], path: list[str], value: Any, override: str) -> None:
    """Set a nested field; a role in its short form (`engine: onnx`) is expanded to `{name: onnx}` first."""
    at = document
    for name in path[:-1]:
        inner = at.get(name) or {}
        if isinstance(inner, str):
            inner = {"name": inner}
        if not isinstance(inner, dict):
            raise UserError(f"--set {override}: {name} is a value, and has no field {path[-1]}")
        at[name] = at = dict(inner)
    at[path[-1]] = value


def _one_line(error: ValidationError) -> str:
    """The first error, with the field as it is written in the file."""
    fault = error.errors()[0]
    path = _path(fault["loc"])
    context: Mapping[str, Any] = fault.get("ctx", {})
    match fault["type"]:
        case "union_tag_invalid":
            known = str(context["expected_tags"]).replace("'", "")
            unknown = f"{context['tag']!r} is unknown; one of {known}"
            role = "scorer" if fault["loc"][0] == "scorers" else path.rpartition(".")[2]
            broken = fault_of(role, context["tag"])
            return f"{path}.name: {broken or unknown}"
        case "union_tag_not_found":
            return f"{path}: has no name; write one, such as `{path}: {{name: ...}}`"
        case "literal_error":
            known = str(context["expected"]).replace("'", "")
            unknown = f"{fault['input']!r} is unknown; one of {known}"
            broken = fault_of(path.rpartition(".")[2], str(fault["input"]))
            return f"{path}: {broken or unknown}"
        case "missing":
            return f"{path}: is required"
        case "extra_forbidden":
            return f"{path}: is not a field of a sweep"
        case _:
            ours = context.get("error")
            whole = isinstance(ours, UserError) or not fault["loc"]
            theirs = f"{fault['msg'][0].lower()}{fault['msg'][1:]} (it is {fault['input']!r})"
            return str(ours) if whole else f"{path}: {ours or theirs}"


def _path(location: tuple[int | str, ...]) -> str:
    """The field's path in the file: `engine.model` for `("engine", "onnx", "model")`, whose second part is the union's
    choice; `scorers.0.model` for `("scorers", 0, "onnx", "model")`."""
    roles = {"dataset", "engine", "budget", "grader", "prover", "sandbox", "selector"}
    found: list[str] = []
    after_role = False
    for part in location:
        if after_role:
            after_role = False
            continue
        found.append(str(part))
        after_role = part in roles or found[:-1] == ["scorers"]
    return ".".join(found)
