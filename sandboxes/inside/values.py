"""How values are sent to the other process: which are rebuilt there, and which stay where they are.

A part of `remote.py`: standard library only, Python 3.8+; never imported.

An encoded value is a letter, a size or count (8 bytes), and its contents or parts. Values of built-in types, and of
some types of the standard library, are rebuilt with the receiver's own classes. Everything else stays in its process,
and a handle to it is sent (`proxies.py`). An instance of a subclass of a built-in type arrives as that type, so no
object with custom equality ever arrives.

Within one call and its answer, a mutable object is sent once, and then referred to by its position. So if `f(a)`
returns `a`, the caller gets its own `a` back, a list may contain itself, and the call's changes to its arguments are
repeated on the caller's objects.
"""

from __future__ import annotations

import builtins
import marshal
import struct
from collections import OrderedDict

TYPE_CHECKING = False  # `typing` is not worth its time here.
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandboxes.inside.proxies import (
        describe_exception,
        describe_handle,
        find_global,
        name_of_global,
        open_handle,
        rebuild_exception,
    )
    from sandboxes.inside.remote import Link

_HEAD = struct.Struct("<cQ")
_COMPLEX = struct.Struct("<dd")

# By exact type. Subclasses are looked up in this order: bool comes before int, because it is a subclass of it.
_LETTER_OF: dict[type, bytes] = {
    type(None): b"n",
    bool: b"b",
    int: b"i",
    float: b"f",
    complex: b"c",
    str: b"s",
    bytes: b"y",
    tuple: b"t",
    frozenset: b"Z",
    list: b"l",
    set: b"S",
    dict: b"d",
    bytearray: b"a",
}
# Integers are sent in hexadecimal, because Python limits the conversion of decimal digits.
_CONTENTS: dict[bytes, Callable[[Any], bytes]] = {
    b"n": lambda _: b"",
    b"b": lambda value: b"1" if value else b"",
    b"i": lambda value: int.__format__(value, "x").encode(),
    b"f": lambda value: _COMPLEX.pack(float.__float__(value), 0.0),
    b"c": lambda value: _COMPLEX.pack(complex(value).real, complex(value).imag),
    b"s": lambda value: str.encode(value, "utf-8", "surrogatepass"),
    b"y": bytes,
    b"T": lambda value: _name_of(value).encode(),
    b"g": lambda value: name_of_global(value).encode(),
}
_VALUE: dict[bytes, Callable[[bytes], object]] = {
    b"n": lambda _: None,
    b"b": bool,
    b"i": lambda contents: int(contents, 16),
    b"f": lambda contents: _COMPLEX.unpack(contents)[0],
    b"c": lambda contents: complex(*_COMPLEX.unpack(contents)),
    b"s": lambda contents: contents.decode("utf-8", "surrogatepass"),
    b"y": bytes,
    b"T": lambda contents: _NAMED[contents.decode()],
}
# Values whose parts are encoded one by one. Those of `_EMPTY` are created before their parts, which may refer to them.
_ITERATED: dict[bytes, Any] = {b"t": tuple, b"Z": frozenset, b"l": list, b"S": set}
_EMPTY: dict[bytes, Callable[[], Any]] = {b"l": list, b"S": set, b"d": dict}
_FILLED: dict[bytes, Callable[[Any, list[Any]], object]] = {
    b"l": list.extend,
    b"S": set.update,
    b"d": lambda value, parts: value.update(_paired(parts)),
}
_MUTABLE = frozenset({b"l", b"S", b"d", b"a", b"M"})

# Built-in objects that are sent by name: types, functions without side effects, constants.
_NAMED: dict[str, object] = {
    name: getattr(builtins, name)
    for name in (
        *("abs", "all", "any", "ascii", "bin", "bool", "bytearray", "bytes", "callable", "chr", "complex", "dict"),
        *("divmod", "enumerate", "filter", "float", "format", "frozenset", "hash", "hex", "int", "isinstance"),
        *("issubclass", "iter", "len", "list", "map", "max", "memoryview", "min", "next", "object", "oct", "ord"),
        *("pow", "range", "repr", "reversed", "round", "set", "slice", "sorted", "str", "sum", "tuple", "zip"),
        *("Ellipsis", "NotImplemented"),
    )
}
_NAMED.update(
    (name, kind) for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
)
_NAMED["NoneType"] = type(None)
_NAME_OF = {id(value): name for name, value in _NAMED.items()}


def _name_of(value: object) -> str:
    return _NAME_OF[id(value)]


class Exchange:
    """A call and its answer, with the mutable objects that both sides have, in the order in which they were sent."""

    __slots__ = ("link", "objects", "places")

    def __init__(self, link: Link):
        self.link = link
        self.objects: list[Any] = []
        self.places: dict[int, int] = {}

    def turn(self) -> None:
        """From now on, encoded values may refer to the objects that have been decoded."""
        self.places = {id(value): place for place, value in enumerate(self.objects)}

    def contents(self) -> tuple[object, ...]:
        """The contents of the objects."""
        return tuple(map(_contents, self.objects))

    def update(self, contents: object) -> None:
        """Give the objects that were sent the contents that they have on the other side.

        Raises:
            TypeError, ValueError: these are not their contents.
        """
        if type(contents) is not tuple or len(contents) > len(self.objects):
            raise ValueError("these are not the contents of the objects that were sent")
        for value, parts in zip(self.objects, contents):
            _assign(value, parts)


def encode(value: object, out: list[bytes], exchange: Exchange) -> None:
    """Append the pieces of an encoded value to a list."""
    letter = _LETTER_OF.get(type(value)) or _letter_of(value, exchange.link)
    write = _CONTENTS.get(letter)
    if write is not None:
        contents = write(value)
        out += (_HEAD.pack(letter, len(contents)), contents)
        return
    if letter == b"m":
        out.append(_HEAD.pack(letter, exchange.link.imported_ids[id(value)]))
        return
    if letter in _MUTABLE:
        place = exchange.places.get(id(value))
        if place is not None:
            out.append(_HEAD.pack(b"r", place))
            return
        exchange.places[id(value)] = len(exchange.objects)
        exchange.objects.append(value)
    kind = _ITERATED.get(letter)
    parts = list(kind.__iter__(value)) if kind is not None else _PARTS[letter](value, exchange.link)
    out.append(_HEAD.pack(letter, len(parts)))
    for part in parts:
        encode(part, out, exchange)


def decode(data: bytes, at: int, exchange: Exchange) -> tuple[Any, int]:
    """The value encoded in `data` from position `at`, and the position of its end.

    Raises:
        ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError, struct.error: it is not an
            encoded value.
    """
    letter, size = _HEAD.unpack_from(data, at)
    at += 9
    read = _VALUE.get(letter)
    if read is not None:
        contents = data[at : at + size]
        if len(contents) != size:
            raise ValueError("not an encoded value")
        return read(contents), at + size
    if letter == b"r":
        return exchange.objects[size], at
    if letter == b"m":
        return exchange.link.exported[size], at
    if letter == b"g" and exchange.link.serving:
        return find_global(data[at : at + size].decode()), at + size
    place = len(exchange.objects)
    empty = _EMPTY.get(letter)
    value = empty and empty()
    if letter in _MUTABLE:
        exchange.objects.append(value)
    parts: list[Any] = []
    # Every part takes at least one byte, so this loop ends with the data, whatever the count.
    for _ in range(size):
        part, at = decode(data, at, exchange)
        parts.append(part)
    if empty is not None:
        _FILLED[letter](value, parts)
    elif letter in _ITERATED:
        value = _ITERATED[letter](parts)
    else:
        value = _BUILT[letter](parts, exchange.link)
        if letter in _MUTABLE:
            exchange.objects[place] = value
    return value, at


def decode_all(data: bytes, exchange: Exchange) -> Any:
    """The value that all of `data` encodes; raises as `decode` does."""
    value, end = decode(data, 0, exchange)
    if end != len(data):
        raise ValueError("more than an encoded value")
    return value


def snapshot(values: object, link: Link) -> bytes:
    """Bytes that change if anything in these values changes."""
    try:
        # Version 2 has no references, so equal values give equal bytes, whatever else refers to them.
        return marshal.dumps(values, 2)  # type: ignore[arg-type]
    except ValueError:  # Something in it cannot be marshalled, or it contains itself.
        pieces: list[bytes] = []
        encode(values, pieces, Exchange(link))
        return b"".join(pieces)


def _pairs(value: Any) -> list[Any]:
    # Not a method of a subclass, except that of OrderedDict, which has its own order.
    kind = OrderedDict if isinstance(value, OrderedDict) else dict
    return [part for pair in kind.items(value) for part in pair]


def _paired(parts: Any) -> list[tuple[Any, Any]]:
    if len(parts) % 2:
        raise ValueError("a key without a value")
    return list(zip(parts[::2], parts[1::2]))


def _contents(value: Any) -> object:
    """The contents of a mutable object."""
    if isinstance(value, dict):
        return tuple(_pairs(value))
    if isinstance(value, bytearray):
        return bytes(value)
    base = next((base for base in (list, set) if isinstance(value, base)), type(value))
    return tuple(base.__iter__(value))


def _assign(value: Any, contents: Any) -> None:
    """Give an object the contents of its counterpart, as `_contents` returned them."""
    if isinstance(value, dict):
        pairs = _paired(contents)
        value.clear()
        for key, part in pairs:
            value[key] = part
    elif isinstance(value, set):
        value.clear()
        value.update(contents)
    elif isinstance(value, (list, bytearray)):
        value[:] = contents
    elif hasattr(value, "typecode"):
        value[:] = type(value)(value.typecode, contents)
    else:
        value.clear()
        value.extend(contents)


# --- values beyond the built-in types ---------------------------------------------------------------------------------


def _letter_of(value: Any, link: Link) -> bytes:
    """The letter for a value whose type is not one of those above."""
    if id(value) in link.imported_ids:
        return b"m"
    if isinstance(value, BaseException):
        return b"e"
    record = _record_of(value)
    if record:
        return b"M" if record in _MUTABLE_RECORDS else b"x"
    if isinstance(value, tuple) and _field_names(value):
        return b"N"
    if id(value) in _NAME_OF:
        return b"T"
    handle = b"g" if not link.serving and name_of_global(value) else b"h"
    return next((letter for kind, letter in _LETTER_OF.items() if isinstance(value, kind)), handle)


def _standard(module: str, name: str) -> Callable[..., Any]:
    """A class of the standard library, which is imported when the first such value arrives."""

    def build(*parts: Any, **named: Any) -> Any:
        return getattr(__import__(module), name)(*parts, **named)

    return build


def _mapping(name: str) -> Callable[..., Any]:
    def build(*parts: Any) -> Any:
        first = len(parts) % 2  # the default factory
        value = _standard("collections", name)(*parts[:first])
        dict.clear(value)
        for key, part in _paired(parts[first:]):
            value[key] = part
        return value

    return build


# The parts of a value, and a function that rebuilds it from them, by the module and name of its class.
_RECORDS: dict[str, tuple[Callable[[Any], Any], Callable[..., object]]] = {
    "builtins.range": (lambda v: (v.start, v.stop, v.step), range),
    "builtins.slice": (lambda v: (v.start, v.stop, v.step), slice),
    "builtins.memoryview": (lambda v: (bytes(v),), memoryview),
    "builtins.dict_keys": (tuple, lambda *keys: dict.fromkeys(keys).keys()),
    "builtins.dict_values": (tuple, lambda *values: dict(enumerate(values)).values()),
    "builtins.dict_items": (tuple, lambda *items: dict(items).items()),
    "collections.Counter": (_pairs, _mapping("Counter")),
    "collections.OrderedDict": (_pairs, _mapping("OrderedDict")),
    "collections.defaultdict": (lambda v: (v.default_factory, *_pairs(v)), _mapping("defaultdict")),
    "collections.deque": (
        lambda v: (v.maxlen, *v),
        lambda most, *parts: _standard("collections", "deque")(parts, most),
    ),
    "array.array": (lambda v: (v.typecode, *v), lambda code, *parts: _standard("array", "array")(code, parts)),
    "fractions.Fraction": (lambda v: (v.numerator, v.denominator), _standard("fractions", "Fraction")),
    "decimal.Decimal": (lambda v: (str(v),), _standard("decimal", "Decimal")),
    "datetime.date": (lambda v: (v.year, v.month, v.day), _standard("datetime", "date")),
    "datetime.time": (
        lambda v: (v.hour, v.minute, v.second, v.microsecond, v.tzinfo, v.fold),
        lambda *parts: _standard("datetime", "time")(*parts[:-1], fold=parts[-1]),
    ),
    "datetime.datetime": (
        lambda v: (v.year, v.month, v.day, v.hour, v.minute, v.second, v.microsecond, v.tzinfo, v.fold),
        lambda *parts: _standard("datetime", "datetime")(*parts[:-1], fold=parts[-1]),
    ),
    "datetime.timedelta": (lambda v: (v.days, v.seconds, v.microseconds), _standard("datetime", "timedelta")),
    "datetime.timezone": (lambda v: (v.utcoffset(None), v.tzname(None)), _standard("datetime", "timezone")),
}
for _view in ("keys", "values", "items"):
    _RECORDS["builtins.odict_" + _view] = _RECORDS["builtins.dict_" + _view]
_MUTABLE_RECORDS = frozenset("collections." + name for name in ("Counter", "OrderedDict", "defaultdict", "deque")) | {
    "array.array"
}


def _record_of(value: object) -> str:
    """The name of the first class of a value that is in the table above, or ""."""
    for base in type(value).__mro__:
        name = f"{base.__module__}.{base.__qualname__}"
        if name in _RECORDS:
            return name
    return ""


def _field_names(value: Any) -> tuple[str, ...]:
    """The fields of a named tuple, or () for another tuple."""
    names = getattr(type(value), "_fields", ())
    return names if type(names) is tuple and len(names) == len(value) else ()


_named_tuples: dict[tuple[str, tuple[str, ...]], Any] = {}


def _build_named_tuple(parts: list[Any], _: Link) -> object:
    """A named tuple. `namedtuple` accepts only identifiers as names, so evaluating them is safe."""
    name, fields, *values = parts
    if type(name) is not str or type(fields) is not tuple or {type(field) for field in fields} != {str}:
        raise ValueError("not the names of a named tuple")
    kind = _named_tuples.get((name, fields))
    if kind is None:
        kind = _named_tuples[name, fields] = _standard("collections", "namedtuple")(name, fields)
    return kind(*values)


def _record_parts(value: Any, _: Link) -> list[Any]:
    name = _record_of(value)
    return [name, *_RECORDS[name][0](value)]


def _build_record(parts: list[Any], _: Link) -> object:
    return _RECORDS[parts[0]][1](*parts[1:])


_PARTS: dict[bytes, Callable[[Any, Link], list[Any]]] = {
    b"d": lambda value, _: _pairs(value),
    b"a": lambda value, _: [bytes(value)],
    b"x": _record_parts,
    b"M": _record_parts,
    b"N": lambda value, _: [type(value).__name__, _field_names(value), *tuple.__iter__(value)],
    b"e": describe_exception,
    b"h": describe_handle,
}
_BUILT: dict[bytes, Callable[[list[Any], Link], object]] = {
    b"a": lambda parts, _: bytearray(*parts),
    b"x": _build_record,
    b"M": _build_record,
    b"N": _build_named_tuple,
    b"e": rebuild_exception,
    b"h": open_handle,
}
