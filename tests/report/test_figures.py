import xml.etree.ElementTree as ET

import pytest

from tasks.report.sweep.figures import draw

from .sweeps import summary_of


@pytest.mark.parametrize("name", ["usual", "none solved", "one problem", "k = 1", "nothing", "adaptive", "solving"])
@pytest.mark.slow
def test_the_figures_of_every_sweep_can_be_drawn(name):
    files = {figure.name: figure for figure in draw(summary_of(name))}
    expected = {"verdicts"} if name == "nothing" else {"coverage", "heat_map", "pass_rates", "verdicts"}
    if name == "solving":
        expected = {"solved", "verdicts"}
    assert set(files) == expected
    for figure in files.values():
        root = ET.fromstring(figure.svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not list(root.iter("{http://www.w3.org/2000/svg}image"))
        assert not list(root.iter("{http://www.w3.org/2000/svg}text"))
        assert figure.pdf.startswith(b"%PDF")


@pytest.mark.slow
def test_fonts_are_embedded_and_files_are_reproducible():
    first, again = (draw(summary_of("usual"))[0] for _ in range(2))
    assert first == again
    # Type 42 (TrueType) fonts are embedded in the file; some publishers refuse Type 3 fonts.
    assert b"/FontFile2" in first.pdf
    assert b"/Type3" not in first.pdf


def test_drawing_leaves_matplotlibs_settings_unchanged():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    draw(summary_of("usual"))
    assert dict(mpl.rcParams) == before
