import contextlib
import time

import pytest

from tasks.provers.vernacular.sentences import NotSentencesError, sentences


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("intros. lia.", ["intros.", "lia."]),
        ("rewrite Nat.add_comm. exact x.(f).", ["rewrite Nat.add_comm.", "exact x.(f)."]),
        ('idtac "a. b"" c.". lia.', ['idtac "a. b"" c.".', "lia."]),
        ("lia (* a. (* b. *) c. *) .", ["lia   ."]),
        ('(* " *) " *) lia.', ["lia."]),
        ("(*) lia. *) ring.", ["ring."]),
        ("auto... lia.", ["auto...", "lia."]),
        ("split; [> auto .. | lia ].", ["split; [> auto .. | lia ]."]),
        ("- lia. -- ring. *+ auto.", ["-", "lia.", "--", "ring.", "*", "+", "auto."]),
        ("{ lia. } 2: { ring. } [x]: { auto. }", ["{", "lia.", "}", "2: {", "ring.", "}", "[x]: {", "auto.", "}"]),
        ("refine {| a := 1 |}.", ["refine {| a := 1 |}."]),
        ("exact (3 - 2 * 1).", ["exact (3 - 2 * 1)."]),
        ("lia.\r\nring.", ["lia.", "ring."]),
        ("", []),
        ("(* nothing *)", []),
    ],
)
def test_a_text_is_cut_where_rocq_ends_a_sentence(text: str, cut: list[str]) -> None:
    assert sentences(text) == cut


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("lia", "the last sentence has no end"),
        ("lia.ring", "the last sentence has no end"),
        ("lia. (* a", "a comment has no end"),
        ('idtac "a.', "a string has no end"),
        ('(* " *)', "a string has no end"),
        ("lia.\x00", "U\\+0000"),
        ("lia.\ud800", "U\\+D800"),
        ("lia.\x0bring.", "U\\+000B"),
    ],
)
def test_a_text_that_does_not_end_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(NotSentencesError, match=why):
        sentences(text)


@pytest.mark.parametrize(
    "unit", ["(", "(*", '"', "- ", "a ", "x: {", ".", "1:", "{", "...", "(* *)", "x {", '""', "[a"]
)
def test_cutting_takes_time_linear_in_the_length(unit: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        with contextlib.suppress(NotSentencesError):
            sentences(unit * count + ".")
        return time.process_time() - started

    assert seconds(60_000) < 100 * seconds(3_000) + 0.5  # 20 x the text; quadratic would be 400 x
