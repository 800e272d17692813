"""The replies of Lean's REPL (leanprover-community/repl, `REPL/JSON.lean`) to commands, which a Kimina Lean Server
passes on.

A reply is one JSON object, with `messages`, `sorries` and the new `env`, or with `message` alone where the REPL could
not run the command. What a proof prints is in the text of messages, as JSON strings: it cannot add a message or change
a severity.
"""

import json
import re
from typing import Any, NamedTuple

from tasks.records import Verdict

MAX_REPLY_BYTES = 16 * 1024 * 1024
"""The longest reply that is read."""

_SEVERITIES = {"trace", "info", "warning", "error"}
# Lean before 4.26 writes 'sorry', later ones `sorry`.
_USES_SORRY = re.compile(r"declaration uses\W+sorry\b")


class MalformedReplyError(ValueError):
    """What was received is not a reply to a command; the message says why."""


class Message(NamedTuple):
    """A message of Lean. `line` counts from 1 in the command, and is 0 where the REPL does not know it."""

    severity: str
    text: str
    line: int


class Reply(NamedTuple):
    """A reply to a command: its messages in order, how many `sorry` it has, and the id of the environment after it
    (None: not told). `fault` is what the REPL says where it did not run the command."""

    messages: tuple[Message, ...] = ()
    sorries: int = 0
    env: int | None = None
    fault: str | None = None

    @property
    def errors(self) -> tuple[str, ...]:
        """The texts of all errors."""
        return tuple(each.text for each in self.messages if each.severity == "error")

    @property
    def uses_sorry(self) -> bool:
        """Whether a declaration rests on `sorry`, by the list of them or by a warning."""
        warnings = (each.text for each in self.messages if each.severity == "warning")
        return self.sorries > 0 or any(_USES_SORRY.match(text) for text in warnings)


def decode_reply(text: bytes) -> Reply:
    """The reply that a REPL has written.

    Raises:
        MalformedReplyError: it is not one JSON object, or not a reply to a command.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedReplyError(f"not JSON: {text[:60]!r}") from error
    return read_reply(value)


def read_reply(value: Any) -> Reply:
    """The reply in a JSON value.

    Raises:
        MalformedReplyError: it is not a reply to a command.
    """
    if not isinstance(value, dict):
        raise MalformedReplyError("not an object")
    if "message" in value:
        fault = value["message"]
        if not isinstance(fault, str) or {"env", "messages", "sorries"} & value.keys():
            raise MalformedReplyError("both a reply and a fault")
        return Reply(fault=fault)
    if "proofState" in value or "goals" in value:
        raise MalformedReplyError("the reply to a tactic")
    env = value.get("env")
    if env is not None and (not isinstance(env, int) or isinstance(env, bool)):
        raise MalformedReplyError("`env` is not a number")
    messages = tuple(_message(each) for each in _list(value, "messages"))
    return Reply(messages, len(_list(value, "sorries")), env)


def outcome(reply: Reply) -> tuple[Verdict, str]:
    """Whether what was sent is accepted: `correct`, or `error` with the reason in one line. The reply has no fault."""
    if reply.errors:
        return Verdict.ERROR, one_line(reply.errors[0])
    if reply.uses_sorry:
        return Verdict.ERROR, "it uses sorry"
    return Verdict.CORRECT, ""


def one_line(text: str, length: int = 300) -> str:
    """The beginning of a text, without line breaks."""
    return " ".join(text[: 4 * length].split())[:length]


def _list(value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise MalformedReplyError(f"`{key}` is not a list")
    return found


def _message(value: Any) -> Message:
    if not isinstance(value, dict):
        raise MalformedReplyError("a message is not an object")
    severity, text, place = value.get("severity"), value.get("data"), value.get("pos")
    if severity not in _SEVERITIES or not isinstance(text, str):
        raise MalformedReplyError("a message without a severity or a text")
    line = place.get("line") if isinstance(place, dict) else 0
    return Message(severity, text, line if isinstance(line, int) else 0)
