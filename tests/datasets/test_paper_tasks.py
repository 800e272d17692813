"""The paper's datasets in their upstream rows: problems, examples, subsets and prompts, to the letter."""

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest

from tasks.datasets.code_contests import CodeContestsDataset
from tasks.datasets.gsm8k import Gsm8kDataset
from tasks.datasets.math import MathDataset
from tasks.datasets.math500 import Math500Dataset
from tasks.datasets.paper import subsets
from tasks.datasets.paper.few_shot import chosen
from tasks.datasets.paper.subsets import check, subset
from tasks.errors import UserError
from tasks.prompts import prompt, template
from tasks.records import AnswerCheck, FewShotExample, StdioCheck, StdioTest
from tests.datasets.files import Rows, on_the_hub, written

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"{DATA} is absent")

SUMS = [
    {"question": f"What is {a} + 1?", "answer": f"{a} + 1 = <<{a}+1={a + 1}>>{a + 1}\n#### {a + 1}"} for a in range(8)
]


def gsm8k(folder: Path, **fields: Any) -> Gsm8kDataset:
    test, train = written(folder / "test.jsonl", SUMS[:2]), written(folder / "train.jsonl", SUMS[2:])
    return Gsm8kDataset(**{"path": test, "train_path": train, **fields})


def test_each_prompt_of_gsm8k_shows_five_examples_chosen_for_it(tmp_path: Path) -> None:
    problems = gsm8k(tmp_path).load()
    assert [(each.id, each.question, each.check) for each in problems] == [
        ("gsm8k/0000", "What is 0 + 1?", AnswerCheck("1")),
        ("gsm8k/0001", "What is 1 + 1?", AnswerCheck("2")),
    ]
    stream = random.Random(0)
    for problem in problems:
        rows = stream.sample(range(6), 5)
        assert problem.shots == tuple(
            FewShotExample(SUMS[2 + row]["question"], SUMS[2 + row]["answer"]) for row in rows
        )
    assert problems[0].shots != problems[1].shots
    assert gsm8k(tmp_path, shots_seed=1).load()[0].shots != problems[0].shots
    assert gsm8k(tmp_path, shots=0, train_path=None).load()[0].shots == ()


def test_the_prompt_of_gsm8k_is_exactly_the_papers(tmp_path: Path) -> None:
    dataset = gsm8k(tmp_path, shots=2)
    rows = random.Random(0).sample(range(2, 8), 2)
    assert prompt(dataset.template, dataset.load()[0]) == (
        f"Question: What is {rows[0]} + 1?\n"
        f"Answer: {rows[0]} + 1 = <<{rows[0]}+1={rows[0] + 1}>>{rows[0] + 1}\n#### {rows[0] + 1}\n\n"
        f"Question: What is {rows[1]} + 1?\n"
        f"Answer: {rows[1]} + 1 = <<{rows[1]}+1={rows[1] + 1}>>{rows[1] + 1}\n#### {rows[1] + 1}\n\n"
        "Question: What is 0 + 1?\nAnswer:"
    )
    assert (dataset.stop, dataset.max_tokens) == (("Q:", "Question:"), 512)


def test_a_gsm8k_row_without_a_marked_answer_is_named_by_line_and_field(tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.jsonl", [*SUMS[:1], {"question": "?", "answer": "so 5"}])
    with pytest.raises(UserError, match="line 2: answer: has no number after ####"):
        gsm8k(tmp_path, path=bad).load()


def test_a_train_split_with_too_few_examples_is_reported_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset.shots: 7 examples are asked for, and there are only 6"):
        gsm8k(tmp_path, shots=7).load()


def test_gsm8k_is_read_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets", reason="the hub extra is not installed")
    on_the_hub(tmp_path, "openai/gsm8k", {"test": SUMS[:2], "train": SUMS[2:]}, ("main", "socratic"))
    monkeypatch.chdir(tmp_path)
    assert Gsm8kDataset().load() == gsm8k(tmp_path / "files").load()


def test_the_papers_rows_follow_from_its_rule() -> None:
    for name, train in (("gsm8k", 7473), ("math", 7500)):
        paper = subset(name)
        stream, rows = random.Random(0), list(range(paper.of))
        for _ in rows:
            stream.sample(range(train), 5)
        stream.shuffle(rows)
        assert tuple(rows[:128]) == paper.rows
    assert (len(subset("gsm8k").hashes), len(subset("math").hashes)) == (128, 128)
    assert (len(subset("code_contests").rows), len(subset("code_contests").hashes)) == (140, 4)


def test_examples_are_drawn_as_the_paper_does() -> None:
    pool = [FewShotExample(str(number), "") for number in range(7473)]
    stream = random.Random(0)
    expected = [stream.sample(range(7473), 5) for _ in range(3)]
    assert [[int(shot.question) for shot in shots] for shots in chosen(pool, 3, 5, 0)] == expected


@needs_data
def test_the_pinned_hashes_are_those_of_the_real_questions() -> None:
    rows = [json.loads(line) for line in (DATA / "gsm8k" / "test_first200.jsonl").read_text().splitlines()]
    known = {row: text for row, text in subset("gsm8k").hashes.items() if row < len(rows)}
    assert len(known) > 10
    for row, expected in known.items():
        assert hashlib.sha256(rows[row]["question"].encode()).hexdigest() == expected
    path = DATA / "math" / "math500_first200.jsonl"
    problems = {row["unique_id"]: row["problem"] for row in map(json.loads, path.read_text().splitlines())}
    for row, name in ((2210, "intermediate_algebra/1151"), (3519, "number_theory/864")):
        text = problems[f"test/{name}.json"]
        assert subset("math").hashes[row] == hashlib.sha256(text.encode()).hexdigest()


def test_a_dataset_with_other_questions_does_not_have_the_papers_subset(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"rows of the whole gsm8k test split, 1,319 rows; .* has 2"):
        gsm8k(tmp_path, subset="paper").load()
    with pytest.raises(UserError, match="row 92 of here is not the paper's problem"):
        check("gsm8k", [f"question {number}" for number in range(1319)], "here")


def test_a_row_whose_text_is_not_known_is_not_checked() -> None:
    paper = subset("code_contests")
    assert min(paper.rows) < min(paper.hashes) == 13
    with pytest.raises(UserError, match="row 14 of here is not the paper's problem"):
        check("code_contests", [f"problem {number}" for number in range(165)], "here")


MATH_ROWS: Rows = [
    {
        "problem": "What is $1+1$?",
        "level": "Level 1",
        "type": "Algebra",
        "solution": r"It is $\boxed{2}$, or $\fbox 2$.",
    },
    {"problem": "Half?", "level": "Level 1", "type": "Algebra", "solution": r"$\boxed{1}$, no: $\boxed{\frac{1}{2}}$."},
]


def test_math_takes_the_last_boxed_answer(tmp_path: Path) -> None:
    rows = [{**MATH_ROWS[0], "solution": r"It is $\boxed{2}$."}, MATH_ROWS[1]]
    problems = MathDataset(path=written(tmp_path / "m.parquet", rows)).load()
    assert [(each.id, each.check) for each in problems] == [
        ("math/0000", AnswerCheck("2")),
        ("math/0001", AnswerCheck(r"\frac{1}{2}")),
    ]
    with pytest.raises(UserError, match=r"line 1: solution: has no \\boxed"):
        MathDataset(path=written(tmp_path / "b.jsonl", [{**MATH_ROWS[0], "solution": "2"}])).load()


def test_the_prompt_of_math_is_exactly_minervas(tmp_path: Path) -> None:
    dataset = MathDataset(path=written(tmp_path / "m.jsonl", MATH_ROWS[1:]))
    text = prompt(dataset.template, dataset.load()[0])
    assert text.endswith(
        "Final Answer: The final answer is $-\\frac{2}{3}$. I hope it is correct.\n\nProblem:\nHalf?\n\nSolution:"
    )
    assert text.startswith(
        "Problem:\nFind the domain of the expression  $\\frac{\\sqrt{x-2}}{\\sqrt{5-x}}$.}\n\nSolution:\n"
    )
    assert text.count("I hope it is correct.") == 4
    assert "\\begin{align*}\n30n&=480\\\n\\Rightarrow\\qquad n&=480/30=\\boxed{16}\n\\end{align*}\nFinal" in text
    # The paper's whole prompt: should one character of it change, so do all samples.
    assert hashlib.sha256(template("math").encode()).hexdigest() == (
        "5d3d39ad9ab2ea4772772b62120087756d40890b22082e8c07a64c3e3688ddef"
    )


def test_math_from_the_hub_is_its_seven_subjects_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets", reason="the hub extra is not installed")
    from tasks.datasets.math import HUB

    on_the_hub(tmp_path, HUB.name, {"test": MATH_ROWS[1:]}, HUB.configs)
    monkeypatch.chdir(tmp_path)
    assert [problem.id for problem in MathDataset().load()] == [f"math/{row:04d}" for row in range(7)]


@needs_data
def test_math500_takes_answers_from_their_field() -> None:
    dataset = Math500Dataset(path=str(DATA / "math" / "math500_first200.jsonl"))
    problems = dataset.load()
    assert (len(problems), problems[0].id) == (200, "test/precalculus/807.json")
    assert problems[0].check == AnswerCheck(r"\left( 3, \frac{\pi}{2} \right)")
    assert len(list(dataset.solutions())) == 200


CONTEST: Rows = [
    {
        "name": "1_A. Sum",
        "description": "Add two numbers.",
        "public_tests": {"input": ["1 2\n"], "output": ["3\n"]},
        "private_tests": {"input": ["2 2\n"], "output": ["4\n"]},
        "generated_tests": {"input": ["5 5\n"], "output": ["10\n"]},
        "solutions": {
            "language": [2, 3, 3],
            "solution": ["int main(){}", "print('ü')", " print(sum(map(int, input().split())))\n"],
        },
        "incorrect_solutions": {"language": [3], "solution": ["print(3)"]},
        "time_limit": {"seconds": 1, "nanos": 500000000},
        "memory_limit_bytes": 256000000,
    },
    {
        "name": "1_B. Picture",
        "description": "See <image>.",
        "public_tests": {"input": ["1\n"], "output": ["1\n"]},
        "private_tests": {"input": [], "output": []},
        "generated_tests": {"input": [], "output": []},
        "solutions": {"language": [3], "solution": ["print(1)"]},
        "incorrect_solutions": {"language": [], "solution": []},
        "time_limit": None,
        "memory_limit_bytes": 0,
    },
]


def contests(folder: Path, **fields: Any) -> CodeContestsDataset:
    test, train = written(folder / "test.jsonl", CONTEST), written(folder / "train.jsonl", CONTEST[:1] * 2)
    return CodeContestsDataset(**{"path": test, "train_path": train, **fields})


@pytest.mark.parametrize("name", ["c.jsonl.gz", "c.parquet"])
def test_code_contests_has_all_tests_and_the_papers_limits(tmp_path: Path, name: str) -> None:
    first, second = contests(tmp_path, path=written(tmp_path / name, CONTEST)).load()
    tests = (StdioTest("1 2\n", "3\n"), StdioTest("2 2\n", "4\n"), StdioTest("5 5\n", "10\n"))
    assert first.check == StdioCheck(tests, public=1)
    assert (first.id, first.time_limit_s, first.memory_limit_mb) == ("1_A. Sum", 11.5, 2048)
    assert (second.time_limit_s, second.memory_limit_mb) == (None, 2048)
    own = contests(tmp_path, extra_time_s=0, memory_limit_mb=None).load()[0]
    assert (own.time_limit_s, own.memory_limit_mb) == (1.5, 244)


def test_the_prompt_of_code_contests_is_exactly_the_papers(tmp_path: Path) -> None:
    dataset = contests(tmp_path)
    ask = (
        "Q: Write python code to solve the following coding problem that obeys the constraints and passes the example"
        " test cases. The output code needs to read from and write to standard IO. Please wrap your code answer using"
        " ```:\n"
    )
    shot = f"{ask}Add two numbers.\nA: ```print(sum(map(int, input().split())))```\n"
    assert prompt(dataset.template, dataset.load()[0]) == f"{shot}{shot}{ask}Add two numbers.\nA:"


def test_the_papers_contest_problems_are_those_without_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper = subset("code_contests")
    rows = [{**CONTEST[row not in paper.rows], "name": f"problem {row}"} for row in range(165)]
    path = written(tmp_path / "all.jsonl", rows)
    with pytest.raises(UserError, match=r"row 14 of .*all.jsonl is not the paper's problem"):
        contests(tmp_path, path=path, subset="paper").load()
    for changed in (rows[1:] + rows[:1], rows[:-1]):
        with pytest.raises(UserError, match=r"dataset.subset: the paper's problems are those 140 of the 165"):
            contests(tmp_path, path=written(tmp_path / "other.jsonl", changed), subset="paper").load()

    text = hashlib.sha256(CONTEST[0]["description"].encode()).hexdigest()
    monkeypatch.setattr(subsets, "subset", lambda _: paper._replace(hashes=dict.fromkeys(paper.hashes, text)))
    problems = contests(tmp_path, path=path, subset="paper").load()
    assert [problem.id for problem in problems] == [f"problem {row}" for row in sorted(paper.rows)]
    assert len(problems) == 140


def test_contest_tests_with_more_inputs_than_outputs_are_named_by_line_and_field(tmp_path: Path) -> None:
    bad = [{**CONTEST[0], "private_tests": {"input": ["1"], "output": []}}]
    with pytest.raises(UserError, match="line 1: private_tests: has 1 inputs and 0 outputs"):
        contests(tmp_path, path=written(tmp_path / "bad.jsonl", bad)).load()


def test_contest_solutions_without_a_language_are_named_by_line_and_field(tmp_path: Path) -> None:
    bad = [{**CONTEST[0], "solutions": {"language": [3], "solution": ["print(1)", "print(2)"]}}]
    with pytest.raises(UserError, match="line 1: solutions: value error, has 1 languages and 2 solutions"):
        list(contests(tmp_path, path=written(tmp_path / "bad.jsonl", bad)).solutions())


def test_solutions_of_code_contests_are_labelled_correct_or_wrong(tmp_path: Path) -> None:
    known = [(each.problem_id, each.correct) for each in contests(tmp_path).solutions()]
    assert known == [("1_A. Sum", True), ("1_A. Sum", True), ("1_A. Sum", False), ("1_B. Picture", True)]


def test_code_contests_is_read_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets", reason="the hub extra is not installed")
    on_the_hub(tmp_path, "deepmind/code_contests", {"test": CONTEST, "train": CONTEST[:1] * 2})
    monkeypatch.chdir(tmp_path)
    assert CodeContestsDataset().load() == contests(tmp_path / "files").load()
