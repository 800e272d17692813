import pytest

from tasks.errors import UserError
from tasks.files.usage import read_counts_and_usage

HEADER = "problem,samples,correct,prompt_tokens,cached_prompt_tokens,tokens,seconds,dollars\n"


@pytest.fixture
def table(tmp_path):
    def write(text):
        file = tmp_path / "table.csv"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_sums_are_read_next_to_the_counts(table):
    counts, usage = read_counts_and_usage(table(HEADER + "a,10,3,200,50,400,1.5,0.02\nb,5,0,150,0,10,2,0.03\n"))
    assert counts.c.tolist() == [3, 0]
    assert usage.problem_ids == ("a", "b")
    assert usage.samples.tolist() == [10, 5]
    columns = (usage.prompt, usage.cached, usage.completion, usage.seconds, usage.dollars, usage.shared_prompt)
    assert [None if each is None else each.tolist() for each in columns] == [
        [200, 150],
        [50, 0],
        [400, 10],
        [1.5, 2],
        [0.02, 0.03],
        [20, 30],
    ]
    assert usage.context is None


def test_a_table_of_counts_alone_has_no_usage(table):
    _, usage = read_counts_and_usage(table("problem,samples,correct\na,10,3\n"))
    assert (usage.prompt, usage.completion, usage.seconds, usage.dollars) == (None, None, None, None)


def test_problems_without_samples_are_left_out(table):
    counts, usage = read_counts_and_usage(table("problem,samples,correct,tokens\na,0,0,0\nb,2,1,30\n"))
    assert counts.problem_ids == usage.problem_ids == ("b",)
    assert usage.completion is not None
    assert usage.completion.tolist() == [30]


def test_prompts_of_samples_that_differ_are_not_shared(table):
    _, usage = read_counts_and_usage(table("problem,samples,correct,prompt_tokens\na,2,1,31\n"))
    assert usage.shared_prompt is None


def test_the_line_of_a_value_is_that_on_which_its_row_begins(table):
    file = table('problem,samples,correct,tokens,note\n"a\nb",2,1,many,"one\ntwo"\n')
    with pytest.raises(UserError, match=r"table.csv, line 2: tokens is 'many'"):
        read_counts_and_usage(file)


@pytest.mark.parametrize("value", ["", "many", "-1", "nan", "inf", "1e16"])
def test_a_value_that_is_not_a_sum_is_told_with_its_line(table, value):
    file = table(f"problem,samples,correct,tokens\na,2,1,30\nb,2,1,{value}\n")
    with pytest.raises(UserError, match=r"table.csv, line 3: tokens is .*; it must be a number of at least 0"):
        read_counts_and_usage(file)
