from typing import Any

import pytest

from flows.setup.grading import grader_settings
from tasks.graders.proof import ProofGrader


@pytest.mark.parametrize(
    ("prover", "settings"),
    [
        ("rocq", {}),
        ({"name": "rocq", "workers": 3, "proofs_per_process": 7}, {}),
        ({"name": "rocq", "workers": 3, "axioms": "none"}, {"prover": {"axioms": "none"}}),
        ({"axioms": "none"}, {"prover": {"axioms": "none"}}),
        ("repl", {"prover": {"name": "repl"}}),
        ({"name": "repl", "repl": "/opt/repl", "project": "/opt/mathlib4"}, {"prover": {"name": "repl"}}),
        ({"name": "lean", "workers": 2}, {"prover": {"name": "lean"}}),
        (
            {"name": "kimina", "base_urls": ["http://a:1", "http://b:2"], "concurrency": 3},
            {"prover": {"name": "kimina"}},
        ),
        ({"name": "repl", "time_limit_s": 9}, {"prover": {"name": "repl", "time_limit_s": 9.0}}),
    ],
)
def test_verdicts_depend_on_which_prover_it_is_and_not_on_where_it_runs(prover: Any, settings: dict[str, Any]):
    assert grader_settings(ProofGrader.model_validate({"prover": prover})) == settings
