"""The generated theorems: Rocq accepts their proofs, and the files are what the generator makes."""

import random
from itertools import islice

import pytest

from infra.training.accepted import refused
from monkeys.testing import check_dataset
from tasks.datasets.synthetic.bundled import held_out_rows
from tasks.datasets.synthetic.propositions import FALSE, Atom, Both, Either, Implies, prove, script, shown
from tasks.datasets.synthetic.regenerate import theorem_rows
from tasks.datasets.synthetic.theorem_problems import (
    FAMILIES,
    OF_EACH_FAMILY,
    TRAINING_FAMILIES,
    is_held_out,
    training_problems,
)
from tasks.datasets.synthetic.theorem_styles import remainder_class
from tasks.datasets.synthetic.theorem_text import Theorem, TheoremProblem, sum_of, with_names
from tasks.datasets.theorems import TheoremsDataset
from tasks.graders.base.requirements import require_check
from tasks.graders.proof import ProofGrader
from tasks.prompts import prompt
from tasks.provers.rocq import RocqProver
from tasks.records import TheoremCheck
from tests.provers.conftest import rocq  # noqa: F401 - a fixture

ROWS = list(held_out_rows("theorems"))


def problem(row: dict[str, str], proof: str | None = None) -> TheoremProblem:
    return TheoremProblem(row["form"], row["header"], row["statement"], row["proof"] if proof is None else proof)


def test_the_committed_file_is_what_the_generator_makes() -> None:
    assert theorem_rows() == ROWS


def test_there_are_as_many_problems_of_each_family_and_no_two_are_alike() -> None:
    families = [row["family"] for row in ROWS]
    assert {family: families.count(family) for family in families} == {
        family.__name__: OF_EACH_FAMILY for family in FAMILIES
    }
    assert len({row["form"] for row in ROWS}) == len({row["header"] + row["statement"] for row in ROWS}) == len(ROWS)
    assert all(is_held_out(row["form"]) for row in ROWS)


def test_a_prompt_shows_the_theorem_and_not_its_proof() -> None:
    for each, row in zip(TheoremsDataset().load(), ROWS, strict=True):
        shown_to_the_model = prompt(TheoremsDataset.template, each)
        assert shown_to_the_model == f"{row['header']}\n\n{row['statement']}\nProof.\n"
        assert row["proof"] not in shown_to_the_model
        check = require_check(each, TheoremCheck)
        assert (check.system, check.header, check.statement) == ("rocq", row["header"], row["statement"])
        assert check.statement.startswith(f"Theorem {check.name} :")


@pytest.mark.usefixtures("rocq")
def test_rocq_accepts_every_proof_of_the_bundled_theorems() -> None:
    assert refused(map(problem, ROWS)) == []


@pytest.mark.usefixtures("rocq")
def test_the_dataset_keeps_its_promises() -> None:
    check_dataset(TheoremsDataset(), grader=ProofGrader(prover=RocqProver(workers=2, confirm=False)))


@pytest.mark.usefixtures("rocq")
def test_a_proof_that_rocq_refuses_does_not_affect_the_others() -> None:
    wrong = problem(ROWS[0], "intros. exact I.\n")
    unfinished = problem(ROWS[0], "intros.\n")
    # The rest proves the theorem, as it does where a sentence that fails is passed over.
    fails_at_first = problem(ROWS[1], f"destruct nothing.\n{ROWS[1]['proof']}")
    bad = [wrong, unfinished, fails_at_first]
    assert refused([problem(ROWS[1]), wrong, problem(ROWS[2]), *bad[1:], problem(ROWS[3])]) == bad


@pytest.mark.usefixtures("rocq")
@pytest.mark.slow
def test_rocq_accepts_every_family_of_the_training_stream() -> None:
    rng = random.Random(11)
    # The grader takes the qualified name of a tactic in remainder_class for a command.
    families = [family for family in TRAINING_FAMILIES if family is not remainder_class]
    assert refused(with_names(rng, family(rng)) for family in families for _ in range(6)) == []


def test_the_training_problems_are_the_same_each_time() -> None:
    assert list(training_problems(5, 20)) == list(training_problems(5, 20))
    assert list(training_problems(5, 20)) != list(training_problems(6, 20))


def test_the_form_of_a_theorem_does_not_depend_on_its_names() -> None:
    theorem = Theorem("Require Import Arith.", "forall @0 @1 : nat, @0 + @1 = @1 + @0", ("intros.", "ring."))
    problems = {with_names(random.Random(seed), theorem) for seed in range(20)}
    assert len({each.statement for each in problems}) > 3
    assert len({each.form for each in problems}) == 1
    assert all("@" not in each.statement + each.proof for each in problems)


def test_no_training_problem_is_held_out() -> None:
    assert not any(is_held_out(each.form) for each in islice(training_problems(3, 2000), 2000))


@pytest.mark.parametrize(
    ("terms", "constant", "text"),
    [
        ([(2, "x"), (-1, "y")], 3, "2 * x - y + 3"),
        ([(-1, "x")], -4, "-x - 4"),
        ([(0, "x"), (1, "y")], 0, "y"),
        ([(0, "x")], 0, "0"),
        ([(-3, "x")], 0, "-3 * x"),
    ],
)
def test_a_linear_expression_is_written_as_a_person_would(terms, constant, text) -> None:
    assert sum_of(terms, constant) == text


P, Q, R = map(Atom, range(3))


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (Implies(Both(P, Q), Both(Q, P)), "P /\\ Q -> Q /\\ P"),
        (Implies(Implies(P, Q), R), "(P -> Q) -> R"),
        (Implies(P, Implies(Q, P)), "P -> Q -> P"),
        (Either(Both(P, Q), Implies(R, FALSE)), "P /\\ Q \\/ ~ R"),
        (Both(Either(P, Q), R), "(P \\/ Q) /\\ R"),
        (Implies(Implies(Both(P, Q), FALSE), R), "~ (P /\\ Q) -> R"),
        (Both(Both(P, Q), R), "(P /\\ Q) /\\ R"),
    ],
)
def test_a_formula_has_the_parentheses_that_it_needs(formula, text) -> None:
    assert shown(formula, "PQR") == text


def test_a_script_has_a_bullet_for_each_goal() -> None:
    proof = prove(Implies(Both(P, Q), Both(Q, P)))
    assert proof is not None
    assert script(proof) == ["intros H1.", "destruct H1 as [H2 H3].", "split.", "- exact H3.", "- exact H2."]


@pytest.mark.parametrize("formula", [Either(P, Implies(P, FALSE)), Implies(Implies(Implies(P, Q), P), P), P, FALSE])
def test_what_intuitionistic_logic_does_not_prove_has_no_proof(formula) -> None:
    assert prove(formula) is None
