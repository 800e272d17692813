"""The arithmetic problems: their answers are right, and they are what the generator makes."""

import re
from itertools import islice

import pytest

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.datasets.synthetic.arithmetic_problems import Chain, Step, is_held_out, training_problems
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.datasets.synthetic.regenerate import arithmetic_rows
from tasks.prompts import template

PROBLEMS = ArithmeticDataset().load()
ROWS = list(held_out_rows("arithmetic"))


def test_the_committed_file_is_what_the_generator_makes():
    assert arithmetic_rows() == ROWS


def test_there_are_128_problems_of_every_length_and_no_two_alike():
    assert len(PROBLEMS) == len({problem.id for problem in PROBLEMS}) == 128
    assert len({row["form"] for row in ROWS}) == len({problem.question for problem in PROBLEMS}) == 128
    lengths = [len(re.findall(r"[-+*/]", row["form"])) for row in ROWS]
    assert [lengths.count(n) for n in (1, 2, 3, 4)] == [32] * 4


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_answer_and_every_line_of_the_solution_are_correct(row):
    value, *steps = re.findall(r"\d+|[-+*/]\d+", row["form"])
    for step in steps:
        divided = step.startswith("/")
        value = eval(f"{value}{'/' + step if divided else step}")
    *lines, last = row["solution"].split("\n")
    assert [int(eval(line.split(" = ")[0])) for line in lines] == [int(line.split(" = ")[1]) for line in lines]
    assert last == f"#### {value}" == f"#### {row['answer']}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_the_question_tells_every_number_in_order(row):
    assert re.findall(r"\d+", row["question"]) == re.findall(r"\d+", row["form"])


def test_all_numbers_are_integers_within_bounds():
    for problem in islice(training_problems(9, 2000), 2000):
        for line in problem.solution.split("\n")[:-1]:
            left, result = line.split(" = ")
            assert eval(left) == int(result)
            assert 10 <= int(result) <= 9_999


def test_one_form_in_sixteen_is_held_out():
    forms = [Chain(start, (Step("+", 17),)).form for start in range(10, 4010)]
    assert sum(map(is_held_out, forms)) == pytest.approx(250, abs=50)


def test_the_training_problems_are_the_same_each_time():
    first = [problem.question for problem in training_problems(5, 3)]
    assert first == [problem.question for problem in training_problems(5, 3)]
    assert first != [problem.question for problem in training_problems(6, 3)]


def test_the_template_exists_and_stops_before_another_question():
    config = ArithmeticDataset()
    assert template(config.template) == "Question: {question}\nAnswer:"
    assert "\nQuestion:" in config.stop
