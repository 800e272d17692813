"""What all pages share: one self-contained file, in which text from models and users cannot become markup.

The templates escape every value, control and direction-changing characters are made visible, and a content security
policy allows only the page's own script, by its hash.
"""

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tasks.report.model import FigureFile
from tasks.report.phrases import visible
from tasks.report.theme import STYLE

_SCRIPTS = ("page.js", "plot.js")
_STYLE = "report.css"


def page(template: str, *, title: str, plots: dict[str, Any], **values: Any) -> str:
    """Render a template of this package; `plots` has the data that the script draws, by the name of the figure."""
    code = script()
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    return (
        _own()
        .get_template(template)
        .render(
            title=title,
            plots=plots,
            style=Markup(style()),  # noqa: S704 - our own file
            script=Markup(code),  # noqa: S704
            script_hash=digest,
            **values,
        )
    )


def script() -> str:
    """The script of all pages, which also draws their plots."""
    return '"use strict";\n' + "".join(template_text("tasks.report", each) for each in _SCRIPTS)


def style() -> str:
    """The style sheet of all pages."""
    return STYLE + template_text("tasks.report", _STYLE)


def link(name: str, content: bytes | str, label: str | None = None) -> dict[str, str]:
    """A file embedded in the page, as a download link with this name; its label is the kind of file by default."""
    kinds = {"csv": "text/csv", "svg": "image/svg+xml", "pdf": "application/pdf"}
    if isinstance(content, str):
        content = content.encode("utf-8", errors="backslashreplace")
    ending = name.rpartition(".")[2]
    href = f"data:{kinds[ending]};base64,{base64.b64encode(content).decode()}"
    return {"label": label or ending.upper(), "name": name, "href": href}


def figure_links(figure: FigureFile) -> list[dict[str, str]]:
    """A figure as SVG and as PDF."""
    return [link(f"{figure.name}.svg", figure.svg), link(f"{figure.name}.pdf", figure.pdf)]


def svg_address(figure: FigureFile) -> str:
    """A figure as the address of an image."""
    return f"data:image/svg+xml;base64,{base64.b64encode(figure.svg).decode()}"


def template_text(package: str, name: str) -> str:
    """A file among the templates of a package."""
    return resources.files(package).joinpath("templates", name).read_text(encoding="utf-8")


def _finalize(value: object) -> object:
    """Applied to the value of every template expression: makes hidden characters of plain text visible."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def environment(*packages: str) -> Environment:
    """The templates of these packages; of two with one name, that of the first package. Values are escaped, hidden
    characters in them made visible, and missing ones are an error."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(each) for each in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _own() -> Environment:
    return environment("tasks.report")
