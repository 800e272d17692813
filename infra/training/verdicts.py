"""Labelled samples for training a bundled scorer: the bundled model's samples of problems that are in no dataset, with
their verdicts."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from infra.training.card import SUBJECTS, draw_and_grade
from tasks.datasets.synthetic import arithmetic_problems, program_problems
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.datasets.synthetic.portable_random import generator
from tasks.records import AnswerCheck, Problem, StdioCheck

SEED = 20_261_129
"""The seed of the problems and of their samples, which neither a dataset nor a bundled model uses."""


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A distinct sample of a problem, how often it was drawn, and whether it is correct."""

    problem: str
    prompt: str
    text: str
    drawn: int
    correct: bool


def other_problems(name: str, count: int) -> list[Problem]:
    """Problems such as those of a bundled dataset, but not in it. No bundled model was trained on them: their forms are
    in the sixteenth of all forms that is held out, excluding the 128 of the dataset."""
    return PROBLEMS[name]({row["form"] for row in held_out_rows(name)}, count)


def _arithmetic(taken: set[str], count: int) -> list[Problem]:
    told = arithmetic_problems.held_out_problems(SEED, count + len(taken))
    others = [each for each in told if each.form not in taken][:count]
    return [Problem(f"other/{i:04d}", each.question, AnswerCheck(each.answer)) for i, each in enumerate(others)]


def _programs(taken: set[str], count: int) -> list[Problem]:
    compositions = program_problems.held_out_compositions(SEED, count + len(taken))
    rng = generator(SEED)
    problems: list[Problem] = []
    for composition in [each for each in compositions if each.form not in taken][:count]:
        question = program_problems.tell(rng, composition).question
        check = StdioCheck(program_problems.choose_tests(rng, composition))
        problems.append(Problem(f"other/{len(problems):04d}", question, check))
    return problems


PROBLEMS: dict[str, Callable[[set[str], int], list[Problem]]] = {"arithmetic": _arithmetic, "programs": _programs}


def labelled(name: str, problems: list[Problem], samples: int) -> Iterator[list[LabelledText]]:
    """For each problem, its distinct samples with their verdicts."""
    for graded in draw_and_grade(SUBJECTS[name], name, problems, samples, SEED):
        yield [
            LabelledText(graded.problem.id, graded.prompt, text, times, text in graded.correct)
            for text, times in graded.drawn.items()
        ]


def cached(path: Path, name: str, problems: list[Problem], samples: int) -> list[LabelledText]:
    """The result of `labelled`, from a JSON Lines file, which is written if it does not exist."""
    if not path.is_file():
        rows = (each for of_problem in labelled(name, problems, samples) for each in of_problem)
        lines = [json.dumps(asdict(each)) for each in rows]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [LabelledText(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
