import json

import pytest

from tasks.errors import UserError
from tasks.scaling.counts_csv import curve_document, forecast_document, read_counts

GOOD = "problem,samples,correct\na,200,0\nb,200,3\nc,200,150\n"


def test_counts_are_read_in_any_order_of_columns():
    counts = read_counts("\ufeffcorrect, note, samples, problem\n1,x,10,p\n0,,9,q\n", "c.csv")
    assert (counts.problem_ids, counts.n.tolist(), counts.c.tolist()) == (("p", "q"), [10, 9], [1, 0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no column 'problem'"),
        ("problem,samples\na,3\n", "no column 'correct'"),
        ("problem,samples,correct\n", "no row"),
        (GOOD + "d,5,6\n", "line 5: 6 correct of 5"),
        (GOOD + "d,5,-1\n", "line 5: -1 correct of 5"),
        (GOOD + "d,-5,-5\n", "line 5: -5 correct of -5"),
        (GOOD + "d,5,1.5\n", "line 5: correct is '1.5'"),
        (GOOD + "d,5\n", "line 5: correct is missing"),
        (GOOD + "a,5,1\n", "line 5: problem 'a' is already on line 2"),
        (GOOD + "\n\na,5,1\n", "line 7: problem 'a' is already on line 2"),
        (GOOD + "d," + "9" * 40 + ",1\n", "line 5: samples is '9999"),
        pytest.param(GOOD + "d," + "9" * 5_000 + ",1\n", "line 5: samples is '9999", id="5,000 digits"),
        ("problem,samples,correct,correct\na,5,1,2\n", "column 'correct' occurs 2 times"),
        ("problem;samples;correct\na;5;1\n", "separated by commas"),
        ("problem\tsamples\tcorrect\na\t5\t1\n", "separated by commas"),
        (GOOD + '"d,5,1\ne,5,1\n', "line 5: a quotation mark opens a field"),
        pytest.param(
            GOOD + "".join(f"{'' if i else chr(34)}p{i},1000,3\n" for i in range(12_000)),
            "line 5: a quotation mark opens a field",
            id="12,000 rows",
        ),
    ],
)
def test_bad_counts_are_one_clear_line(text, says):
    with pytest.raises(UserError) as caught:
        read_counts(text, "counts.csv")
    assert says in str(caught.value)
    assert str(caught.value).startswith("counts.csv")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_the_curve_document_has_curve_law_and_notes():
    document = json.loads(json.dumps(curve_document(read_counts(GOOD, "c")), allow_nan=False))
    assert document["problems"] == 3
    assert [point["k"] for point in document["curve"]] == [1, 2, 5, 10, 20, 50, 100, 200]
    assert document["curve"][0]["coverage"] == pytest.approx(153 / 600)
    assert document["curve"][-1]["coverage"] == pytest.approx(2 / 3)
    assert document["curve"][0]["low"] <= document["curve"][0]["coverage"] <= document["curve"][0]["high"]
    assert set(document["power_law"]) == {"a", "b", "max_abs_error", "mean_abs_error"}


def test_the_forecast_document_has_intervals_and_method():
    document = json.loads(json.dumps(forecast_document(read_counts(GOOD, "c"), 10_000), allow_nan=False))
    assert set(document) == {"k", "coverage", "low50", "high50", "low90", "high90", "method", "notes"}
    assert 2 / 3 < document["coverage"] < 1
    assert forecast_document(read_counts(GOOD, "c"), 200)["method"] == "measured"


def test_problems_without_samples_and_those_that_end_the_curve_are_told():
    counts = read_counts(GOOD.replace("b,200,3", "b,0,0") + "d,7,1\n", "c")
    left_out = "1 of 4 problems has no graded sample and is left out of coverage (b)."
    ended = "Coverage stops at k = 7: beyond it, at least one problem has too few graded samples"
    notes = curve_document(counts)["notes"]
    assert notes[0] == left_out
    assert notes[1].startswith(ended)
    assert "(d)" in notes[1]
    assert forecast_document(counts, 100)["notes"] == notes
    assert forecast_document(counts, 5)["notes"] == [left_out]
    assert curve_document(read_counts(GOOD, "c"))["notes"] == []


def test_intervals_have_width_where_none_or_all_are_solved():
    for correct in (0, 100):
        rows = "".join(f"p{i},100,{correct}\n" for i in range(10))
        for point in curve_document(read_counts("problem,samples,correct\n" + rows, "c"))["curve"]:
            assert point["high"] - point["low"] > 0.05


@pytest.mark.parametrize("rows", ["a,10,0\n", "a,10,10\n", "a,1,1\nb,1,0\n", "a,10,0\nb,10,0\n", "a,3,1\nb,9,0\n"])
def test_corners_give_numbers_or_null_and_never_nan(rows):
    counts = read_counts("problem,samples,correct\n" + rows, "c")
    json.dumps(curve_document(counts), allow_nan=False)
    json.dumps(forecast_document(counts, 1000), allow_nan=False)
