"""Generates the reference pages of the docs from the code: python -m infra.generate_docs [--check]

`docs/sweep_file.md` comes from the pydantic models of the sweep file, `docs/command_line.md` from the help of all
commands. With --check, writes nothing and exits with 1 if a page is not up to date.
"""

import html
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# The pages describe only what is built in.
os.environ["MONKEYS_PLUGINS"] = ""

import typer.main
import yaml
from typer.cli import get_docs_for_click

from flows.command_line.cli import app
from flows.config.regrade import RegradeConfig
from flows.config.sweep import SweepConfig

DOCS = Path(__file__).resolve().parents[1] / "docs"
LONG_DESCRIPTION = 80
"""A description with more characters is printed in full only for the first choice of a role that has the field."""

Schema = dict[str, Any]


def sweep_file_page() -> str:
    """The sweep file: its fields, then the choices for each field that has several."""
    schema = SweepConfig.model_json_schema()
    parts = [
        "# Sweep file",
        "",
        "A sweep file is YAML with the fields below; the form in the Prefect UI has the same fields. On the command",
        "line, `--set engine.batch_size=32` sets any of them. A choice is written as its name (`budget: adaptive`) or",
        "with its fields (`engine: {name: onnx, model: programs}`).",
        "",
        *_fields(schema, schema["$defs"]),
    ]
    for role, field in schema["properties"].items():
        choices = _choices(field, schema["$defs"])
        if len(choices) > 1:
            parts += ["", f"## {role}", "", f"{field['description']}. One of:"]
            described: dict[tuple[str, str], str] = {}
            for choice in choices:
                heading = f"{role}: {choice['properties']['name']['const']}"
                parts += ["", f"### {heading}", "", choice["description"], ""]
                parts += _fields(_described_once(choice, heading, described), schema["$defs"], without=("name",))
            for heading, inner in _inner_fields(choices, schema["$defs"]).items():
                parts += ["", f"### {role}: {heading}", "", inner["description"], ""]
                parts += _fields(inner, schema["$defs"], without=("name",))
        elif choices:
            parts += ["", f"## {role}", "", choices[0]["description"], ""]
            parts += _fields(choices[0], schema["$defs"])
    parts += ["", *_regrading()]
    return "\n".join(parts) + "\n"


def _described_once(choice: Schema, heading: str, described: dict[tuple[str, str], str]) -> Schema:
    """The choice, with long descriptions cut at the first colon, semicolon or period if an earlier choice has it.

    `described` has the choice under which each field was described in full.
    """
    properties = {}
    for name, field in choice["properties"].items():
        description = field.get("description", "")
        first = described.setdefault((name, description), heading)
        if first != heading and len(description) > LONG_DESCRIPTION:
            clause = re.split(r"[;:.]", description, maxsplit=1)[0]
            description = f"{clause} ([more](#{first.replace(':', '').replace(' ', '-')}))"
        properties[name] = {**field, "description": description}
    return {**choice, "properties": properties}


def _inner_fields(choices: list[Schema], definitions: Schema) -> dict[str, Schema]:
    """The objects that are fields of some of the choices, each once: by the field's name, and by the object's where
    there are several."""
    found: dict[str, Schema] = {}
    for each in choices:
        for name, field in each["properties"].items():
            inner = _choices(field, definitions)
            for one in inner:
                found[f"{name}: {one['properties']['name']['const']}" if len(inner) > 1 else name] = one
    return found


def _regrading() -> Iterator[str]:
    schema = RegradeConfig.model_json_schema()
    own = {name: field for name, field in schema["properties"].items() if name not in SweepConfig.model_fields}
    yield "## Fields of the `regrade` flow"
    yield ""
    yield "The form of `regrade` in the Prefect UI has `dataset`, `grader`, `sandbox` and `store` as above, and:"
    yield ""
    yield from _fields({**schema, "properties": own}, schema["$defs"])


def _fields(schema: Schema, definitions: Schema, without: tuple[str, ...] = ()) -> list[str]:
    """A table of an object's fields."""
    rows = ["| field | type | default | |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        if name in without:
            continue
        default = "required" if name in schema.get("required", ()) else _default(field.get("default"))
        about = " ".join(field.get("description", "").split()).replace("|", "\\|")
        rows.append(f"| `{name}` | {_type(field, definitions)} | {default} | {about} |")
    return rows if len(rows) > 2 else ["No fields."]


def _default(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict):
        value = value.get("name", value)
    if isinstance(value, str) and not value.isprintable():
        return f"`{json.dumps(value)}`"
    text = yaml.safe_dump(value, default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
    return f"`{text}`"


_NAMES = {"integer": "integer", "number": "number", "string": "text", "boolean": "true or false", "object": "mapping"}


def _type(field: Schema, definitions: Schema) -> str:
    """The type of a field in words."""
    if choices := _choices(field, definitions):
        one = "a choice, see below" if len(choices) > 1 else "fields, see below"
        return f"list: {one}" if field.get("type") == "array" else one
    match field:
        case {"anyOf": options}:
            return " or ".join(_type(each, definitions) for each in options if each.get("type") != "null")
        case {"enum": values}:
            return ", ".join(f"`{each}`" for each in values)
        case {"const": value}:
            return f"`{value}`"
        case {"type": "array"}:
            return f"list of {_type(field.get('items', {}), definitions)}"
        case _:
            return _NAMES.get(field.get("type", ""), "value") + _bounds(field)


def _bounds(field: Schema) -> str:
    low = field.get("minimum", field.get("exclusiveMinimum"))
    high = field.get("maximum", field.get("exclusiveMaximum"))
    found = []
    if low is not None:
        found.append(f"{'≥' if 'minimum' in field else '>'} {low:,}")
    if high is not None:
        found.append(f"{'≤' if 'maximum' in field else '<'} {high:,}")
    return f" {', '.join(found)}" if found else ""


def _choices(field: Schema, definitions: Schema) -> list[Schema]:
    """The schemas of the objects that are allowed as a field's value."""
    if field.get("type") == "array":
        return _choices(field.get("items", {}), definitions)
    options = field.get("anyOf", [field])
    references = [each["$ref"].rpartition("/")[2] for each in options if "$ref" in each]
    nested = [choice for each in options if "anyOf" in each for choice in _choices(each, definitions)]
    return [definitions[name] for name in references] + nested


def command_line_page() -> str:
    """The help of all commands, as Typer renders it."""
    command = typer.main.get_group(app)
    for name in [name for name, each in command.commands.items() if each.hidden]:
        del command.commands[name]
    _give_short_help(command)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name="monkeys", title="Command line")
    # Epilogs are written for the terminal, in rich's markup.
    text = re.sub(r"\[bold\](.*?)\[/\]", r"`\1`", html.unescape(text))
    text = re.sub(r"^Examples?: (.+)$", _examples, text, flags=re.MULTILINE)
    return text.strip() + "\n"


def _give_short_help(group: Any) -> None:
    """List each command with the first sentence of its help, which Typer would otherwise truncate."""
    for command in group.commands.values():
        command.short_help = " ".join(command.help.partition(". ")[0].rstrip(".").split()) + "."
        if hasattr(command, "commands"):
            _give_short_help(command)


def _examples(found: re.Match[str]) -> str:
    return "**Examples**:\n\n" + "\n".join(f"* {each.strip()}" for each in found[1].split("  ·  "))


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with --check. Returns the exit status: 1 if a page is not up to date."""
    stale = 0
    for name, text in {"sweep_file.md": sweep_file_page(), "command_line.md": command_line_page()}.items():
        page = DOCS / name
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            continue
        if "--check" in arguments:
            stale = 1
            print(f"docs/{name} is not up to date; run: .venv/bin/python -m infra.generate_docs")
        else:
            page.write_text(text, encoding="utf-8")
            print(f"wrote docs/{name}")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
