"""Prompts for instruct models: the plain prompt as the one message of a user, through the tokenizer's own template.

The template is Jinja, from `chat_template.jinja` or `tokenizer_config.json` beside the tokenizer, rendered as
transformers does (whitespace of blocks trimmed, in a Jinja sandbox); transformers is not needed. A template that asks
for today's date gets none, and takes its own default: a prompt must not depend on the day. Where the tokenizer puts its
beginning-of-text token before every text, the one that the template writes is left out, so that there is one.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import Field

from sandboxes.config import Config
from tasks.errors import UserError


class ChatConfig(Config):
    """How an instruct model is asked."""

    tokenizer: str = Field(min_length=1, description="Folder of the model's tokenizer, with its chat template")
    system: str | None = Field(default=None, description="System message before the user's; empty: none")

    def load(self) -> "ChatTemplate":
        """The template, read and tried.

        Raises:
            UserError: there is none, or it cannot take such messages.
        """
        folder = Path(self.tokenizer)
        settings = _json(folder / "tokenizer_config.json")
        special = _json(folder / "special_tokens_map.json") | settings
        loaded = ChatTemplate(
            _template(folder, settings),
            tuple((name, text) for name in ("bos_token", "eos_token") if (text := _token(special.get(name)))),
            self.system,
            implicit_bos=_implicit_bos(folder),
        )
        loaded.render("Hello")
        return loaded


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """A chat template with the special tokens that it may name, and the system message. `leaves_out` is what the
    tokenizer itself puts before every text."""

    template: str
    tokens: tuple[tuple[str, str], ...]
    system: str | None
    implicit_bos: str = ""

    def render(self, prompt: str) -> str:
        """The text that the model goes on from: its own turn begins.

        Raises:
            UserError: the template refuses these messages, or is broken.
        """
        from jinja2 import TemplateError  # only chat pays for it
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.globals["raise_exception"] = _refuse
        environment.filters["tojson"] = lambda value, **options: json.dumps(value, ensure_ascii=False, **options)
        messages = [{"role": "system", "content": self.system}] if self.system is not None else []
        messages.append({"role": "user", "content": prompt})
        try:
            text = environment.from_string(self.template).render(
                messages=messages, add_generation_prompt=True, tools=None, documents=None, **dict(self.tokens)
            )
        except (TemplateError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise UserError(f"chat.tokenizer: its chat template cannot take these messages ({reason})") from error
        return text.removeprefix(self.implicit_bos)

    @property
    def ingredients(self) -> dict[str, Any]:
        """What prompts depend on besides the dataset's template."""
        return {"template": self.template, "tokens": dict(self.tokens), "system": self.system, "out": self.implicit_bos}


def _refuse(message: str) -> NoReturn:
    raise ValueError(message)


def _template(folder: Path, settings: dict[str, Any]) -> str:
    separate = folder / "chat_template.jinja"
    if separate.is_file():
        return separate.read_text(encoding="utf-8")
    found = settings.get("chat_template")
    if isinstance(found, list):
        # Some have several by name: for tools, for retrieval.
        found = next((each["template"] for each in found if each.get("name") == "default"), None)
    if not isinstance(found, str):
        raise UserError(
            f"chat.tokenizer: {folder} has no chat template (chat_template.jinja, or one in tokenizer_config.json);"
            " give the folder of an instruct model, or leave chat out"
        )
    return found


def _token(value: Any) -> str | None:
    """A special token, written as a text or with its settings."""
    text = value.get("content") if isinstance(value, dict) else value
    return text if isinstance(text, str) else None


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise UserError(f"chat.tokenizer: {path} cannot be read ({error})") from error
    return document if isinstance(document, dict) else {}


def _implicit_bos(folder: Path) -> str:
    """The special token that the tokenizer puts before every text; empty where it puts none, or is not there."""
    if not (folder / "tokenizer.json").is_file():
        return ""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    plain = tokenizer.encode("a", add_special_tokens=False).tokens
    full: list[str] = tokenizer.encode("a").tokens
    return full[0] if len(full) > len(plain) and full[0] != plain[0] else ""
