import shutil
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from tasks.engines.recorded import RecordedEngine
from tasks.store.fsspec_store import FsspecStore
from tasks.store.problems import StoredProblem, problems_key, write_problems
from tasks.viewer.app import make_app
from tests.in_memory import InMemory
from tests.store.stored import answers, sweep_of
from tests.viewer.conftest import TOKEN, K


class Served:
    def __init__(self, folder) -> None:
        config = uvicorn.Config(make_app(FsspecStore(str(folder)), TOKEN), port=0, log_level="warning")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.02)
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(10)


@pytest.fixture(scope="module")
def base(shown) -> Iterator[str]:
    with Served(shown.folder) as address:
        yield address


def path(page):
    return page.evaluate("location.pathname")


def start(page, base, address="/"):
    page.complaints.clear()
    page.visit(f"{base}{address}{'&' if '?' in address else '?'}token={TOKEN}")


def test_a_problem_that_one_sample_solved_is_found_and_compared_by_clicks_and_keys(page, base, shown):
    start(page, base)
    page.follow(lambda: page.click(f'a[href="/sets/{shown.name}"]'))
    page.follow(lambda: page.click('a[href*="problems=once"]'))
    page.follow(lambda: page.click("#problems tbody a"))
    assert path(page) == f"/sets/{shown.name}/1"
    page.follow(lambda: page.press("c"))
    assert path(page) == "/diff"
    assert "so" in page.evaluate("document.querySelector('table.diff').textContent")
    page.follow(lambda: page.press("u"))
    page.follow(lambda: page.press("]"))
    assert path(page) == f"/sets/{shown.name}/2"
    assert page.complaints == []


def test_samples_are_leafed_through_with_keys(page, base, shown):
    start(page, base, f"/sets/{shown.name}/2/0")
    page.follow(lambda: page.press("j"))
    assert path(page).endswith("/2/1")
    page.follow(lambda: page.press("c"))
    start(page, base, f"/sets/{shown.name}/2/{K - 1}")
    page.follow(lambda: page.press("V"))
    assert path(page).endswith(f"/2/{K - 2}")
    page.press("?")
    assert page.evaluate("document.querySelector('#help').open")
    assert page.evaluate("document.querySelector('#help').textContent").count("sample") >= 2


def test_a_click_on_the_drawing_of_all_verdicts_opens_the_sample(page, base, shown):
    start(page, base, f"/sets/{shown.name}/4")
    box = page.evaluate(
        "(() => { const b = document.querySelector('svg.verdicts').getBoundingClientRect();"
        "return [b.x, b.y, b.width, b.height]; })()"
    )
    # Sample 117: in the second of two rows of a hundred.
    x, y = box[0] + box[2] * 17.5 / 100, box[1] + box[3] * 1.5 / 2

    def click() -> None:
        for kind in ("mousePressed", "mouseReleased"):
            page.mouse(kind, x, y, button="left", clickCount=1)

    page.follow(click)
    assert path(page).endswith("/4/117")


def test_filters_are_in_the_address_without_empty_fields(page, base, shown):
    start(page, base, f"/sets/{shown.name}/5")
    page.evaluate("document.querySelector('[name=text]').value = 'step 12'")
    page.follow(lambda: page.click("form.find button"))
    assert page.evaluate("location.search").endswith("text=step+12")
    assert "6 of 130 samples" in page.evaluate("document.querySelector('[role=status]').textContent")


def test_two_sets_are_marked_and_compared(page, base, shown):
    start(page, base)
    for name in (shown.name, shown.other):
        page.click(f'input[value="{name}"]')
    page.follow(lambda: page.click("#compare-button"))
    assert path(page) == "/compare"
    first, *others = page.evaluate(
        "[...document.querySelectorAll('main table tbody')][0].innerText.split('\\n')"
        ".map((row) => parseFloat((row.match(/([+−][\\d.]+) points/) || ['', '0'])[1].replace('−', '-')))"
    )
    assert all(abs(first) >= abs(each) for each in others)


@pytest.mark.parametrize("width", [390, 1200])
def test_no_page_is_wider_than_its_window_or_runs_foreign_script(page, base, shown, width):
    page.send("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500)
    try:
        for address in ("/", f"/sets/{shown.name}", f"/sets/{shown.name}/0", f"/sets/{shown.name}/0/0"):
            start(page, base, address)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), address
            assert page.evaluate("window.stolen") is None
            assert page.complaints == []
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")


def test_the_page_of_a_set_grows_with_it(page, tmp_path):
    store = FsspecStore(str(tmp_path))
    sweep = sweep_of(store, problems=18, k=150)
    engine = RecordedEngine(InMemory(answers(18, 150)), "recorded by a test")
    blocks = sweep.missing_samples()
    sweep.draw(blocks[0], engine)
    for block in sweep.grading.pending_verdicts():
        sweep.grading.grade(block, None)
    samples = "document.querySelector('#samples').textContent"
    with Served(tmp_path) as base:
        start(page, base, f"/sets/{sweep.samples.identity.name}")
        assert page.evaluate(samples) == "1,600"
        for block in blocks[1:]:
            sweep.draw(block, engine)
        for block in sweep.grading.pending_verdicts():
            sweep.grading.grade(block, None)
        for _ in range(100):
            if page.evaluate(samples) == "2,700":
                break
            time.sleep(0.1)
        assert page.evaluate(samples) == "2,700"
        assert "150" in page.evaluate("document.querySelector('#coverage table').textContent")


def test_the_statement_of_a_problem_has_its_formulas_set(page, shown, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(shown.folder, folder)
    key = problems_key(shown.name)
    question = r"Let $f(x) = \frac{x^2}{2}$. Find \[\sum_{i=1}^{10} f(i) = \boxed{?}" + "+ a" * 100 + r"\]"
    problems = [StoredProblem(f"p{at}", question, None, f"Q: {question}") for at in range(4)]
    (folder / key).write_bytes(write_problems(problems, key))
    page.send("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=1, mobile=True)
    try:
        with Served(folder) as base:
            start(page, base, f"/sets/{shown.name}/3")
            height = "document.querySelector('#asked mfrac').getBoundingClientRect().height"
            assert page.evaluate(height) > 1.3 * page.evaluate(height.replace("mfrac", "mi"))
            assert page.evaluate("document.querySelectorAll('#asked > pre math').length") == 2
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert page.complaints == []
    finally:
        page.send("Emulation.clearDeviceMetricsOverride")


def test_a_note_is_written_changed_and_removed_by_the_form_of_the_page(page, shown, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(shown.folder, folder)
    with Served(folder) as base:
        start(page, base, f"/sets/{shown.name}/3/7")
        for label, remark in (("wrong", "the <b>sign</b>"), ("right", "no, it is right"), ("", "")):
            page.evaluate(
                f"document.querySelector('[name=label]').value = '{label}',"
                f"document.querySelector('[name=remark]').value = {remark!r}"
            )
            page.follow(lambda: page.evaluate("document.querySelector('#note button').click()"))
            assert path(page) == f"/sets/{shown.name}/3/7"
            assert page.evaluate("document.querySelector('[name=label]').value") == label
            assert page.evaluate("document.querySelector('[name=remark]').value") == remark
        assert page.complaints == []
