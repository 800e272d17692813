"""Programs in Markdown fences: found in linear time, and of several the one that is meant."""

import pytest

from tasks.answers.fences import candidates, choose, fences

PROGRAM = "import sys\nprint(int(sys.stdin.read()) * 2)\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no fence", []),
        ("```python\na\n```", [("python", "a\n", True)]),
        ("```Python\na\n```\n~~~\nb\n~~~", [("python", "a\n", True), ("", "b\n", True)]),
        ("  ```py title=x\na\n  ```  ", [("py", "a\n", True)]),
        ("````\n```\n````", [("", "```\n", True)]),
        ("```\n~~~\n```", [("", "~~~\n", True)]),
        ("Answer: ```python\na\n```", [("python", "a\n", True)]),
        ("```\na", [("", "a", False)]),
        ("x = '```'", []),
        ("use ```a``` here", []),
        ("```{.python}\na\r\n```\r\n", [("", "a\r\n", True)]),
        ("a ~~~\nb", []),
    ],
)
def test_fences_are_found_as_in_markdown(text: str, found: list[tuple[str, str, bool]]) -> None:
    assert [each[1:] for each in fences(text)] == found


@pytest.mark.parametrize(
    ("text", "program"),
    [
        (f"A first idea:\n```python\nprint(1)\n```\nBetter:\n```python\n{PROGRAM}```", PROGRAM),
        (f"```python\n{PROGRAM}```\nFor the input\n```\n5\n```\nit prints\n```text\n10\n```", PROGRAM),
        (f"```\n{PROGRAM}```\nwith the input\n```\n5\n```", PROGRAM),
        (f"```python\n{PROGRAM}```\nUse it so:\n```python\nsolve(3)\n```", PROGRAM),
        (f"```python\n{PROGRAM}```\n```python\nprint(1", PROGRAM),
        (f"```python\n{PROGRAM}```\n```python\nprint(1\n```", PROGRAM),
        (f"{PROGRAM}```\nThat is all.", PROGRAM),
        (f"Here it is:\n```\n{PROGRAM}", PROGRAM),
        (f"```bash\npip install x\n```\n```python\n{PROGRAM}", PROGRAM),
    ],
)
def test_the_last_complete_program_is_meant(text: str, program: str) -> None:
    found = candidates(text)
    assert found[choose(found, None)] == program


def test_a_fence_in_a_docstring_does_not_end_a_program() -> None:
    text = f'"""Doubles.\n\n```\n2 -> 4\n```\n"""\n{PROGRAM}'
    found = candidates(text)
    assert found[choose(found, None)] == text


@pytest.mark.parametrize(
    ("last", "meant"),
    [
        ("f(3)\n", 0),
        ("def f(x):\n    return x\n", 1),
        ("from m import g as f\n", 1),
        ("f = lambda x: x\n", 1),
        ("class A:\n    def f(self): ...\n", 0),
        ("def f(x:\n", 0),
    ],
)
def test_the_last_text_that_defines_the_function_is_meant(last: str, meant: int) -> None:
    assert choose(["def f(x):\n    return 2 * x\n", last], "f") == meant


def test_a_broken_definition_is_meant_where_no_other_is() -> None:
    assert choose(["import math\n", "def f(x:\n", "f(1)\n"], "f") == 1


def test_a_name_bound_in_a_function_by_global_is_defined() -> None:
    program = "def read():\n    global n\n    n = 1\nread()\nprint(n, __name__, len('a'))\n"
    assert choose([program, "print(n)\n"], None) == 0
