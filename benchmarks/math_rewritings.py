"""Variants of MATH's gold answers: ten equivalent ways to write each form, near misses that are not equal, and the
places in a sample where an answer may stand."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

Rewriting = Callable[[str], str | None]


class Rewritten(NamedTuple):
    """A gold answer, its form, and another way to write it, or, for a near miss, a different answer."""

    form: str
    gold: str
    text: str


def form_of(answer: str) -> str | None:
    """The form of an answer, or None if it has none of those below."""
    for form, pattern in (
        ("matrices", r"\\begin\{pmatrix\}"),
        ("units", r".*(\\circ|\\text\{ ?degrees\})"),
        ("text", r"\\text\{[A-Za-z]+\}$"),
        ("intervals", r"\([^,]+,[^,]+\]$|\(2,\\infty\)$"),
        ("tuples", r"(\\left)?\(.*,.*\)$"),
        ("sets", r"-?\d+(, ?-?\d+)+$|.*\\pm"),
        ("fractions", r"-?\\d?frac"),
        ("decimals", r"-?\d*\.\d+$"),
        ("integers", r"-?\d+$"),
    ):
        if re.match(pattern, answer):
            return form
    return None


def _parts(answer: str) -> tuple[str, str, str]:
    r"""Sign, numerator and denominator of `\frac` in its spellings."""
    match = re.match(r"(-?)\\d?frac(?:\{(.*)\}\{(.*)\}|(\d)(\d)|\{(\d+)\}(\d))$", answer)
    assert match is not None, answer
    top, bottom = [part for part in match.groups()[1:] if part is not None]
    return match[1], top, bottom


def _fraction(pattern: str) -> Rewriting:
    def rewrite(answer: str) -> str:
        sign, top, bottom = _parts(answer)
        return pattern.replace("S", sign).replace("A", top).replace("B", bottom)

    return rewrite


def _scaled(answer: str) -> str | None:
    sign, top, bottom = _parts(answer)
    return (
        f"{sign}\\frac{{{2 * int(top)}}}{{{2 * int(bottom)}}}"
        if top.isdigit()
        else f"{sign}\\frac{{2 \\cdot {top}}}{{{2 * int(bottom)}}}"
    )


def _frame(pattern: str, *changes: tuple[str, str]) -> Rewriting:
    """The pattern with the answer in place of @, after the given replacements in the answer."""

    def rewrite(answer: str) -> str:
        for before, after in changes:
            answer = answer.replace(before, after)
        return pattern.replace("@", answer)

    return rewrite


def _value(pattern: str) -> Rewriting:
    def rewrite(answer: str) -> str:
        exact = Fraction(answer)
        return pattern.replace("A", str(exact.numerator)).replace("B", str(exact.denominator))

    return rewrite


def _scientific(answer: str) -> str:
    mantissa, _, exponent = f"{float(answer):e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')} \\times 10^{{{int(exponent)}}}"


def _bare(pattern: str) -> Rewriting:
    """The pattern with the number in place of @, without its unit."""
    return lambda answer: pattern.replace("@", re.sub(r"\^\\circ|\\text\{.*\}", "", answer))


def _word(pattern: str, change: Callable[[str], str] = str) -> Rewriting:
    return lambda answer: pattern.replace("@", change(answer[6:-1]))


def _elements(answer: str) -> list[str]:
    if "\\pm" in answer:
        return [answer.replace("\\pm", "+"), answer.replace("\\pm", "-")]
    return [element.strip() for element in answer.split(",")]


def _set(before: str, between: str, after: str, *, backwards: bool = False) -> Rewriting:
    def rewrite(answer: str) -> str:
        elements = _elements(answer)
        return before + between.join(elements[::-1] if backwards else elements) + after

    return rewrite


def _cells(answer: str) -> list[str]:
    inside = answer.removeprefix("\\begin{pmatrix}").removesuffix("\\end{pmatrix}")
    return [cell.strip() for cell in inside.split("\\\\")]


def _matrix(before: str, between: str, after: str, change: Callable[[str], str] = str) -> Rewriting:
    return lambda answer: before + between.join(map(change, _cells(answer))) + after


def _as_frac(cell: str) -> str:
    top, _, bottom = cell.partition("/")
    return f"\\frac{{{top}}}{{{bottom}}}"


def _ends(answer: str) -> tuple[str, str, str, str]:
    match = re.match(r"(?:\\left)?([(\[])\s*(.+?)\s*(?:\\right)?([)\]])$", answer)
    assert match is not None
    first, _, rest = match[2].partition(",")
    return match[1], first.strip(), rest.strip(), match[3]


def _interval(pattern: str) -> Rewriting:
    def rewrite(answer: str) -> str:
        opening, low, high, closing = _ends(answer)
        written = pattern.replace("[", opening).replace("]", closing)
        return written.replace("LOW", low).replace("HIGH", high)

    return rewrite


_TEN: dict[str, tuple[Rewriting, ...]] = {
    "fractions": (
        *map(_fraction, (r"S\dfrac{A}{B}", r"S\tfrac{A}{B}", "SA/B", r"S\frac {A} {B}", r"S\left(\frac{A}{B}\right)")),
        *map(_fraction, (r"\displaystyle S\frac{A}{B}", r"x = S\frac{A}{B}", r"S\frac{A}{B}.", r"\frac{SA}{B}")),
        _scaled,
    ),
    "decimals": (
        _frame("@0"),
        _value(r"\frac{A}{B}"),
        _value("A/B"),
        _value(r"\dfrac{A}{B}"),
        _scientific,
        *map(_frame, (r"\text{@}", "x = @", r"\$@", "@.", r"@\text{ units}")),
    ),
    "units": tuple(
        map(_bare, ("@", "@ degrees", "@°", r"@^{\circ}", r"@\text{ degrees}", r"@\,^\circ", r"@\degree", r"@^\circ."))
    )
    + tuple(map(_bare, (r"x = @^\circ", r"@ \mathrm{degrees}"))),
    "intervals": (
        *map(_interval, (r"\left[LOW,HIGH\right]", "[LOW, HIGH]", "[ LOW , HIGH ]", r"x \in [LOW, HIGH]")),
        *map(
            _interval,
            (r"\big[LOW,HIGH\big]", r"[\frac{2 \cdot LOW}{2},HIGH]", r"\left[LOW,\,HIGH\right]", "[LOW.0,HIGH]"),
        ),
        *map(_interval, (r"[LOW,HIGH].", r"x\in\left[LOW,HIGH\right]")),
    ),
    "tuples": (
        *map(_interval, (r"\left[LOW,HIGH\right]", "[LOW, HIGH]", "[ LOW , HIGH ]", r"\big[LOW,HIGH\big]")),
        *map(_interval, (r"[LOW,~HIGH]", r"\left[LOW,\;HIGH\right]", "[LOW.0, HIGH]", r"\bigl[LOW,HIGH\bigr]")),
        *map(_interval, ("[LOW,HIGH].", r"(x,y) = [LOW,HIGH]")),
    ),
    "sets": (
        _set("", ",", ""),
        _set("", ", ", "", backwards=True),
        _set(r"\{", ",", r"\}"),
        _set(r"\left\{", ", ", r"\right\}"),
        _set(r"\{", ", ", r"\}", backwards=True),
        _set("", r",\ ", ""),
        _set("", r"\text{ and }", ""),
        _set("x = ", ", ", ""),
        _set("", ", ", ".", backwards=True),
        _set("x = ", ", x = ", ""),
    ),
    "matrices": (
        _matrix(r"\begin{bmatrix} ", r" \\ ", r" \end{bmatrix}"),
        _matrix(r"\begin{pmatrix}", r"\\", r"\end{pmatrix}"),
        _matrix(r"\begin{pmatrix} ", " \\\\\n", r" \end{pmatrix}"),
        _matrix(r"\begin{pmatrix} ", r" \\ ", r" \end{pmatrix}", _as_frac),
        _matrix(r"\begin{bmatrix}", r"\\", r"\end{bmatrix}", lambda cell: _as_frac(cell).replace("frac", "dfrac")),
        _matrix(r"\left(\begin{array}{c} ", r" \\ ", r" \end{array}\right)"),
        _matrix(r"\left[\begin{array}{c}", r"\\", r"\end{array}\right]", _as_frac),
        _matrix(r"\begin{pmatrix} ", r" \\ ", r" \\ \end{pmatrix}"),
        _matrix(r"\mathbf{v} = \begin{pmatrix} ", r" \\ ", r" \end{pmatrix}"),
        _matrix(r"\begin{pmatrix} ", r" \\[4pt] ", r" \end{pmatrix}"),
    ),
    "text": (
        *map(_word, ("@", r"\mbox{@}", r"\textbf{@}", r"\text{@}.", r"\mathrm{@}", r"\text{ @ }", r"\textit{@}")),
        _word(r"\text{@}", str.lower),
        _word(r"\text{@}", str.upper),
        _word(r"\textrm{@}"),
    ),
    "integers": (
        *map(_frame, (r"\text{@}", "x = @", "@.", "@.0", r"@\text{ cm}", r"@ \mbox{ inches}", r"\boxed{@}", r"\$@")),
        _value(r"\frac{A}{B}"),
        lambda answer: f"{int(answer):,}".replace(",", "{,}"),
    ),
}


def rewritings(answer: str) -> list[Rewritten]:
    """The ways to write an answer of a known form: ten, or fewer if some do not apply. Other answers have none."""
    form = form_of(answer)
    if form is None:
        return []
    return [Rewritten(form, answer, text) for rewrite in _TEN[form] if (text := rewrite(answer)) is not None]


def near_misses(answer: str) -> list[Rewritten]:
    """Answers that look similar but are not equal: another number, bracket, element, word or order."""
    form = form_of(answer)
    changed = {re.sub(r"\d+", lambda match: str(int(match[0]) + 1), answer, count=1)}
    if form == "intervals":
        _, low, high, closing = _ends(answer)
        changed |= {f"[{low},{high}]", f"({low},{high})" if closing == "]" else f"({low},{high}]", f"[{low},{high})"}
    if form == "tuples":
        _, low, high, _ = _ends(answer)
        changed |= {f"({high},{low})", f"({low})"}
    if form == "sets":
        changed |= {_elements(answer)[0], answer + ",100"}
    if form == "text":
        changed |= {r"\text{Nobody}"}
    if form in {"fractions", "decimals", "integers"}:
        # A digit in front of a fraction of integers makes it a mixed number.
        changed |= {f"-{answer}", f"1{answer}"} if answer != "0" else {"1", "-1"}
    if form == "integers" and answer != "0":
        changed |= {f"{answer}x", f"{answer}+i", f"{answer}_7", f"1 {answer}"}
    changed = {text for text in changed if "sqrt" not in text or not text.startswith("1\\")}
    return [Rewritten(form or "other", answer, text) for text in sorted(changed - {answer})]


_FRAMES = {
    "the prompt's form": "Final Answer: The final answer is $@$. I hope it is correct.",
    "a box": r"Thus $x$ is $\boxed{@}$.",
    "a box, and the word later": r"So \boxed{@}. (Answer given in \boxed{} as asked.)",
    "answer is": "The answer is $@$.",
    "answer is therefore": "The answer is therefore $@$.",
    "a display": "The answer is\n\\[\n@\n\\]",
    "a bold label": "**Answer**: $@$",
    "a heading": "### Final Answer\n\n$@$",
    "tags": "<answer>@</answer>",
    "marks after headings": "#### Step 1: Add 3 and 4\nThat is 7.\n#### 2. Check\nIt holds.\n#### $@$",
}


def framed(answer: str) -> dict[str, str]:
    """Samples that give an answer, by the place where they give it."""
    return {place: frame.replace("@", answer) for place, frame in _FRAMES.items()}


def last_digit_changed(answer: str) -> str | None:
    """The answer with its last digit increased by 1 (9 becomes 0), or None if it has no digit."""
    match = re.search(r"\d(?=\D*$)", answer)
    if match is None:
        return None
    return f"{answer[: match.start()]}{(int(match[0]) + 1) % 10}{answer[match.end() :]}"
