import time

import pytest

from tasks.provers.lean4.tokens import NotTokensError, tokens, without_comments


def texts(text: str, *, strict: bool = False) -> list[str]:
    return [token.text for token in tokens(text, strict=strict)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("rw [h₀] at h₁", ["rw", "[", "h₀", "]", "at", "h₁"]),
        ("a--b\nc", ["a", "c"]),
        ("a /- b /- c -/ d -/ e", ["a", "e"]),
        ("a /-/- b -/-/ c", ["a", "c"]),
        ("a /- -- -/ b", ["a", "b"]),
        ("/-- doc -/ theorem", ["/-- doc -/", "theorem"]),
        ("/-! module -/ theorem", ["/-! module -/", "theorem"]),
        ('"a -- \\" /- " b', ['"a -- \\" /- "', "b"]),
        ('r#"a " -- "# b', ['r#"a " -- "#', "b"]),
        ("h' '(' 'a' '\\'' x", ["h'", "'('", "'a'", "'\\''", "x"]),
        ("f '' s", ["f", "'", "'", "s"]),
        ("«a -- b».c d", ["«a -- b».c", "d"]),
        ("Nat.succ.inj x.1", ["Nat.succ.inj", "x", ".", "1"]),
        ("0x1F 12.5 exact? simp!", ["0x1F", "12", ".", "5", "exact?", "simp!"]),
        ("x:=y <;> z => @[simp]", ["x", ":=", "y", "<;>", "z", "=>", "@[", "simp", "]"]),
    ],
)
def test_a_text_is_cut_into_tokens(text: str, wanted: list[str]) -> None:
    assert texts(text) == wanted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a /- b", "comment does not end"),
        ("a /- /- b -/", "comment does not end"),
        ('a "b', "string does not end"),
        ('r#"a"', "string does not end"),
        ("«a", "« » does not end"),
    ],
)
def test_a_text_that_is_not_read_to_its_end_is_refused(text: str, why: str) -> None:
    with pytest.raises(NotTokensError, match=why):
        texts(text)


@pytest.mark.parametrize(
    "text",
    [
        's!"{sorry}"',
        '"a\\"b"',
        '"a\nb"',
        'r"a"',
        'r##"a"##',
        "'\"'",
        "'('",
        "'\\''",
        "⁻¹'\"'\"'",
        '«a"b»',
        "«}»",
        "simp\tlinarith",
        "simp\r linarith",
    ],
)
def test_what_lean_could_cut_elsewhere_is_refused_in_proofs(text: str) -> None:
    with pytest.raises(NotTokensError):
        texts(text, strict=True)


def test_a_keyword_is_a_word_wherever_lean_could_see_one() -> None:
    for text in ("λend", "1end", "h₁ end", "«a»end", "(x).end", ";end", "⟨end", "⁻¹'end", "⊢end", "\u00a0end"):
        assert "end" in texts(text, strict=True), text
    for text in ("x.end", "xend", "end'", "h_end", "end.x"):
        assert "end" not in texts(text, strict=True), text


def test_comments_become_spaces_and_nothing_moves() -> None:
    text = "a /- b\n c -/ d -- e\n  f"
    bare = without_comments(text, tokens(text))
    assert bare == "a     \n      d     \n  f"
    assert len(bare) == len(text)


@pytest.mark.parametrize("piece", ["/- ", "-/ ", "(", "«", "'", '" ', "r#", "a.", "-", "/", "\u2070", "\n "])
def test_reading_takes_linear_time(piece: str) -> None:
    def seconds(count: int) -> float:
        started = time.process_time()
        for strict in (False, True):
            try:
                texts(piece * count, strict=strict)
            except NotTokensError:
                continue
        return time.process_time() - started

    seconds(1000)
    assert seconds(100_000) < 60 * max(seconds(10_000), 0.005)
