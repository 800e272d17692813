"""Templates and static files of the pages. Every value is escaped, and hidden characters are made visible."""

from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from tasks.report import html
from tasks.report.palette import VERDICTS
from tasks.scaling.summary import percent
from tasks.viewer.addresses import (
    address_of_comparison,
    address_of_difference,
    address_of_problem,
    address_of_sample,
    address_of_set,
)
from tasks.viewer.query import number_as_text

_HASH_LENGTH = 12
_LABELS = {each.verdict: each.label for each in VERDICTS}


def page(template: str, *, title: str, plots: dict[str, Any] | None = None, **values: Any) -> str:
    """A page from a template of this package."""
    return _environment().get_template(template).render(title=title, plots=plots or {}, **values)


def script() -> str:
    """The script of all pages."""
    return html.script() + html.template_text("tasks.viewer", "view.js")


def style() -> str:
    """The style sheet of all pages."""
    return html.style() + html.template_text("tasks.viewer", "view.css")


def swatch(verdict: str | None) -> Markup:
    """The colour of a verdict as a mark next to its name."""
    known = verdict if verdict in _LABELS else "none"
    return Markup('<i class="swatch v-{}" aria-hidden="true"></i>').format(known)


def time_of(written: str) -> str:
    """A time as it is stored (ISO 8601, UTC), for people."""
    return f"{datetime.fromisoformat(written):%Y-%m-%d %H:%M} UTC"


def label(verdict: str | None) -> str:
    """A verdict in words."""
    return "not graded" if verdict is None else _LABELS.get(verdict, verdict)


def name_without_hash(name: str) -> str:
    """What a set is called before the hash of its ingredients."""
    return name[: -_HASH_LENGTH - 1]


def hash_in_name(name: str) -> str:
    """The hash of a set's ingredients, at the end of its name."""
    return name[-_HASH_LENGTH:]


@cache
def _environment() -> Environment:
    made = html.environment("tasks.viewer", "tasks.report")
    made.globals |= {
        "swatch": swatch,
        "label": label,
        "without_hash": name_without_hash,
        "hash_of": hash_in_name,
        "percent": percent,
        "time": time_of,
        "number_as_text": number_as_text,
        "of_set": address_of_set,
        "of_problem": address_of_problem,
        "of_sample": address_of_sample,
        "of_difference": address_of_difference,
        "of_comparison": address_of_comparison,
    }
    return made
