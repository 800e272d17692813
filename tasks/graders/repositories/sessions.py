"""Whether an output is that of a whole test session, or lines that only look like results.

Tests run in a process that has imported the patched code, so a patch that sets out to deceive can print anything. A
few printed lines do not have the session's own count of tests, at its end, which must cover the tests that are said to
have passed. A runner of which no count is known is believed.
"""

import re
from collections.abc import Sequence

# pytest: "== 3 failed, 10 passed, 1 warning in 0.12s ==", also without the signs. Older versions count
# "pytest-warnings", newer ones "subtests passed".
_PYTEST = re.compile(
    r"^(?:=+ )?((?:\d{1,9} [a-z-]{1,20}(?: [a-z]{1,20})?(?:, )?){1,12}) in \d{1,9}(?:\.\d{1,9})?(?: ?s| seconds)\b",
    re.MULTILINE,
)
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")
_PYTEST_COUNT = re.compile(r"(\d{1,9}) (passed|xfailed|xpassed)")
# unittest, and Django's runner.
_UNITTEST = re.compile(r"Ran (\d{1,9}) tests? in \d")
_SYMPY = re.compile(r"tests finished: (\d{1,9}) passed")

_PYTEST_PARSERS = frozenset(
    f"parse_log_{each}"
    for each in (
        "astroid", "astropy", "flask", "marshmallow", "matplotlib", "pvlib", "pydicom", "pylint", "pytest",
        "pytest_options", "pytest_v2", "pyvista", "requests", "scikit", "seaborn", "sphinx", "sqlfluff", "xarray",
    )
)  # fmt: skip


def doubt(output: str, parser: str, passed: Sequence[str]) -> str | None:
    """Why it is doubtful that tests passed; None where nothing speaks against it.

    Args:
        output: what the test command printed.
        parser: the name of swebench's parser, which tells the runner.
        passed: the names of tests that should pass, and did according to the output.
    """
    counted = _counted(output, parser)
    # swebench's parsers take a progress such as [100%] for a name.
    claimed = len({name for name in passed if not name.startswith("[")})
    if counted is None or claimed <= counted:
        return None
    if counted == 0:
        return f"{claimed} tests are said to have passed, and no test session has ended"
    return f"{claimed} tests are said to have passed, and the test session counted {counted}"


def _counted(output: str, parser: str) -> int | None:
    """The tests that sessions counted as passed, or as run; None where the runner's count is not known."""
    if parser in _PYTEST_PARSERS:
        sessions = _PYTEST.findall(_COLOUR.sub("", output))
        return sum(int(number) for session in sessions for number, _ in _PYTEST_COUNT.findall(session))
    if parser == "parse_log_django":
        return sum(map(int, _UNITTEST.findall(output)))
    if parser == "parse_log_sympy":
        return sum(map(int, _SYMPY.findall(output)))
    return None
