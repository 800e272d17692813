"""Plug-ins: datasets, engines, graders, provers, scorers, sandboxes, importers, budgets and selectors of other
distributions.

A plug-in is an entry point in one of `GROUPS`. Its name is what people write in a sweep file; its object is a class
that implements the Protocol of the role. A broken plug-in never affects anything else: its fault is recorded, and is an
error only where the plug-in is named. `MONKEYS_PLUGINS`, a comma-separated list of plug-ins or distributions, restricts
what is loaded; an empty value loads none.

Entry points are read only when a configuration needs them.
"""

import os
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, NamedTuple, Protocol, get_args, get_origin

from pydantic import BaseModel

from sandboxes.config import Config
from tasks.errors import MonkeysError

__all__ = [
    "GROUPS",
    "VARIABLE",
    "Config",
    "Plugin",
    "PluginError",
    "class_fault",
    "fault_of",
    "label_of",
    "load",
    "loaded",
    "origin",
]

GROUPS = {
    "dataset": "monkeys.datasets",
    "engine": "monkeys.engines",
    "grader": "monkeys.graders",
    "prover": "monkeys.provers",
    "scorer": "monkeys.scorers",
    "sandbox": "monkeys.sandboxes",
    "format": "monkeys.importers",
    "budget": "monkeys.budgets",
    "selector": "monkeys.selectors",
}
"""The entry points of each role, by the role's name in messages."""
VARIABLE = "MONKEYS_PLUGINS"
_SLOW_S = 2.0


class PluginError(MonkeysError, RuntimeError):
    """An implementation, most likely a plug-in, breaks the Protocol of its role."""

    resumable = True


class Plugin(NamedTuple):
    """An installed plug-in. `fault` is why it cannot be used; else `target` is its class (an importer: the object)."""

    role: str
    name: str
    distribution: str
    version: str
    target: Any = None
    fault: str | None = None

    def __str__(self) -> str:
        return f"plug-in {self.name} ({self.distribution} {self.version})"


_loaded: dict[str, tuple[Plugin, ...]] = {}


def load(role: str, protocol: type, built_in: Collection[str]) -> tuple[Plugin, ...]:
    """The plug-ins of a role, also those with a `fault`. They are loaded by the first call.

    Args:
        role: a key of `GROUPS`.
        protocol: what each must implement.
        built_in: the names of the built-in implementations, which a plug-in cannot have.
    """
    if role not in _loaded:
        found: list[Plugin] = []
        for point in _entry_points(GROUPS[role]):
            plugin = _plugin(role, point)
            same = next((each for each in found if each.name == point.name and each.fault is None), None)
            if point.name in built_in:
                plugin = plugin._replace(fault="its name is taken by a built-in one")
            elif same is not None:
                plugin = plugin._replace(fault=f"its name is taken by {same}")
            else:
                plugin = _with_target(plugin, point, protocol)
            found.append(plugin)
        _loaded[role] = tuple(found)
    return _loaded[role]


def loaded() -> Iterator[Plugin]:
    """The plug-ins of all roles that have been loaded."""
    for plugins in _loaded.values():
        yield from plugins


def fault_of(role: str, name: str) -> str | None:
    """Why the plug-in of this name cannot be used, for messages; None if it can be used, or there is none."""
    of_name = [each for each in loaded() if (each.role, each.name) == (role, name) and each.fault]
    return f"{of_name[0]} cannot be used: {of_name[0].fault}" if of_name else None


def class_fault(role: str, name: str, target: Any, protocol: type) -> str | None:
    """What is wrong with a plug-in's class (or an importer's object) that its name would choose; None: nothing that can
    be seen before it is used."""
    if role == "format":
        same = getattr(target, "name", None) == name
        return _lacks(target, protocol, ()) if same else f"has a different name from its entry point, {name}"
    return _fault_of_model(name, target) or _lacks(target, protocol, target.model_fields)


def origin(chosen: object) -> str | None:
    """The distribution and version of the plug-in that was chosen, such as `monkeys-example 1.0`; None: built in."""
    plugin = _of(chosen)
    return f"{plugin.distribution} {plugin.version}" if plugin else None


def label_of(role: str, chosen: Any) -> str:
    """The implementation of a role, for messages: its name, and a plug-in's distribution."""
    from_ = origin(chosen)
    return f"{role}: {chosen.name}" + (f" ({from_})" if from_ else "")


def _of(chosen: object) -> Plugin | None:
    usable = (each for each in loaded() if each.fault is None)
    return next((each for each in usable if each.target is type(chosen) or each.target is chosen), None)


@cache
def _all_entry_points() -> Any:
    return entry_points()


def _entry_points(group: str) -> list[EntryPoint]:
    """Those that may be loaded, in a fixed order."""
    allowed = os.environ.get(VARIABLE)
    names = None if allowed is None else {_normal(name) for name in allowed.split(",") if name.strip()}
    if names is not None and not names:
        return []
    points = list(_all_entry_points().select(group=group))
    if names is not None:
        points = [each for each in points if {_normal(each.name), _normal(_distribution(each)[0])} & names]
    return sorted(points, key=lambda each: (each.name, _distribution(each)))


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist is not None else ("unknown", "0")


def _plugin(role: str, point: EntryPoint) -> Plugin:
    return Plugin(role, point.name, *_distribution(point))


def _with_target(plugin: Plugin, point: EntryPoint, protocol: type) -> Plugin:
    try:
        with _named_if_slow(plugin):
            target = point.load()
            if plugin.role == "format" and isinstance(target, type):
                target = target()
    # Whatever third-party code does on import is a fault of this plug-in alone.
    except (Exception, SystemExit) as error:  # noqa: BLE001
        reason = " ".join(str(error).split())[:200]
        return plugin._replace(fault=f"{point.value} does not load ({type(error).__name__}: {reason})")
    fault = class_fault(plugin.role, plugin.name, target, protocol)
    return plugin._replace(target=target) if fault is None else plugin._replace(fault=f"{point.value} {fault}")


@contextmanager
def _named_if_slow(plugin: Plugin) -> Iterator[None]:
    """Print what is loading if it takes long, so that a plug-in that hangs is known and can be interrupted."""
    text = f"monkeys: loading {plugin} is taking long; press Ctrl-C to stop, and set {VARIABLE}= to load none\n"
    timer = threading.Timer(_SLOW_S, lambda: (sys.stderr.write(text), sys.stderr.flush()))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _fault_of_model(wanted: str, target: Any) -> str | None:
    if not (isinstance(target, type) and issubclass(target, BaseModel)):
        return "is not a pydantic model"
    if not target.model_config.get("frozen"):
        return "is not frozen: derive it from tasks.plugins.Config"
    name = target.model_fields.get("name")
    if name is None or get_origin(name.annotation) is not Literal or get_args(name.annotation) != (wanted,):
        return f'has no field `name: Literal["{wanted}"] = "{wanted}"`'
    try:
        target.model_json_schema()
    except Exception as error:  # noqa: BLE001 - of any kind: it would break the form of all choices
        return f"has fields that a form cannot show ({' '.join(str(error).split())[:100]})"
    return None


def _lacks(target: Any, protocol: type, fields: Collection[str]) -> str | None:
    for name, member in _members(protocol).items():
        if not hasattr(target, name) and name not in fields:
            return f"lacks `{name}` ({protocol.__name__} in {protocol.__module__})"
        if callable(member) and not callable(getattr(target, name, None)):
            return f"has a `{name}` that is not a method ({protocol.__name__} in {protocol.__module__})"
    return None


def _members(protocol: type) -> dict[str, Any]:
    """The public members of a Protocol, by name."""
    bases = [base for base in protocol.__mro__ if base is not object and base is not Protocol]
    return {name: member for base in bases for name, member in vars(base).items() if not name.startswith("_")}
