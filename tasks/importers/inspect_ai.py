"""inspect_ai: eval logs, as .eval (a zip) or .json.

A log has a header (`eval`, `plan`) and samples. In a .eval file each sample is a separate file, samples/*.json, the
header is header.json, or _journal/start.json where the run did not end. A sample has `id`, `epoch` (from 1), `output`
(`completion`, `choices`, `usage`), `scores` by scorer, `error` where it failed, and `attachments`: long texts.

A problem without an id has its number, counted from 1; its samples are its epochs in their order. One with an error is
not a sample: the tool failed, not the model. Where the model was asked more than once, or used tools, the messages are
the sample's turns; the log's usage is then that of the last request alone, and is left out.

A score is read as inspect_ai's own `accuracy` reads it: `C`, true, 1, "yes", "true" and "1" are correct; `I`, `P`, `N`,
partial credit, "no" and "false" are not. Anything else, such as a list, is not a verdict.
"""

import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from tasks.errors import UserError
from tasks.files.rows import opened_document, parse_json
from tasks.files.schema import RowModel, parse_row
from tasks.importers import Imported, correct
from tasks.importers.pairing import asked
from tasks.records import ToolCall, Turn

_EXAMPLE = '{"id": "...", "epoch": 1, "output": {"completion": "..."}, "scores": {"...": {"value": "C"}}}'
_HEADERS = ("header.json", "_journal/start.json", "start.json")
_ATTACHMENT = re.compile(r"attachment://([0-9a-f]{32})")
# Numbers of the zip format (APPNOTE 4.3.7 and 4.4.5): the method, a member's header, and the lengths of name and extra.
_ZSTANDARD, _LOCAL_HEADER, _LENGTHS_AT = 93, 30, 26
_FINISH = {"stop": "stop", "max_tokens": "length", "model_length": "length"}
_WORDS = {"C": True, "I": False, "P": False, "N": False}
_WORDS_OF_ANY_CASE = {"yes": True, "true": True, "no": False, "false": False}
_SAMPLING = ("temperature", "top_p", "max_tokens", "seed")


class _Part(RowModel):
    type: str = ""
    text: str = ""


class _Call(RowModel):
    id: str | None = None
    function: str
    arguments: Any = None


class _Message(RowModel):
    role: str = "assistant"
    source: str | None = None
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "\n".join(part.text for part in self.content if part.type == "text")


class _Choice(RowModel):
    message: _Message = _Message()
    stop_reason: str | None = None


class _Usage(RowModel):
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_cache_read: int | None = None
    input_tokens_cache_write: int | None = None

    @property
    def prompt_tokens(self) -> int | None:
        # inspect_ai counts cached tokens apart from its input tokens.
        cached = (self.input_tokens_cache_read or 0) + (self.input_tokens_cache_write or 0)
        return None if self.input_tokens is None else self.input_tokens + cached


class _Output(RowModel):
    completion: str | None = None
    choices: Sequence[_Choice] = ()
    usage: _Usage | None = None


class LoggedScore(RowModel):
    """What a scorer gave a sample, and the answer that it read in it."""

    value: Any = None
    answer: Any = None

    @property
    def correct(self) -> bool | None:
        """The value as a verdict; None where it is not one."""
        if not isinstance(self.value, str):
            return correct(self.value)
        if self.value in _WORDS:
            return _WORDS[self.value]
        word = self.value.strip().lower()
        if word in _WORDS_OF_ANY_CASE:
            return _WORDS_OF_ANY_CASE[word]
        return correct(float(word)) if re.fullmatch(r"[0-9]+(\.[0-9]*)?|\.[0-9]+", word) else None


class LoggedSample(RowModel):
    """A sample of a log."""

    id: str | int
    epoch: int = Field(default=1, ge=1)
    input: Any = None
    messages: list[_Message] = Field(default_factory=list)
    output: _Output = _Output()
    scores: dict[str, LoggedScore] | None = None
    error: Any = None
    attachments: dict[str, str] = Field(default_factory=dict)

    @property
    def text(self) -> str:
        """What the model wrote last."""
        text = self.output.completion
        if not text and self.output.choices:
            text = self.output.choices[0].message.text
        return self.whole(text or "")

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The messages, where the model wrote more than one of them or called tools; those of the input are not its."""
        written = [each for each in self.messages if each.role == "assistant" and each.source != "input"]
        if len(written) < 2 and not any(each.tool_calls for each in written):
            return ()
        return tuple(
            Turn(
                each.role,
                self.whole(each.text),
                tuple(
                    ToolCall(call.function, self.whole(_json(call.arguments)), call.id)
                    for call in each.tool_calls or ()
                ),
                each.tool_call_id,
            )
            for each in self.messages
        )

    def whole(self, text: str) -> str:
        """The text with its attachments inserted."""
        return _ATTACHMENT.sub(lambda found: self.attachments.get(found[1], found[0]), text)


class InspectAi:
    """Samples of eval logs, one for each epoch."""

    name: ClassVar[str] = "inspect_ai"
    description: ClassVar[str] = "inspect_ai: eval logs, .eval or .json"
    first_row: ClassVar[int] = 1
    verdicts: ClassVar[str | None] = "a scorer's name"

    def recognises(self, path: Path, first: Mapping[str, Any]) -> bool:
        """By the suffix, or the fields of the header."""
        return path.suffix == ".eval" or {"status", "eval"} <= first.keys() or {"version", "eval"} <= first.keys()

    def samples(self, paths: Sequence[Path], verdict: str | None) -> Iterator[Imported]:
        """Every sample of every log; see `tasks.importers.Importer`."""
        for where, sample in logged_samples(paths):
            turns = sample.turns
            usage = (None if turns else sample.output.usage) or _Usage()
            choices = sample.output.choices
            question = asked(sample.input)
            yield Imported(
                where,
                sample.id,
                str(sample.id),
                None if sample.error is not None else sample.text,
                sample.epoch - 1,
                _graded(where, sample, verdict),
                usage.prompt_tokens,
                usage.output_tokens,
                finish_reason=_FINISH.get(choices[0].stop_reason or "") if choices else None,
                cached_prompt_tokens=usage.input_tokens_cache_read,
                turns=turns,
                question=None if question is None else sample.whole(question),
                choices=_choices(sample) if verdict is None else (),
            )

    def provenance(self, paths: Sequence[Path], verdict: str | None) -> dict[str, Any]:
        """What the first log's header says."""
        header = _header(paths[0])
        spec, plan = _object(header.get("eval")), _object(header.get("plan"))
        given = _object(spec.get("model_generate_config")) | _object(plan.get("config"))
        sampling = {name: given[name] for name in _SAMPLING if given.get(name) is not None}
        if given.get("stop_seqs"):
            sampling["stop"] = given["stop_seqs"]
        known = {
            "tool": "inspect_ai",
            "tool_version": _object(spec.get("packages")).get("inspect_ai"),
            "task": spec.get("task"),
            "model": spec.get("model"),
            "created": spec.get("created"),
            "sampling": sampling or None,
            "graded_by": verdict,
        }
        return {name: value for name, value in known.items() if value is not None}


def logged_samples(paths: Sequence[Path]) -> Iterator[tuple[str, LoggedSample]]:
    """Every sample of some logs with its place.

    Raises:
        UserError: a log cannot be read, or a sample is malformed.
    """
    for path in paths:
        for where, data in _zipped(path) if path.suffix == ".eval" else _listed(path):
            yield where, parse_row(where, data, LoggedSample, _EXAMPLE, thing="sample")


def _choices(sample: LoggedSample) -> tuple[str, ...]:
    """The scorers among which one has to be chosen."""
    return tuple(sample.scores) if sample.error is None and len(sample.scores or ()) > 1 and sample.scores else ()


def _graded(where: str, sample: LoggedSample, scorer: str | None) -> bool | None:
    if not sample.scores or sample.error is not None:
        return None
    if scorer is None:
        return next(iter(sample.scores.values())).correct if len(sample.scores) == 1 else None
    if scorer not in sample.scores:
        raise UserError(f"{where}: scores: has no {scorer!r}; it has {', '.join(map(repr, sample.scores))}")
    return sample.scores[scorer].correct


def _json(arguments: Any) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(path: Path) -> Iterator[tuple[str, Any]]:
    """The samples of a .json log, one at a time."""
    found = False
    with opened_document(path) as document:
        for name in document.members():
            if name == "samples" and document.peek() == "[":
                found = True
                for number, data in enumerate(document.elements()):
                    yield f"{path}, samples.{number}", data
            else:
                document.value()
    if not found:
        raise UserError(f"{path}: samples: is not a list; the log was written without samples")


def _zipped(path: Path) -> Iterator[tuple[str, Any]]:
    """The samples of an .eval log, in the order of their names."""
    with _archive(path) as archive:
        # A name that occurs twice is a sample that was written again: zipfile's directory has the last.
        names = sorted({name for name in archive.namelist() if name.startswith("samples/") and name.endswith(".json")})
        if not names:
            raise UserError(f"{path}: has no samples/*.json; the log was written without samples")
        for name in names:
            where = f"{path}, {name}"
            yield where, parse_json(where, _unpacked(path, archive, name))


def _header(path: Path) -> dict[str, Any]:
    if path.suffix == ".eval":
        with _archive(path) as archive:
            name = next((name for name in _HEADERS if name in archive.namelist()), None)
            if name is None:
                raise UserError(f"{path}: has no {_HEADERS[0]}; it is not an inspect_ai log")
            return _object(parse_json(f"{path}, {name}", _unpacked(path, archive, name)))
    header: dict[str, Any] = {}
    with opened_document(path) as document:
        for name in document.members():
            if name == "samples":
                return header
            header[name] = document.value()
    return header


def _unpacked(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    """A member's bytes. Newer versions use Zstandard, which zipfile supports from Python 3.14 on."""
    info = archive.getinfo(name)
    if info.compress_type != _ZSTANDARD:
        return archive.read(info)
    import pyarrow as pa  # has a decoder; 0.2 s

    with path.open("rb") as file:
        file.seek(info.header_offset)
        head = file.read(_LOCAL_HEADER)
        file.seek(sum(struct.unpack_from("<HH", head, _LENGTHS_AT)), io.SEEK_CUR)
        packed = file.read(info.compress_size)
    data: bytes = pa.Codec("zstd").decompress(packed, info.file_size, asbytes=True)
    if zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {name!r}")
    return data


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, struct.error) as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise UserError(f"{path}: is not a whole .eval log ({reason})") from error
    except NotImplementedError as error:
        raise UserError(
            f"{path}: has a compression that this Python cannot read ({error}); convert it to .json with"
            " `inspect log convert`"
        ) from error
