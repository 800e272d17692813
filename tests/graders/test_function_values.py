"""What a function test sees of a function in another process is what it would see in its own."""

import pytest

from sandboxes import Sandbox
from tasks.graders.functions import FunctionsGrader
from tasks.records import FunctionCheck, GradedSample, Problem, Sample, Verdict


def grade(sandbox: Sandbox, source: str, *statements: str, entry_point: str = "f", before: str = "") -> GradedSample:
    """The verdict on a sample, by a test of these statements about the function `f`."""
    lines = [line for statement in statements for line in statement.splitlines()]
    code = before + "\ndef check(f):\n" + "".join(f"    {line}\n" for line in lines)
    problem = Problem("p", "", FunctionCheck(entry_point, code))
    (graded,) = FunctionsGrader().grade([(problem, Sample("p", 0, source))], sandbox)
    return graded


IMPORTS = "from array import array\nfrom collections import *\nfrom datetime import *\nfrom decimal import Decimal\n"
IMPORTS += "from fractions import Fraction\nimport types\n"
VALUES = {
    "range": "range(1, 9, 2)",
    "Fraction": "Fraction(-1, 3)",
    "Decimal": "Decimal('1.10')",
    "infinite Decimal": "Decimal('-Infinity')",
    "date": "date(2020, 2, 29)",
    "time": "time(23, 59, 1, 5, fold=1)",
    "datetime": "datetime(2020, 2, 29, 1, 2, 3, 4, timezone(timedelta(hours=2)))",
    "timedelta": "timedelta(-1, 2, 3)",
    "Counter": "Counter('abracadabra')",
    "OrderedDict": "OrderedDict([(2, 'x'), (1, 'y')])",
    "deque": "deque([1, [2]], maxlen=3)",
    "array": "array('d', [1.5, 2.5])",
    "slice": "slice(1, None, 2)",
    "memoryview": "memoryview(b'ab')",
    "keys": "{1: 2, 3: 4}.keys()",
    "items": "{1: 2, 3: 4}.items()",
    "type": "int",
    "Ellipsis": "...",
    "NotImplemented": "NotImplemented",
    "exception class": "ZeroDivisionError",
    "nested": "[{'a': (Fraction(1, 2), deque([frozenset({1}), Counter('x')]))}, None]",
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_arrives_as_what_it_is_in_both_directions(sandbox: Sandbox, name: str) -> None:
    value = VALUES[name]
    source = f"{IMPORTS}def f(*given):\n    value = {value}\n"
    source += "    return (value, type(given[0]) is type(value) and given[0] == value)"
    test = f"value = {value}", "got, same = f(value)", "assert same", "assert type(got) is type(value) and got == value"
    assert grade(sandbox, source, *test, before=IMPORTS).verdict is Verdict.CORRECT


RESULTS = {
    "a default dictionary": (
        "from collections import defaultdict\ndef f():\n    d = defaultdict(list)\n    d[1].append(2)\n    return d",
        "d = f()\nassert d == {1: [2]} and d[5] == []",
    ),
    "an ordered dictionary": (
        "from collections import OrderedDict\ndef f(): return OrderedDict([(1, 2), (0, 3)])",
        "assert f() == OrderedDict([(1, 2), (0, 3)]) != OrderedDict([(0, 3), (1, 2)])",
    ),
    "a method of a counter": (
        "from collections import Counter\nf = Counter",
        "assert sorted(f('aab').elements()) == list('aab')",
    ),
    "a missing count": ("from collections import Counter\nf = Counter", "assert f('a')['b'] == 0"),
    "dictionary values": ("def f(): return {1: 2, 3: 2}.values()", "assert list(f()) == [2, 2]"),
    "a named tuple": (
        "from collections import namedtuple\nP = namedtuple('P', 'x y')\ndef f(): return P(1, y=[2])",
        "p = f()\nassert p.x == 1 and p == (1, [2]) and p._asdict() == {'x': 1, 'y': [2]}\n"
        "assert str(p) == 'P(x=1, y=[2])'",
    ),
    "a typed named tuple": (
        "import typing\nclass P(typing.NamedTuple):\n    x: int\n    y: int = 3\ndef f(): return [P(1)]",
        "assert f()[0].y == 3",
    ),
    "an exception as a value": (
        "def f(): return ValueError('x', 1)",
        "e = f()\nassert type(e) is ValueError and e.args == ('x', 1)",
    ),
    "a list that contains itself": (
        "def f():\n    a = [1]\n    a.append(a)\n    return a",
        "a = f()\nassert a[1] is a",
    ),
    "one list twice": ("def f():\n    a = [1]\n    return a, a", "a, b = f()\nassert a is b"),
    "a generator": (
        "def f(n):\n    for i in range(n):\n        yield i * i\n",
        "assert list(f(4)) == [0, 1, 4, 9] and sum(f(3)) == 5\n"
        "assert isinstance(f(1), types.GeneratorType)\n"
        "g = f(1)\nassert next(g) == 0 and next(g, None) is None and next(g, None) is None",
    ),
    "an endless generator that is sent values": (
        "def f():\n    n = 0\n    while True:\n        got = yield n\n        n = n + 1 if got is None else got",
        "g = f()\nassert [next(g), next(g), g.send(10), next(g)] == [0, 1, 10, 11]",
    ),
    "a generator that handles what is thrown, and returns": (
        "def f():\n    try:\n        yield 1\n    except ValueError as error:\n        yield str(error)\n    return 7",
        "g = f()\nnext(g)\nassert g.throw(ValueError('x')) == 'x'\n"
        "try:\n    next(g)\nexcept StopIteration as end:\n    assert end.value == 7\nelse:\n    assert False",
    ),
    "map, zip, filter, reversed": (
        "def f(xs): return map(str, xs), zip(xs, enumerate(xs)), filter(None, xs), reversed(xs)",
        "assert list(map(list, f([1, 0]))) == [['1', '0'], [(1, (0, 1)), (0, (1, 0))], [1], [0, 1]]",
    ),
    "a function": ("def f(n): return lambda x: x + n", "assert f(3)(4) == 7 and callable(f(1)) and f(1) is not f(1)"),
    "the same function": ("def g(): pass\ndef f(): return g", "assert f() is f()"),
    "a partial and a bound method": (
        "from functools import partial\ndef f(): return partial(int, base=2), 'a-b'.split",
        "g, h = f()\nassert g('101') == 5 and h('-') == ['a', 'b']",
    ),
    "a coroutine": (
        "import asyncio\nasync def f(x):\n    await asyncio.sleep(0)\n    return x + 1",
        "import asyncio\nassert asyncio.run(f(1)) == 2",
    ),
    "a context manager": (
        "from contextlib import contextmanager\n@contextmanager\ndef f(x):\n    yield x",
        "with f(3) as x:\n    assert x == 3",
    ),
    "a context manager that is told of an exception": (
        "from contextlib import contextmanager\nseen = []\n@contextmanager\ndef f(x):\n    try:\n        yield seen\n"
        "    except KeyError as error:\n        seen.append(error.args)\n        raise ValueError",
        "try:\n    with f(3):\n        raise KeyError('k')\nexcept ValueError:\n    pass\nelse:\n    assert False\n"
        "with f(4) as seen:\n    assert seen == [('k',)]",
    ),
    "a match": (
        "import re\ndef f(s): return re.match('(a+)(b)', s)",
        "assert f('aab').group(1) == 'aa' and f('b') is None",
    ),
    "an instance": (
        "class N:\n    def __init__(self): self.v = 1\n    def up(self): self.v += 1; return self\n"
        "    def __len__(self): return 9\n    def __getitem__(self, i): return i * 2\n"
        "    def __iter__(self): return iter([1, 2])\n    def __str__(self): return 'N!'\ndef f(): return N()",
        "n = f()\nassert n.v == 1 and n.up() is n and n.v == 2 and len(n) == 9 and n[4] == 8 and list(n) == [1, 2]\n"
        "assert str(n) == f'{n}' == 'N!' and n\nn.v = 10\nassert n.up().v == 11",
    ),
    "a class": (
        "class f:\n    def __init__(self): self.a = []\n    def push(self, x): self.a.append(x)\n"
        "    def pop(self): return self.a.pop()",
        "s = f()\ns.push(3)\ns.push(4)\nassert (s.pop(), s.pop()) == (4, 3)",
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_is_used_as_in_one_process(sandbox: Sandbox, name: str) -> None:
    source, test = RESULTS[name]
    graded = grade(sandbox, source, test, before=IMPORTS)
    assert graded.verdict is Verdict.CORRECT, graded


ARGUMENTS = {
    "a function": ("def f(g, xs): return [g(x) for x in xs]", "assert f(lambda x: x * x, [2, 3]) == [4, 9]"),
    "a function with an effect": (
        "def f(g, xs):\n    for x in xs: g(x)",
        "seen = []\nf(seen.append, [1, 2])\nassert seen == [1, 2]",
    ),
    "built-in functions and methods": (
        "def f(g, x): return g(x)",
        "import math, operator\n"
        "assert [f(str, 1), f(str.upper, 'a'), f(math.sqrt, 4), f(operator.neg, 1)] == ['1', 'A', 2.0, -1]",
    ),
    "a type to compare with": (
        "def f(xs, kind): return [x for x in xs if isinstance(x, kind)]",
        "assert f([1, 'a', 2.5], int) == [1] and f([1, 'a'], (int, str)) == [1, 'a']",
    ),
    "an iterator": (
        "def f(it): return next(it)",
        "it = iter([1, 2, 3])\nassert f(it) == 1 and list(it) == [2, 3] and f(x for x in 'a') == 'a'",
    ),
    "a function that the sample wraps": (
        "import functools\ndef f(g):\n    @functools.wraps(g)\n    def w(*a, **k):\n        w.calls += 1\n"
        "        return g(*a, **k) * 2\n    w.calls = 0\n    return w",
        "@f\ndef add(a, b=1): return a + b\n"
        "assert add(1, 2) == 6 and add(1) == 4 and add.calls == 2 and add.__name__ == 'add'",
    ),
    "a method that the sample wraps": (
        "def f(g): return lambda self, x: g(self, x) + 1",
        "class A:\n    n = 5\n    @f\n    def add(self, x): return self.n + x\nassert A().add(2) == 8",
    ),
    "a recursive function that the sample wraps": (
        "def f(g):\n    cache = {}\n    def w(n):\n        if n not in cache: cache[n] = g(n)\n"
        "        return cache[n]\n    return w",
        "def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)\nfib = f(fib)\nassert fib(30) == 832040",
    ),
    "a function whose parameters are looked at": (
        "import inspect\ndef f(g): return g.__code__.co_argcount, str(inspect.signature(g))",
        "def g(a, b, /, c=1, *rest, d, e=2, **more): pass\nassert f(g) == (3, '(a, b, /, c=1, *rest, d, e=2, **more)')",
    ),
    "a function that is called in all ways": (
        "def f(g): return g(1, 2, 3, 4, d=5, z=6)",
        "def g(a, b, /, c=1, *rest, d, e=2, **more): return a, b, c, rest, d, e, more\n"
        "assert f(g) == (1, 2, 3, (4,), 5, 2, {'z': 6})",
    ),
    "a function that is called wrongly": (
        "def f(g):\n    try: g(1, 2)\n    except TypeError: return 'refused'",
        "assert f(lambda a: a) == 'refused'",
    ),
    "a function that raises": (
        "def f(g): return g()",
        "class Mine(Exception): pass\nmine = Mine('x')\ndef g(): raise mine\n"
        "try: f(g)\nexcept Mine as error: assert error is mine\nelse: assert False",
    ),
    "a function that raises what the sample catches": (
        "def f(g):\n    try: g()\n    except ValueError as error: return error.args",
        "def g(): raise ValueError('x', 2)\nassert f(g) == ('x', 2)",
    ),
    "a function for threads": (
        "from concurrent.futures import ThreadPoolExecutor\ndef f(g, xs):\n"
        "    with ThreadPoolExecutor(3) as pool: return list(pool.map(g, xs))",
        "assert f(lambda x: x + 1, list(range(20))) == list(range(1, 21))",
    ),
    "an object that is only kept": (
        "def f(d, default): return d.get('x', default), default in [default]",
        "s = object()\nassert f({}, s) == (s, True) and f({'x': s}, None)[0] is s",
    ),
    "a list that contains itself": ("def f(a): return a[0] is a", "a = []\na.append(a)\nassert f(a)"),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_is_used_as_in_one_process(sandbox: Sandbox, name: str) -> None:
    source, test = ARGUMENTS[name]
    graded = grade(sandbox, source, test)
    assert graded.verdict is Verdict.CORRECT, graded


RAISED = {
    "arguments": ("raise KeyError('k', 3)", "KeyError", "error.args == ('k', 3)"),
    "a text": ("raise KeyError('k')", "LookupError", "str(error) == repr('k')"),
    "attributes": (
        "class Mine(ValueError):\n        def __init__(self, code):\n            super().__init__(f'bad {code}')\n"
        "            self.code = code\n    raise Mine(4)",
        "ValueError",
        "str(error) == 'bad 4' and error.code == 4",
    ),
    "a file name": (
        "open('/nonexistent')",
        "FileNotFoundError",
        "error.filename == '/nonexistent' and error.errno == 2",
    ),
    "a position": ("import json; json.loads('{')", "json.JSONDecodeError", "error.pos == 1 and error.doc == '{'"),
    "a cause of one's own": (
        "raise UnicodeDecodeError('utf-8', b'x', 0, 1, 'no')",
        "UnicodeDecodeError",
        "error.end == 1",
    ),
}


@pytest.mark.parametrize("name", RAISED)
def test_an_exception_arrives_with_what_it_holds(sandbox: Sandbox, name: str) -> None:
    source, kind, condition = RAISED[name]
    test = f"import json\ntry:\n    f()\nexcept {kind} as error:\n    assert {condition}\nelse:\n    assert False"
    assert grade(sandbox, f"def f():\n    {source}", test).verdict is Verdict.CORRECT


CHANGES = {
    "the list itself": ("def f(a): return a", "a = [1]\nassert f(a) is not a", Verdict.WRONG),
    "a copy": ("def f(a): return list(a)", "a = [1]\nassert f(a) is not a and f(a) == a", Verdict.CORRECT),
    "a shallow copy": ("def f(a): return list(a)", "a = [[1]]\nassert f(a)[0] is not a[0]", Verdict.WRONG),
    "a deep copy": (
        "import copy\nf = copy.deepcopy",
        "a = [[1]]\nb = f(a)\nassert b == a and b[0] is not a[0]",
        Verdict.CORRECT,
    ),
    "sorted in place": ("def f(a): a.sort()", "a = [2, 1]\nassert f(a) is None and a == [1, 2]", Verdict.CORRECT),
    "not sorted in place": ("def f(a): return sorted(a)", "a = [2, 1]\nf(a)\nassert a == [1, 2]", Verdict.WRONG),
    "left as it was": ("def f(a): return sorted(a)", "a = [2, 1]\nf(a)\nassert a == [2, 1]", Verdict.CORRECT),
    "not left as it was": (
        "def f(a):\n    a.sort()\n    return a",
        "a = [2, 1]\nf(a)\nassert a == [2, 1]",
        Verdict.WRONG,
    ),
    "everything in a dictionary": (
        "def f(d):\n    d['l'].append(1)\n    d['s'].add(4)\n    d['b'][0] = 7\n    d['q'].rotate(1)\n    del d['x']\n"
        "    d['n'] = {2}\n    d['c']['k'] += 2\n    d['a'].append(5)\n    d['o'].move_to_end(1)",
        "from collections import deque, Counter, OrderedDict\nfrom array import array\n"
        "d = dict(l=[], s=set(), b=bytearray(b'a'), q=deque([1, 2, 3]), x=1, c=Counter(), a=array('i'), "
        "o=OrderedDict([(1, 1), (2, 2)]))\nheld = dict(d)\nf(d)\n"
        "assert d['l'] == [1] and d['s'] == {4} and d['b'] == b'\\x07' and list(d['q']) == [3, 1, 2]\n"
        "assert d['n'] == {2} and 'x' not in d\n"
        "assert d['c'] == {'k': 2} and list(d['a']) == [5] and list(d['o']) == [2, 1]\n"
        "assert all(d[name] is held[name] for name in d if name in held)",
        Verdict.CORRECT,
    ),
    "rows that change places": (
        "def f(m): m[0], m[1] = m[1], m[0]",
        "m = [[1], [2]]\na, b = m\nf(m)\nassert m[0] is b and m[1] is a",
        Verdict.CORRECT,
    ),
    "one list thrice": ("def f(a): a[0].append(1)", "a = [[]] * 3\nf(a)\nassert a == [[1]] * 3", Verdict.CORRECT),
    "a change before an exception": (
        "def f(a):\n    a.append(1)\n    raise ValueError",
        "a = []\ntry: f(a)\nexcept ValueError: pass\nassert a == [1]",
        Verdict.CORRECT,
    ),
    "a change by the test's function": (
        "def f(g, m):\n    for row in m: g(row)\n    return m",
        "m = [[2, 1], [3, 0]]\nr = f(lambda row: row.sort(), m)\nassert m == [[1, 2], [0, 3]] and r is m",
        Verdict.CORRECT,
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_call_does_to_its_arguments_is_seen(sandbox: Sandbox, name: str) -> None:
    source, test, verdict = CHANGES[name]
    graded = grade(sandbox, source, test)
    assert graded.verdict is verdict, graded


OWN = "class N:\n    v = 3\n    def __eq__(self, other): return {}\n    __hash__ = object.__hash__\n"
REFUSED = {
    "equal to everything": (OWN.format(True) + "def f(): return N()", "assert f() == 5", "N was compared"),
    "equal to nothing": (OWN.format(False) + "def f(): return N()", "assert f() != 5", "N was compared"),
    "on the right": (OWN.format(True) + "def f(): return N()", "assert 5 == f()", "N was compared"),
    "in a list": (OWN.format(True) + "def f(): return [N()]", "assert f() == [5]", "N was compared"),
    "caught": (
        OWN.format(True) + "def f(): return N()",
        "try:\n    assert f() == 5\nexcept BaseException:\n    pass",
        "N was compared",
    ),
    "a container of everything": (
        "class N:\n    def __contains__(self, x): return True\ndef f(): return N()",
        "assert 5 in f()",
        "N was compared",
    ),
    "a key": ("class N: pass\ndef f(): return {N(): 1}", "assert f() == {5: 1}", "returned an object of class N"),
    "of another type": (
        "class N: pass\ndef f(): return N()",
        "assert isinstance(f(), list)",
        "returned an object of class N",
    ),
    "computed with": (
        "class N:\n    def __add__(self, x): return 7\ndef f(): return N()",
        "assert f() + 1 == 7",
        "N was compared",
    ),
    "suppressing an exception": (
        "class N:\n    def __enter__(self): return 4\n    def __exit__(self, *error): return True\ndef f(): return N()",
        "with f() as x:\n    [][x]",
        "N suppressed an exception",
    ),
    "of the test, read": ("def f(n): return n.v", "class M: v = 3\nassert f(M()) == 3", "given an object of class M"),
    "of the test, caught": (
        "def f(n):\n    try: return n.v\n    except BaseException: return 3",
        "class M: v = 3\nassert f(M()) == 3",
        "class M",
    ),
    "of the test, compared": (
        "def f(n): return n == 3",
        "class M:\n    def __eq__(self, x): return True\nassert f(M())",
        "given an object of class M",
    ),
    "of the test, not recognized": (
        "def f(n): return isinstance(n, int)",
        "class M(list.__base__): pass\nassert f(M())",
        "class M",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_told_and_never_decides(sandbox: Sandbox, name: str) -> None:
    source, test, told = REFUSED[name]
    graded = grade(sandbox, source, test)
    assert graded.verdict is Verdict.ERROR, graded
    assert told in graded.detail, graded


FORGERIES = {
    "suppressing the assertion": (
        "class N:\n    def __enter__(self): return 4\n    def __exit__(self, *error): return True\ndef f(): return N()",
        "with f() as x:\n    assert x == 5",
    ),
    "an attribute that ends a loop": (
        "class N:\n    def __getattr__(self, name): raise StopIteration\ndef f(): return N()",
        "n = f()\nassert all(map(lambda x: n.value == x, [1, 2]))\nassert [x for x in map(lambda x: n.value, [1])]",
    ),
    "a method that ends a loop": (
        "class N:\n    def value(self): raise StopIteration\ndef f(): return N()",
        "n = f()\nassert all(map(lambda x: n.value() == x, [1, 2]))",
    ),
    "an item that ends a loop": (
        "class N:\n    def __getitem__(self, at): raise StopIteration\ndef f(): return N()",
        "n = f()\nassert all(map(lambda x: n[x] == x, [1, 2]))",
    ),
    "a text that ends a loop": (
        "class N:\n    def __str__(self): raise StopIteration\ndef f(): return N()",
        "n = f()\nassert all(map(lambda x: str(n) == x, [1, 2]))",
    ),
    "the test's function, for its globals": (
        "def f(g):\n    g.__globals__['expected'] = 4\n    return 4",
        "assert f(lambda: 0) == 5",
    ),
    "the test's function, to be replaced": (
        "def f(g):\n    g.__code__ = (lambda: 4).__code__\n    return 4",
        "assert f(lambda: 5) == 5",
    ),
    "the test's exception, before it is raised": (
        "def f(g):\n    import remote\n    raise RuntimeError",
        "class Done(Exception): pass\ndef g(): raise Done\ntry:\n    f(g)\nexcept Done:\n    pass",
    ),
    "an exception of the test's name": (
        "class Done(Exception): pass\ndef f(): raise Done",
        "class Done(Exception): pass\ntry:\n    f()\nexcept Done:\n    pass",
    ),
    "a named tuple with its own equality": (
        "from collections import namedtuple\nclass P(namedtuple('P', 'x')):\n    __eq__ = lambda *a: True\n"
        "def f(): return P(4)",
        "assert f() == (5,)",
    ),
    "a fraction with its own equality": (
        "from fractions import Fraction\nclass P(Fraction):\n    __eq__ = lambda *a: True\ndef f(): return P(4)",
        "assert f() == 5",
    ),
    "a date with its own equality": (
        "from datetime import date\nclass P(date):\n    __eq__ = lambda *a: True\ndef f(): return P(4, 1, 1)",
        "from datetime import date\nassert f() == date(5, 1, 1)",
    ),
    "a deque with its own equality": (
        "from collections import deque\nclass P(deque):\n    __eq__ = lambda *a: True\ndef f(): return P([4])",
        "from collections import deque\nassert f() == deque([5])",
    ),
    "an iterator with its own equality": (
        "class P:\n    __eq__ = lambda *a: True\n    def __next__(self): return 5\ndef f(): return P()",
        "assert f() == 5",
    ),
    "a function with its own equality": (
        "class P:\n    __eq__ = lambda *a: True\n    def __call__(self): return self\ndef f(): return P()",
        "assert f() == 5",
    ),
    "a class that is equal to everything": (
        "class M(type):\n    __eq__ = lambda *a: True\n    __hash__ = type.__hash__\n"
        "class P(metaclass=M): pass\ndef f(): return P",
        "assert f() == 5",
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_proxy_does_not_let_a_sample_decide(sandbox: Sandbox, name: str) -> None:
    source, test = FORGERIES[name]
    graded = grade(sandbox, source, test)
    assert graded.verdict in {Verdict.WRONG, Verdict.ERROR}, graded
