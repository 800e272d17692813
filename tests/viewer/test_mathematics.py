import re
import time
from html.parser import HTMLParser

import pytest

from tasks.viewer.marked_up import marked_up
from tasks.viewer.mathematics import with_formulas
from tasks.viewer.texts import shown_texts


@pytest.mark.parametrize("text", [r"$\frac{1}{2}$", r"\(\frac{1}{2}\)", r"$$\frac{1}{2}$$", r"\[\frac{1}{2}\]"])
def test_a_formula_between_any_delimiters_is_set(text):
    shown = with_formulas(f"so {text}.")
    assert "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>" in shown
    assert ('display="block"' in shown) == (text[:2] in ("$$", r"\["))
    assert shown.startswith("so <math")
    assert shown.endswith("</math>.")


@pytest.mark.parametrize(
    "text",
    [
        "It costs $5 and $10.", r"\$5 and \$6", "US$5 to US$6", "a $x", "$ x $", "$5-$6", r"\(\left(\)", r"$\frac{$",
        "$$$$", "x$y$", "$" + "{" * 200 + "x" + "}" * 200 + "$", r"$\begin{x}$",
    ],
)  # fmt: skip
def test_a_text_that_cannot_be_read_as_a_formula_stays_as_it_is(text):
    assert with_formulas(text) == text


class Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    "formula",
    [
        r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}", r"\class{stolen}{x}", r"\color{red}{x}",
        r"\text{<img src=x onerror=alert(1)>}", r"\mbox{</math><script>alert(1)</script>}", "<script>alert(1)</script>",
        r"\text{&lt;script&gt;}", r"\text{&#60;script&#62;}", r"\operatorname{<b>}", r"\hspace{9999em} x",
        r"\rule{999em}{999em}", r"\begin{array}{c\"onclick=\"x} 1 \end{array}",
    ],
)  # fmt: skip
def test_a_hostile_formula_gives_only_known_elements_and_attributes(formula):
    parser = Elements()
    shown = with_formulas(f"${formula}$ \\[{formula}\\]")
    parser.feed(shown)
    for tag, attributes in parser.found:
        assert tag.startswith("m")
        assert set(attributes) <= {"class", "display", "displaystyle", "mathvariant", "stretchy", "fence", "width"}
        assert attributes.get("class", "boxed") == "boxed"
    assert "9999em" not in re.sub(r"<mi>|</mi>|<mn>|</mn>", "", "".join(re.findall("<[^>]*>", shown)))


def test_formulas_in_code_are_code():
    shown = marked_up("$x$\n```python\ny = '$z$'\n```\n$w$")
    assert shown.count("<math") == 2
    assert "<mi>z</mi>" not in shown


@pytest.mark.parametrize(
    "text",
    ["$x$ " * 25_000, "\\(" * 50_000, "\\[x" * 33_000, ("$" + "{" * 240 + "}" * 240 + "$ ") * 200, "$x" * 50_000],
)
def test_hostile_texts_do_not_hold_a_page_up(text):
    """The process is killed after two seconds of CPU time; the time here is only a sign that it is not waited for."""
    started = time.monotonic()
    (shown,) = shown_texts([text])
    assert time.monotonic() - started < 60
    assert len(shown.html) < 20 * len(text)


def test_a_boxed_answer_has_a_box():
    assert '<mrow class="boxed"><mrow><mn>42</mn></mrow></mrow>' in with_formulas(r"$\boxed{42}$")
