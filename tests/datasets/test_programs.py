"""The programming problems: reference programs pass in separate processes, near misses fail."""

import subprocess
import sys

import pytest

from tasks.datasets.programs import ProgramsDataset
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.datasets.synthetic.program_operations import OUTPUTS, TRANSFORMS
from tasks.datasets.synthetic.program_problems import (
    Composition,
    Use,
    held_out_compositions,
    near_misses,
    run,
    training_problems,
)
from tasks.datasets.synthetic.regenerate import program_row
from tasks.graders.base.requirements import require_check
from tasks.prompts import template
from tasks.records import StdioCheck

PROBLEMS = ProgramsDataset().load()
ROWS = list(held_out_rows("programs"))


def test_the_committed_file_is_what_the_generator_makes():
    compositions = held_out_compositions()
    assert [composition.program for composition in compositions] == [row["program"] for row in ROWS]
    for number in range(0, 128, 8):
        assert program_row(number, compositions[number]) == ROWS[number]


def test_there_are_128_problems_of_all_lengths_and_no_two_alike():
    assert len(PROBLEMS) == len({problem.id for problem in PROBLEMS}) == 128
    assert len({row["form"] for row in ROWS}) == len({problem.question for problem in PROBLEMS}) == 128
    lengths = [len(row["form"].split(" | ")[0].split()) for row in ROWS]
    assert [lengths.count(n) for n in (1, 2, 3, 4)] == [16, 32, 48, 32]


def test_every_problem_has_5_to_8_tests_one_of_them_of_the_empty_list():
    for problem in PROBLEMS:
        assert 5 <= len(require_check(problem, StdioCheck).tests) <= 8
        assert [test.stdin for test in require_check(problem, StdioCheck).tests].count("\n") == 1


@pytest.mark.parametrize("number", range(0, 128, 8))
def test_the_reference_program_passes_as_a_program(number):
    for test in require_check(PROBLEMS[number], StdioCheck).tests[-2:]:
        done = subprocess.run(
            [sys.executable, "-I", "-c", ROWS[number]["program"]],
            input=test.stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == test.stdout


def test_a_reference_program_with_one_step_changed_fails():
    """A step left out, swapped or exchanged, an argument off by one: at least 95 % fail, and every step matters."""
    caught = escaped = 0
    for composition, problem in zip(held_out_compositions(), PROBLEMS, strict=True):
        for i, miss in enumerate(near_misses(composition)):
            passes = all(
                run(miss.program, test.stdin).split() == test.stdout.split()
                for test in require_check(problem, StdioCheck).tests
            )
            assert not (passes and i < len(composition.transforms)), f"{miss.form} passes for {composition.form}"
            caught, escaped = caught + (not passes), escaped + passes
    assert escaped / (caught + escaped) < 0.05


def test_expected_outputs_differ_between_the_tests_of_a_problem():
    for problem in PROBLEMS:
        assert len({test.stdout for test in require_check(problem, StdioCheck).tests}) > 1


@pytest.mark.parametrize("operation", [*TRANSFORMS, *OUTPUTS], ids=lambda operation: operation.name)
def test_every_operation_runs_on_any_list(operation):
    argument = operation.arguments[0] if operation.arguments else None
    uses = (Use(operation, argument),)
    composition = Composition(uses, Use(OUTPUTS[0])) if operation in TRANSFORMS else Composition((), uses[0])
    for line in ("\n", "0\n", "5 -3 5 12 -40 7\n"):
        run(composition.program, line)
    assert all(("{n}" in phrase) == bool(operation.arguments) for phrase in operation.phrases)


@pytest.mark.parametrize(
    ("form", "numbers", "printed"),
    [
        ("even add:3 sort | all", "4 1 -2 6", "1 7 9"),
        ("running_sum | all", "1 2 3", "1 3 6"),
        ("rotate:2 | all", "1 2 3", "3 1 2"),
        ("rises | all", "3 1 2 2 5", "3 2 5"),
        ("sort_last_digit | all", "19 21 -11 30", "30 21 -11 19"),
        ("above_mean | all", "1 2 6", "6"),
        ("digit_sum | sum", "-12 40", "7"),
        ("times_place | alternating", "1 1 1", "2"),
        ("cap:3 negate | span", "1 9", "2"),
        ("differences | lines", "1 4 2", "3\n-2"),
    ],
)
def test_operations_do_what_their_phrases_say(form, numbers, printed):
    by_name = {operation.name: operation for operation in (*TRANSFORMS, *OUTPUTS)}
    steps, output = form.split(" | ")
    uses = [
        Use(by_name[name], int(number) if number else None)
        for name, _, number in (s.partition(":") for s in steps.split())
    ]
    composition = Composition(tuple(uses), Use(by_name[output]))
    assert composition.form == form
    assert run(composition.program, numbers + "\n") == printed + "\n"


def test_the_training_problems_are_the_same_each_time():
    assert list(training_problems(5, 20)) == list(training_problems(5, 20))
    assert list(training_problems(5, 20)) != list(training_problems(6, 20))


def test_the_template_exists_and_stops_before_another_task():
    config = ProgramsDataset()
    assert template(config.template) == "Task: {question}\nProgram:\n"
    assert "\nTask:" in config.stop
