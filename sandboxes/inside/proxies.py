"""Proxies for objects that stay in the other process: functions, iterators, exceptions, and others.

A part of `remote.py`: standard library only, Python 3.8+; never imported.

The two sides have different rights. A test may use an object of the sample: call it, iterate over it, read its
attributes. Each such operation runs in the sample's process, and a value comes back. But the sample's classes never
decide whether two objects are equal: a test that compares such an object ends, and reports the name of its class. A
sample may only call functions that the test has given to it, and iterate over the test's iterators.
"""

from __future__ import annotations

import builtins
import functools
import operator
import sys
import types

TYPE_CHECKING = False  # `typing` is not worth its time here.
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from sandboxes.inside.remote import Link

# Operations of one side on an object of the other.
CALL, NEXT, USE = b"C", b"N", b"U"
# Operations that may end an iteration.
STEPS = ("send", "throw")
# Modules in which tests and samples define their own objects: those of the other side are different.
_OWN_MODULES = frozenset({"__main__", "program", "remote"})
_STANDARD_MODULES: frozenset[str] = frozenset(getattr(sys, "stdlib_module_names", ("builtins",))) - _OWN_MODULES
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodDescriptorType, type)


class RemoteError(Exception):
    """The other side raised an exception that neither Python nor its standard library defines."""


# --- objects that are sent as handles ---------------------------------------------------------------------------------


def describe_handle(value: Any, link: Link) -> list[Any]:
    """What the other side needs for a proxy: its kind, the object's number, a name, whether its class is defined by
    this side, whether that class defines equality, and the signature of a function of the test."""
    kind = type(value)
    is_function = isinstance(value, _FUNCTIONS) or (callable(value) and kind.__module__ == "functools")
    own_equality = not is_function and any("__eq__" in vars(base) for base in kind.__mro__[:-1])
    own_class = not is_function and kind.__module__ in _OWN_MODULES
    if link.serving and hasattr(kind, "gi_frame"):
        proxy = "generator"
    elif link.serving and hasattr(kind, "cr_frame"):
        proxy = "coroutine"
    elif hasattr(kind, "__next__") and not own_equality:
        proxy = "iterator"
    elif is_function or (callable(value) and not link.serving):
        proxy = "function"
    else:
        proxy = "callable" if callable(value) else "object"
        own_class = kind is not object
    name = getattr(value, "__name__", None) if proxy == "function" else None
    name = name if type(name) is str else kind.__name__
    if own_class and not link.serving:
        link.foreign = "the function was given an object of class " + name
    signature = _signature(value) if kind is types.FunctionType and not link.serving else ()
    return [proxy, link.export(value, proxy), name, own_class, own_equality, signature]


def open_handle(parts: list[Any], link: Link) -> object:
    """The proxy for an object of the other side, always the same for one object.

    Raises:
        ValueError, LookupError, TypeError: the parts are not those of a handle.
    """
    kind, number, name, own_class, own_equality, signature = parts
    if (type(kind), type(number), type(name)) != (str, int, str):
        raise ValueError("not a handle")
    if own_class and not link.serving:
        link.foreign = "the function returned an object of class " + name
    proxy = link.imported.get(number)
    if proxy is None:
        if not link.serving:
            proxy = _OPENED_BY_TEST[kind](link, number, name)
        elif kind == "function":
            proxy = _function_of_test(link, number, name, signature)
        else:
            proxy = Iterator(link, number, name) if kind == "iterator" else _OPAQUE[own_equality](link, number, name)
        link.remember(number, proxy)
    return proxy


class Function:
    """A function of the other side. A call returns or raises what the function does there (see `Link.ask`)."""

    def __init__(self, name: str, link: Link | None = None, number: int = 0):
        self.__name__ = self.__qualname__ = name
        if link is None:
            link = Link()
            link.remember(number, self)
        self.__link, self.__number = link, number

    def __call__(self, *arguments: object, **named: object) -> object:
        """Send the arguments, wait for the answer."""
        return self.__link.ask(CALL, self.__number, arguments, named)

    def __getattr__(self, name: str) -> object:
        return _attribute(self.__link, self.__number, name)

    def __get__(self, instance: object, owner: type | None = None) -> object:
        """Become a method, as a function in the body of a class does."""
        return self if instance is None else types.MethodType(self, instance)

    def __repr__(self) -> str:
        return "<function " + self.__name__ + ">"


class Iterator:
    """An iterator of the other side."""

    def __init__(self, link: Link, number: int, name: str):
        self.__link, self.__number, self.__name = link, number, name

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> object:
        return self.__link.ask(NEXT, self.__number)

    def __getattr__(self, name: str) -> object:
        return _attribute(self.__link, self.__number, name)

    def __repr__(self) -> str:
        return "<" + self.__name + " object>"


class Object:
    """An object of the sample whose class exists only in the sample's process."""

    __slots__ = ("__link", "__name", "__number")
    __hash__ = object.__hash__
    __link: Link
    __name: str
    __number: int

    def __init__(self, link: Link, number: int, name: str):
        for slot, value in (("link", link), ("number", number), ("name", name)):
            object.__setattr__(self, "_Object__" + slot, value)

    def __getattr__(self, name: str) -> object:
        return _attribute(self.__link, self.__number, name)

    def _ask(self, letter: bytes, *values: object) -> object:
        return self.__link.ask(letter, self.__number, *values)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Call the sample's `__exit__`. It may not suppress what the test raises: that would be a verdict."""
        suppressed = self._ask(USE, "exit", error)
        if error is not None and not isinstance(error, AssertionError) and suppressed:
            self.__link.refuse("a context manager of class " + self.__name + " suppressed an exception")

    def _refuse(self) -> object:
        return self.__link.refuse("an object of class " + self.__name + " was compared or computed with")


class CallableObject(Object):
    """An object that can be called."""

    __slots__ = ()

    def __call__(self, *arguments: object, **named: object) -> object:
        """Let the sample's process call it."""
        return self._ask(CALL, arguments, named)


class Opaque:
    """An object of the test, which the sample may keep and give back. Any other use ends the test."""

    __slots__ = ("_refuse", "_repr")

    def __init__(self, link: Link, _: int, name: str):
        self._refuse: Callable[[], object] = lambda: link.refuse("the function was given an object of class " + name)
        self._repr = "<" + name + " object>"

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()

    def __repr__(self) -> str:
        return self._repr


class _ComparedOpaque(Opaque):
    """An object whose class defines equality."""

    __slots__ = ()


_OPAQUE: dict[bool, type[Opaque]] = {False: Opaque, True: _ComparedOpaque}
# Operations of the test on objects of the sample, by the name of the special method.
_USES: dict[str, Callable[..., object]] = {
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "str": str,
    "repr": repr,
    "len": len,
    "bool": bool,
    "int": int,
    "float": float,
    "iter": iter,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "enter": lambda value: type(value).__enter__(value),
    "exit": lambda value, error: type(value).__exit__(value, error and type(error), error, None),
    "send": lambda value, sent: value.send(sent),
    "throw": lambda value, error: value.throw(error),
    "await": lambda value: __import__("asyncio").run(value),
}
_COMPARISONS = ("eq", "ne", "lt", "le", "gt", "ge")
_ARITHMETIC = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul", "and", "or", "xor", "lshift"),
    "rshift",
)


def _define_special_methods() -> None:
    def used(name: str) -> Callable[..., object]:
        return lambda self, *operands: self._ask(USE, name, *operands)

    def refused(self: Any, *_: object) -> object:
        return self._refuse()

    items = ("getitem", "setitem", "delitem")
    for name in ("setattr", "delattr", "str", "repr", "len", "bool", "int", "float", "iter", *items, "enter"):
        setattr(Object, "__" + name + "__", used(name))
    arithmetic = [reflected + name for name in _ARITHMETIC for reflected in ("", "r")]
    for name in (*_COMPARISONS, *arithmetic, "neg", "pos", "abs", "invert", "contains"):
        setattr(Object, "__" + name + "__", refused)
    used_by_sample = ("len", "bool", "int", "float", "iter", "next", "getitem", "setitem", "delitem", "enter", "call")
    for name in (*arithmetic, *_COMPARISONS[2:], "neg", "abs", "contains", "str", "index", *used_by_sample):
        setattr(Opaque, "__" + name + "__", refused)
    for name in ("eq", "ne", "hash"):
        setattr(_ComparedOpaque, "__" + name + "__", refused)


_define_special_methods()


def _attribute(link: Link, number: int, name: str) -> object:
    if link.serving or (name.startswith("__") and name.endswith("__")):
        raise AttributeError(name)
    return link.ask(USE, number, "getattr", name)


def _generator(link: Link, number: int, name: str) -> Any:
    """A proxy for a generator of the sample, to which values and exceptions can be sent."""
    del name
    letter, operands = NEXT, ()
    try:
        while True:
            operands = yield from _sent(link.ask(letter, number, *operands))
            letter = USE if operands else NEXT
    except StopIteration as end:
        return end.value


def _sent(value: object) -> Any:
    """Yield a value. Returns what is sent or thrown, as an operation on the other side's generator."""
    try:
        sent = yield value
    except GeneratorExit:
        raise  # Perhaps from the garbage collector, which must not send anything.
    except BaseException as error:  # noqa: BLE001 (it is passed on)
        return "throw", error
    return () if sent is None else ("send", sent)


async def _coroutine(link: Link, number: int, name: str) -> Any:
    """A proxy for a coroutine of the sample, which runs to its end when it is awaited."""
    del name
    return link.ask(USE, number, "await")


_OPENED_BY_TEST: dict[str, Callable[[Link, int, str], Any]] = {
    "function": lambda link, number, name: Function(name, link, number),
    "iterator": Iterator,
    "generator": _generator,
    "coroutine": _coroutine,
    "object": Object,
    "callable": CallableObject,
}


# --- functions of the test --------------------------------------------------------------------------------------------


def _signature(function: Any) -> tuple[object, ...]:
    """The text of a function with the same parameters, the name that it calls to pass them on, and its defaults."""
    code = function.__code__
    names = code.co_varnames
    count, keyword_only = code.co_argcount, code.co_kwonlyargcount
    positional, keywords = names[:count], names[count : count + keyword_only]
    defaults = function.__defaults__ or ()
    parameters = [name + "=0" * (at >= count - len(defaults)) for at, name in enumerate(positional)]
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    forwarded = list(positional)
    named = ["'" + name + "': " + name for name in keywords]
    rest = list(names[count + keyword_only :])
    if code.co_flags & 4:
        parameters.append("*" + rest[0])
        forwarded.append("*" + rest.pop(0))
    elif keywords:
        parameters.append("*")
    parameters += keywords
    if code.co_flags & 8:
        parameters.append("**" + rest[0])
        named.append("**" + rest[0])
    call = "_"
    while call in names:
        call += "_"
    body = "{}(({}), {{{}}})".format(call, "".join(name + ", " for name in forwarded), ", ".join(named))
    return "lambda " + ", ".join(parameters) + ": " + body, call, function.__defaults__, function.__kwdefaults__


def _function_of_test(link: Link, number: int, name: str, signature: tuple[Any, ...]) -> Any:
    """A function with the signature of the test's function, for `inspect` and decorators."""

    def call(arguments: tuple[object, ...], named: dict[str, object]) -> object:
        return link.ask(CALL, number, arguments, named)

    if not signature:
        proxy: Any = lambda *arguments, **named: call(arguments, named)  # noqa: E731
    else:
        text, call_name, defaults, keyword_defaults = signature
        proxy = eval(text, {call_name: call})  # noqa: S307 (the test wrote it, and this is the sample's process)
        proxy.__defaults__, proxy.__kwdefaults__ = defaults, keyword_defaults
    proxy.__name__ = proxy.__qualname__ = name
    return proxy


def name_of_global(value: Any) -> str:
    """The name by which the other side finds a function or class of the standard library, or ""."""
    owner = getattr(value, "__objclass__", None)  # of a method such as `str.upper`
    module = getattr(value if owner is None else owner, "__module__", None)
    name = getattr(value, "__qualname__", None)
    if type(module) is not str or type(name) is not str or module.partition(".")[0] not in _STANDARD_MODULES:
        return ""
    text = module + ":" + name
    try:
        return text if find_global(text) is value else ""
    except (AttributeError, ImportError):  # It is defined in a function.
        return ""


def find_global(text: str) -> object:
    """The object of this name. Only samples look up names: a test would import whatever the sample chooses.

    Raises:
        AttributeError, ImportError: there is no such object.
    """
    module, _, names = text.partition(":")
    __import__(module)
    return functools.reduce(getattr, names.split("."), sys.modules[module])


# --- exceptions -------------------------------------------------------------------------------------------------------


def describe_exception(error: BaseException, link: Link) -> list[Any]:
    """Its classes, arguments, attributes and text, and the number of an exception of the test, by which the test gets
    it back unchanged."""
    names = [kind.__module__ + ":" + kind.__qualname__ for kind in type(error).__mro__]
    arguments = error.args
    if isinstance(error, OSError) and error.filename is not None and len(arguments) == 2:
        arguments = (*arguments, error.filename)
    attributes = {name: value for name, value in vars(error).items() if not name.startswith("__")}
    number = -1 if link.serving else link.export(error, "exception")
    try:
        text = str(error)[:500]
    except Exception:  # noqa: BLE001 (its own method, which may raise anything)
        text = ""
    return [tuple(names), arguments, attributes, number, text]


def rebuild_exception(parts: list[Any], link: Link) -> BaseException:
    """An exception of the first of these classes that is built in, or is in an imported module of the standard library.

    Raises:
        ValueError, TypeError, AttributeError: the parts are not those of an exception.
    """
    names, arguments, attributes, number, text = parts
    if (type(names), type(arguments), type(attributes), type(text)) != (tuple, tuple, dict, str):
        raise ValueError("not an exception")
    kind = next(filter(None, map(_exception_class, names)), Exception)
    try:
        if kind in (Exception, BaseException) and names[0].partition(":")[0] != "builtins":
            error: BaseException = RemoteError(names[0].rpartition(":")[2] + ": " + text)
        elif kind.__module__ == "builtins":
            error = kind(*arguments)
        else:
            error = kind.__new__(kind, *arguments)  # The other side has already run its `__init__`.
    except TypeError:
        error = RemoteError(names[0].rpartition(":")[2] + ": " + text)
    for name, value in attributes.items():
        if type(name) is str and not name.startswith("__"):
            vars(error)[name] = value
    if link.serving and number >= 0:
        link.remember(number, error)
    return error


def _exception_class(name: str) -> type[BaseException] | None:
    module, _, qualified = name.partition(":")
    if module.partition(".")[0] not in _STANDARD_MODULES or module not in sys.modules:
        return None
    kind = getattr(builtins if module == "builtins" else sys.modules[module], qualified, None)
    return kind if isinstance(kind, type) and issubclass(kind, BaseException) else None
