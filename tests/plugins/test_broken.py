"""Broken plug-ins: one line names the plug-in and its distribution, and everything else still works."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.flows.command import MONKEYS, environment, monkeys
from tests.plugins.installed import install

SWEEP = "dataset: arithmetic\nlimit: 2\nengine: {name: recorded, path: s.jsonl}\nk: 2\n"
GOOD = Path(__file__).resolve().parents[2] / "examples" / "plugin" / "monkeys_example"
GRADER = (GOOD / "close_enough.py").read_text()
ENGINE = (GOOD / "guesser.py").read_text()
DATASET = (GOOD / "sums.py").read_text()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a sweep that uses no plug-in."""
    rows = "".join(
        f'{{"problem_id": "arithmetic/{p:03d}", "index": {i}, "text": "#### 1"}}\n' for p in range(2) for i in range(2)
    )
    (tmp_path / "s.jsonl").write_text(rows)
    (tmp_path / "s.yaml").write_text(SWEEP)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (
            "close_enough",
            "import nothing_like_this",
            "strange:Thing does not load (ModuleNotFoundError: No module named",
        ),
        ("close_enough", "raise SystemExit('go')", "strange:Thing does not load (SystemExit: go)"),
        ("close_enough", "Other = 1", "strange:Thing does not load (AttributeError"),
        ("close_enough", "Thing = 1", "strange:Thing is not a pydantic model"),
        pytest.param(
            "close_enough",
            GRADER.replace("(Config)", "(__import__('pydantic').BaseModel)"),
            "strange:Thing is not frozen",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "close_enough",
            GRADER.replace('Literal["close_enough"]', "str"),
            "strange:Thing has no field `name: Literal",
            marks=pytest.mark.slow,
        ),
        pytest.param("another", GRADER, 'strange:Thing has no field `name: Literal["another"]', marks=pytest.mark.slow),
        pytest.param(
            "close_enough",
            GRADER.replace("def grade(", "def grades("),
            "strange:Thing lacks `grade` (Grader in tasks.graders)",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "close_enough",
            GRADER.replace("    def check(", "    check: ClassVar[int] = 1\n    def _check("),
            "has a `check` that is not",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "close_enough",
            GRADER.replace(
                "    tolerance: int =",
                '    hook: __import__("typing").Callable[[], int] | None = None\n    tolerance: int =',
            ),
            "strange:Thing has fields that a form cannot show",
            marks=pytest.mark.slow,
        ),
        ("gsm8k", GRADER, "its name is taken by a built-in one"),
    ],
)
def test_a_broken_plug_in_is_a_one_line_error_where_it_is_named_and_affects_nothing_else(
    folder: Path, name: str, text: str, fault: str
) -> None:
    module = text.replace("class CloseEnoughGrader", "class Thing")
    site = install(folder / "site", {"strange.py": module}, f"[monkeys.graders]\n{name} = strange:Thing\n")
    listed = monkeys("plugins", cwd=folder, PYTHONPATH=site)
    assert listed.code == 1
    assert fault in " ".join(listed.out.split())
    if name != "gsm8k":
        named = monkeys("plan", "s.yaml", "--set", f"grader={name}", cwd=folder, PYTHONPATH=site)
        assert (named.code, len(named.err.splitlines())) == (2, 1), named.err
        assert f"grader.name: plug-in {name} (strange 0.3) cannot be used: " in named.err
        assert fault in named.err
    others = monkeys("plan", "s.yaml", cwd=folder, PYTHONPATH=site)
    assert others.code == 0, others.err
    assert others.err.startswith(f"monkeys: plug-in {name} (strange 0.3) is left out: ")


def test_of_two_plug_ins_with_the_same_name_the_first_is_used(folder: Path) -> None:
    site = install(
        folder / "site", {"a.py": GRADER}, "[monkeys.graders]\nclose_enough = a:CloseEnoughGrader\n", "first"
    )
    install(folder / "site", {}, "[monkeys.graders]\nclose_enough = a:CloseEnoughGrader\n", "second")
    listed = monkeys("plugins", cwd=folder, PYTHONPATH=site)
    assert listed.code == 1
    assert "its name is taken by plug-in close_enough (first 0.3)" in listed.out


def test_a_plug_in_that_hangs_on_import_is_named_and_can_be_interrupted(folder: Path) -> None:
    site = install(
        folder / "site", {"slow.py": "import time\ntime.sleep(600)\n"}, "[monkeys.graders]\nslow = slow:Thing\n"
    )
    with subprocess.Popen(
        # A job in the background, as tests may be, hands an ignored SIGINT on.
        ["env", "--default-signal=INT", MONKEYS, "plan", "s.yaml"],
        cwd=folder,
        env=environment(PYTHONPATH=site),
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        assert "loading plug-in slow (strange 0.3) is taking long; press Ctrl-C to stop" in running.stderr.readline()
        os.kill(running.pid, signal.SIGINT)
        assert running.wait(timeout=200) == 130
    without = monkeys("plan", "s.yaml", cwd=folder, PYTHONPATH=site, MONKEYS_PLUGINS="")
    assert (without.code, without.err) == (0, "")


@pytest.mark.parametrize(
    ("broken", "old", "new", "message"),
    [
        (
            "sums",
            "for n in range(self.count)]",
            "for n in range(0)]",
            "dataset: sums (strange 0.3) gave list, not a list of",
        ),
        (
            "sums",
            "return [Problem(",
            "return 5, [Problem(",
            "dataset: sums (strange 0.3) gave tuple, not a list of problems",
        ),
        (
            "sums",
            "return [Problem(",
            'return ["p"] or [Problem(',
            "dataset: sums (strange 0.3) gave 'p', not a Problem",
        ),
        (
            "guesser",
            "indices = range(request.start, request.stop)",
            "indices = [0, 0]",
            "guesser (strange 0.3) returned sample 0 of",
        ),
        (
            "guesser",
            "indices = range(request.start, request.stop)",
            "indices = [0]",
            "guesser (strange 0.3) returned 4 of 8 samples",
        ),
        (
            "guesser",
            "indices = range(request.start, request.stop)",
            "indices = [7]",
            "returned sample 7 of problem 'sums/0', which was not",
        ),
        (
            "guesser",
            'f"#### {answer}", tokens',
            "b'x', tokens",
            "engine: guesser (strange 0.3) returned Sample, not a Sample with a text",
        ),
        (
            "guesser",
            "yield [self._guess(request, index, int(left) + int(right), sampling.seed) for index in indices]",
            "from tasks.store.sample_columns import SampleColumns; "
            "yield SampleColumns.of([Sample(request.problem_id, index, None) for index in indices])",
            "engine: guesser (strange 0.3) returned Sample, not a Sample with a text",
        ),
        ("close_enough", "in pairs:", "in pairs[1:]:", "grader: close_enough (strange 0.3) graded 7 of 8 samples"),
        ("close_enough", "in pairs:", "in [*pairs, *pairs]:", "which was not requested or had been graded before"),
        (
            "close_enough",
            "yield GradedSample(",
            "yield (",
            "grader: close_enough (strange 0.3) returned tuple, not a GradedSample",
        ),
    ],
)
@pytest.mark.slow
def test_a_plug_in_that_returns_nonsense_is_one_line(
    folder: Path, broken: str, old: str, new: str, message: str
) -> None:
    modules = {"sums.py": DATASET, "guesser.py": ENGINE, "close_enough.py": GRADER}
    assert old in modules[f"{broken}.py"]
    modules[f"{broken}.py"] = modules[f"{broken}.py"].replace(old, new)
    points = (
        "[monkeys.datasets]\nsums = sums:SumsDataset\n[monkeys.engines]\nguesser = guesser:GuesserConfig\n"
        "[monkeys.graders]\nclose_enough = close_enough:CloseEnoughGrader\n"
    )
    site = install(folder / "site", modules, points)
    (folder / "s.yaml").write_text("dataset: {name: sums, count: 4}\nengine: guesser\ngrader: close_enough\nk: 2\n")
    done = monkeys("sweep", "s.yaml", cwd=folder, PYTHONPATH=site)
    assert (done.code, len(done.err.splitlines())) == (2, 1), done.err
    assert message in done.err
