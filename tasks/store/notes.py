"""What people say of samples: whether one is right, and why. Notes are objects next to the set, `notes/SET/…`; they
change no sample and no verdict.

A note has the text of its sample, so that it says what it is about even where the samples are gone or were drawn again.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from tasks.store import Store
from tasks.store.footer_fields import Count, Time
from tasks.store.schema import CorruptObjectError

_KEY = re.compile(r"notes/[^/]+/p[0-9]{5,8}-i[0-9]{7,10}\.json")


class Label(StrEnum):
    """What a person says of a sample."""

    RIGHT = "right"
    WRONG = "wrong"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Note:
    """A label on one sample with a remark. `position` is that of the problem in its dataset, `sample` the text that was
    looked at, `written_at` a time in UTC (ISO 8601)."""

    problem_id: str
    position: Count
    index: Count
    label: Label
    remark: str
    sample: str
    written_at: Time


_note = TypeAdapter(Note)


def write_note(store: Store, samples: str, note: Note) -> None:
    """Write a note on a sample of a set, in place of the one that it had."""
    store.write(_key(samples, note.position, note.index), json.dumps(asdict(note), ensure_ascii=False).encode())


def delete_note(store: Store, samples: str, position: int, index: int) -> None:
    """Remove the note on a sample, if it has one."""
    store.delete(_key(samples, position, index))


def read_note(store: Store, samples: str, position: int, index: int) -> Note | None:
    """The note on a sample; None where it has none.

    Raises:
        CorruptObjectError: the object is damaged.
    """
    return _read(store, _key(samples, position, index))


def read_notes(store: Store, samples: str) -> Iterator[Note]:
    """The notes on a set, by problem and index. Raises as `read_note` does."""
    for key in note_keys(store, samples):
        note = _read(store, key)
        if note is not None:
            yield note


def note_keys(store: Store, samples: str) -> list[str]:
    """The keys of the notes on a set: one listing."""
    return [key for key in store.keys(f"notes/{samples}") if _KEY.fullmatch(key)]


def labelled_row(note: Note) -> dict[str, object] | None:
    """A note as a row of the file that `monkeys audit graders --labelled` reads; None where its writer was unsure."""
    if note.label is Label.UNSURE:
        return None
    return {"problem_id": note.problem_id, "text": note.sample, "correct": note.label is Label.RIGHT}


def _read(store: Store, key: str) -> Note | None:
    try:
        note = _note.validate_json(store.read(key))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise CorruptObjectError(key, "it is not a note") from error
    if not key.endswith(f"/{_name(note.position, note.index)}"):
        raise CorruptObjectError(key, "it is a note on another sample")
    return note


def _key(samples: str, position: int, index: int) -> str:
    return f"notes/{samples}/{_name(position, index)}"


def _name(position: int, index: int) -> str:
    return f"p{position:05d}-i{index:07d}.json"
