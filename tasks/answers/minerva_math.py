"""Final answers of MATH, found and normalized as in the Minerva paper (Lewkowycz et al. 2022, section 2.3, app. D.1).

Pure text: what is equal after this needs no algebra. The tables are the paper's, in its order; single steps look odd
("a " and "an " vanish wherever they stand, units lose their name but keep their exponent), yet together they are the
rule that published results were graded by.
"""

import re

# "The final answer is $4$. I hope it is correct." ends a worked example of the prompt. A sample that was cut off right
# before the last sentence counts: the rule appends it.
_CLOSING = "I hope it is correct."
_OPENING = "Final Answer: The final answer is"
_END = re.compile(r". I hope it is correct.")

_REPLACED = (
    ("an ", ""),
    ("a ", ""),
    (".$", "$"),
    ("\\$", ""),
    ("\\ ", ""),
    (" ", ""),
    ("mbox", "text"),
    (",\\text{and}", ","),
    ("\\text{and}", ","),
    ("\\text{m}", "\\text{}"),
)
_REMOVED = (
    *("square", "ways", "integers", "dollars", "mph", "inches", "ft", "hours", "km", "units", "\\ldots", "sue"),
    *("points", "feet", "minutes", "digits", "cents", "degrees", "cm", "gm", "pounds", "meters", "meals", "edges"),
    *("students", "childrentickets", "multiples", "\\text{s}", "\\text{.}", "\\text{\ns}", "\\text{}^2", "\\text{}^3"),
    *("\\text{\n}", "\\text{}", r"\mathrm{th}", r"^\circ", r"^{\circ}", r"\;", r",\!", "{,}", '"', "\\dots"),
)
# What stands between dollar signs, and what is set in some face, stands alone.
_UNWRAPPED = (
    (re.compile(r"(.*?)(\$)(.*?)(\$)(.*)"), r"$\3$"),
    (re.compile(r"(\\text\{)(.*?)(\})"), r"\2"),
    (re.compile(r"(\\textbf\{)(.*?)(\})"), r"\2"),
    (re.compile(r"(\\overline\{)(.*?)(\})"), r"\2"),
    (re.compile(r"(\\boxed\{)(.*)(\})"), r"\2"),
    # \frac12 and \sqrt2 get their braces.
    (re.compile(r"(frac)([^{])(.)"), r"frac{\2}{\3}"),
    (re.compile(r"(sqrt)([^{])"), r"sqrt{\2}"),
)


def final_answer(text: str) -> str | None:
    """What stands between "Final Answer: The final answer is" and "I hope it is correct."; None where nothing does."""
    for line in (text + _CLOSING).split("\n"):
        # A line's first opening decides: where no end follows that, none follows a later one. Once for each line is
        # once for each character, whatever the text repeats.
        start = line.find(_OPENING)
        end = _END.search(line, start + len(_OPENING)) if start >= 0 else None
        if end is not None:
            return line[start + len(_OPENING) : end.start()].strip()
    return None


def boxed(text: str) -> str | None:
    r"""The contents of the last `\boxed{...}` or `\fbox{...}`, or what follows `\boxed `; None where there is none."""
    start = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if start < 0:
        return None
    rest = text[start:].partition("boxed" if text.startswith("\\boxed", start) else "fbox")[2]
    if rest.startswith(" "):
        return rest[1:].split("$")[0].strip() or None
    if not rest.startswith("{"):
        return None
    depth = 0
    for place, letter in enumerate(rest):
        depth += (letter == "{") - (letter == "}")
        if depth == 0:
            return rest[1:place]
    return None


def normalize(answer: str) -> str:
    """The answer normalized by the rule."""
    answer = answer.rpartition("=")[2]
    for before, after in _REPLACED:
        answer = answer.replace(before, after)
    for expression in _REMOVED:
        answer = answer.replace(expression, "")
    for pattern, replacement in _UNWRAPPED:
        answer = pattern.sub(replacement, answer)
    answer = answer.replace("$", "")
    plain = answer.replace(",", "")
    return plain if plain.isdigit() else answer
