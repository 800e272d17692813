"""LaTeX that is read to its end, and equality that no tolerance decides."""

import pytest

pytest.importorskip("math_verify", reason="the math extra is not installed")

from tasks.answers.expressions import equal, read, rounds_to


@pytest.mark.parametrize(
    "latex",
    [
        "",
        r"7\to 8",
        r"1:2:3:\ldots",
        r"5+\ldots+9",
        r"x\equiv 3\pmod{7}",
        r"4\sqrt{(}2)",
        "(1,2",
        r"5\quad 6",
        "x'",
        "2516_8",
        "0.0011_2",
        r"\gcd(a,b)",
        r"\unknown{3}",
        "5 @ 6",
        "気温",
    ],
)
def test_what_the_parser_does_not_understand_in_full_is_not_read(latex: str) -> None:
    assert read(latex) is None


SAME = [
    ("x^2-1", "(x+1)(x-1)"),
    (r"\frac{1}{2004!}", r"\frac{2005}{2005!}"),
    ("10^{-18}", r"\frac{1}{10^{18}}"),
    (r"\sqrt{3+2\sqrt{2}}", r"1+\sqrt{2}"),
    (r"\cos 20", r"1-2\sin^2 10"),
    ("(1+2i)^2", "-3+4i"),
    (r"2^{2005}", r"2\cdot 2^{2004}"),
    (r"\frac{n!}{(n-2)!}", "n(n-1)"),
    (r"(-1)^{2n}", "1"),
    (r"\frac{x^2-1}{x-1}", "x+1"),
    ("2x+4y-3=0", r"y=-\frac{1}{2}x+\frac{3}{4}"),
    ("2x+4y=3", "3=4y+2x"),
    ("x>2", "2<x"),
    ("1-x<0", "x>1"),
    (r"1\le x<3", r"[1,3)"),
    (r"x\ne 2", r"(-\infty,2)\cup(2,\infty)"),
    (r"[0,1]\cup(2,3)", r"(2,3)\cup[0,1]"),
    (r"\{-1\}\cup[0,7)", r"[0,7)\cup\{-1\}"),
    (r"\mathbb{R}\setminus\{1\}", r"(-\infty,1)\cup(1,\infty)"),
]
OTHER = [
    (r"\frac{1}{2004!}", r"\frac{1}{2005!}"),
    ("10^{-18}", "10^{-19}"),
    ("10^{100}", "10^{100}+1"),
    (r"\sqrt{2}", r"\sqrt{2}+10^{-40}"),
    (r"10^{60}+\sqrt{2}", r"10^{60}+\sqrt{3}"),
    (r"\sqrt{10^{40}+1}", "10^{20}"),
    (r"\sqrt{x^2}", "x"),
    ("|x|", "x"),
    (r"\log_2 3", r"\log_3 2"),
    (r"\sin n", "0"),
    ("x", "y"),
    (r"\infty", r"-\infty"),
    ("2x+4y=3", "2x+4y=4"),
    ("x>2", r"x\ge 2"),
    ("x>2", "x<2"),
    ("x>2", "y>2"),
    ("1<x<3", "1<x<4"),
    (r"\{-1\}\cup[0,7)", r"\{-1\}\cup[0,8)"),
    (r"[0,1]\cup(2,3)", r"[0,1]\cup(2,4)"),
    ("(1,2)", "[1,2]"),
    (r"\begin{pmatrix}1&2\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_expressions_are_equal(one: str, other: str) -> None:
    assert equal(read(one), read(other))
    assert equal(read(other), read(one))


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_different_expressions_are_not_equal_however_small_the_difference(one: str, other: str) -> None:
    assert not equal(read(one), read(other))
    assert not equal(read(other), read(one))


def test_an_irrational_number_is_its_decimal_of_six_correct_digits() -> None:
    root = read(r"\sqrt{2}")
    assert rounds_to(root, "1.41421")
    assert rounds_to(root, "1.41421356")
    assert not rounds_to(root, "1.4142")
    assert not rounds_to(root, "1.41422")
    assert not rounds_to(root, "1.41421357")
    assert not rounds_to(read(r"\sqrt{2}\cdot 10^{-9}"), "0.000000")
    assert not rounds_to(read(r"\frac{1}{3}"), "0.333333")
