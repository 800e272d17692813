"""Writes the held-out problems of the generated datasets, after a change to a generator.

python -m tasks.datasets.synthetic.regenerate
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tasks.datasets.synthetic import arithmetic_problems, program_problems, theorem_problems
from tasks.datasets.synthetic.portable_random import generator


def arithmetic_rows() -> list[dict[str, Any]]:
    """The held-out word problems, generated again: id, question, answer, form, solution."""
    return [
        {
            "id": f"arithmetic/{i:03d}",
            "question": problem.question,
            "answer": problem.answer,
            "form": problem.form,
            "solution": problem.solution,
        }
        for i, problem in enumerate(arithmetic_problems.held_out_problems())
    ]


def program_row(number: int, composition: program_problems.Composition) -> dict[str, Any]:
    """One held-out programming problem, generated again: id, question, form, program, tests."""
    rng = generator(1000 * program_problems.HELD_OUT_SEED + number)
    problem = program_problems.tell(rng, composition)
    return {
        "id": f"programs/{number:03d}",
        "question": problem.question,
        "form": problem.form,
        "program": problem.program,
        "tests": [asdict(test) for test in program_problems.choose_tests(rng, composition)],
    }


def theorem_rows() -> list[dict[str, Any]]:
    """The held-out theorems, generated again: id, family, form, header, statement, proof."""
    return [
        {
            "id": f"theorems/{i:03d}",
            "family": family,
            "form": problem.form,
            "header": problem.header,
            "statement": problem.statement,
            "proof": problem.proof,
        }
        for i, (family, problem) in enumerate(theorem_problems.held_out_problems())
    ]


def main() -> None:
    """Write the files."""
    folder = Path(__file__).parent
    programs = [program_row(i, composition) for i, composition in enumerate(program_problems.held_out_compositions())]
    for name, rows in (("arithmetic", arithmetic_rows()), ("programs", programs), ("theorems", theorem_rows())):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
