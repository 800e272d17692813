"""Small repositories with a bug, as rows of SWE-bench: with pytest, with a runner like Django's, one whose tests are
flaky, and one whose tests need a network."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker import DockerClient

from tests.repositories.images import build_instance, diff_of

Files = dict[str, str]

TEXTS = {
    "textkit/__init__.py": "",
    "textkit/words.py": '''\
"""Words of a text."""


def words(text):
    """The words of a text, in order."""
    return text.split(" ")


def longest(text):
    """The longest word of a text; the first of several."""
    found = words(text)
    return max(found, key=len)


def count(text):
    """How many words a text has."""
    return len(words(text))
''',
    "tests/test_words.py": """\
from textkit.words import count, longest, words


def test_words():
    assert words("one two") == ["one", "two"]


def test_longest():
    assert longest("one three two") == "three"
""",
    "setup.cfg": "[metadata]\nname = textkit\n",
    "README": "Words.\r\nIn a text.\r\n",
}
TEXTS_TESTS = {
    "tests/test_words.py": TEXTS["tests/test_words.py"]
    + """

def test_spaces():
    assert words("one  two ") == ["one", "two"]
""",
    "tests/test_count.py": """\
from textkit.words import count


def test_count():
    assert count(" a  b ") == 2


def test_count_of_nothing():
    assert count("") == 0
""",
}
FIXED = TEXTS["textkit/words.py"].replace('text.split(" ")', "text.split()")

RUNNER = '''\
#!/usr/bin/env python3
"""Runs the tests of the modules that are named, as Django's runner does."""
import sys
import unittest

sys.path[:0] = [".", "tests"]
suite = unittest.defaultTestLoader.loadTestsFromNames([name for name in sys.argv[1:] if not name.startswith("-")])
print("System check identified no issues (0 silenced).")
sys.exit(not unittest.TextTestRunner(verbosity=2).run(suite).wasSuccessful())
'''
FORMS = {
    "forms/__init__.py": "",
    "forms/fields.py": '''\
class IntegerField:
    """A whole number, as text."""

    def clean(self, value):
        return int(value)
''',
    "tests/runtests.py": RUNNER,
    "tests/fields/__init__.py": "",
    "tests/fields/tests.py": """\
import unittest

from forms.fields import IntegerField


class IntegerFieldTests(unittest.TestCase):
    def test_clean(self):
        self.assertEqual(IntegerField().clean("12"), 12)
""",
}
FORMS_TESTS = {
    "tests/fields/tests.py": FORMS["tests/fields/tests.py"]
    + '''
    def test_blank(self):
        """A blank value is None."""
        self.assertIsNone(IntegerField().clean(" "))

    def test_separators(self):
        self.assertEqual(IntegerField().clean("1,200"), 1200)
''',
}
FORMS_FIXED = FORMS["forms/fields.py"].replace(
    "return int(value)", 'return int(value.replace(",", "")) if value.strip() else None'
)

DICE = {
    "dice.py": "import os\n\n\ndef roll():\n    return os.urandom(1)[0] % 6\n",
    "test_dice.py": "import dice\n\n\ndef test_range():\n    assert 0 <= dice.roll() <= 6\n",
}
DICE_TESTS = {
    "test_dice.py": DICE["test_dice.py"] + "\n\ndef test_never_zero():\n    assert dice.roll() > 0\n\n\n"
    "def test_not_six():\n    import os\n\n    assert dice.roll() < 7 and os.urandom(1)[0] < 200\n"
}

NET = {
    "fetch.py": "def host():\n    return ''\n",
    "test_fetch.py": "import fetch\n\n\ndef test_type():\n    assert isinstance(fetch.host(), str)\n",
}
NET_TESTS = {
    "test_fetch.py": NET["test_fetch.py"] + "\n\ndef test_answers():\n    import socket\n\n"
    "    assert fetch.host()\n    socket.create_connection((fetch.host(), 80), 3).close()\n"
}


@dataclass(frozen=True)
class Instance:
    """A repository, its tests after the fix, and how they are run."""

    id: str
    before: Files
    tests: Files
    fixed: Files
    fail_to_pass: list[str]
    pass_to_pass: list[str]
    command: str
    log_parser: str = "parse_log_pytest"

    @property
    def image(self) -> str:
        return f"monkeys-tests-{self.id.lower()}:latest"

    def build(self, client: DockerClient) -> str:
        """The image; returns the commit in it."""
        return build_instance(client, self.image, self.before)

    def patch(self, folder: Path, after: Files | None = None, removed: str = "") -> str:
        """What leads from the repository to other files, by default the gold patch."""
        whole = {**self.before, **(self.fixed if after is None else after)}
        whole.pop(removed, None)
        return diff_of(self.before, whole, folder)

    def row(self, commit: str, folder: Path) -> dict[str, Any]:
        """The row of a file in SWE-bench's format."""
        test_patch = diff_of(self.before, {**self.before, **self.tests}, folder)
        changed = " ".join(path for path in self.tests if path in self.before)
        script = "\n".join([
            "#!/bin/bash",
            "set -uxo pipefail",
            "source /opt/miniconda3/bin/activate",
            "conda activate testbed",
            "cd /testbed",
            "git config --global --add safe.directory /testbed",
            f"git checkout {commit} {changed}",
            "git apply -v - <<'EOF_114329324912'",
            test_patch,
            "EOF_114329324912",
            ": '>>>>> Start Test Output'",
            self.command,
            ": '>>>>> End Test Output'",
            f"git checkout {commit} {changed}",
            "",
        ])  # fmt: skip
        return {
            "instance_id": self.id,
            "repo": f"acme/{self.id.partition('__')[2].partition('-')[0]}",
            "version": "1.0",
            "base_commit": commit,
            "problem_statement": f"{self.id} is broken: {', '.join(self.fail_to_pass)} fail.",
            "patch": self.patch(folder),
            "test_patch": test_patch,
            "FAIL_TO_PASS": self.fail_to_pass,
            "PASS_TO_PASS": self.pass_to_pass,
            "image": self.image,
            "eval_script": script,
            "log_parser": self.log_parser,
            "eval_type": "pass_and_fail",
        }


PYTEST = "python3 -m pytest -rA -p no:cacheprovider"
TEXTKIT = Instance(
    "acme__textkit-1", TEXTS, TEXTS_TESTS, {"textkit/words.py": FIXED},
    [f"tests/{test}" for test in ("test_words.py::test_spaces", "test_count.py::test_count",
                                  "test_count.py::test_count_of_nothing")],
    ["tests/test_words.py::test_words", "tests/test_words.py::test_longest"],
    f"{PYTEST} tests/test_words.py tests/test_count.py",
)  # fmt: skip
DJANGO_LIKE = Instance(
    "acme__forms-2", FORMS, FORMS_TESTS, {"forms/fields.py": FORMS_FIXED},
    ["A blank value is None.", "test_separators (fields.tests.IntegerFieldTests.test_separators)"],
    ["test_clean (fields.tests.IntegerFieldTests.test_clean)"],
    "python3 tests/runtests.py --verbosity 2 fields.tests", "parse_log_django",
)  # fmt: skip
FLAKY = Instance(
    "acme__dice-3", DICE, DICE_TESTS, {"dice.py": DICE["dice.py"].replace("% 6", "% 6 + 1")},
    ["test_dice.py::test_never_zero", "test_dice.py::test_not_six"], ["test_dice.py::test_range"],
    f"{PYTEST} test_dice.py",
)  # fmt: skip
NETWORK = Instance(
    "acme__fetch-4", NET, NET_TESTS, {"fetch.py": "def host():\n    return '192.0.2.1'\n"},
    ["test_fetch.py::test_answers"], ["test_fetch.py::test_type"], f"{PYTEST} test_fetch.py",
)  # fmt: skip
INSTANCES = (TEXTKIT, DJANGO_LIKE, FLAKY, NETWORK)
