import html
import os
import random
import shutil
from collections import Counter
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from fastapi.testclient import TestClient

from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.graders.base.requirements import require_check
from tasks.records import AnswerCheck
from tasks.scaling.estimators import Counts
from tasks.scaling.summary import summarise
from tasks.store.fsspec_store import FsspecStore
from tasks.store.problems import StoredProblem, problems_key, write_problems
from tasks.viewer.app import make_app
from tasks.viewer.listing import ListedSet
from tasks.viewer.pages.comparison import compared
from tasks.viewer.pages.sets import differing_settings
from tasks.viewer.query import parse_query
from tasks.viewer.tallies import Tally
from tests.store.stored import fill
from tests.viewer.conftest import HOSTILE, PROBLEMS, TOKEN, K, reader, texts


def pages(shown):
    of_set = f"/sets/{shown.name}"
    return [
        "/",
        of_set,
        f"/sets/{shown.other}",
        f"{of_set}?problems=once",
        f"{of_set}/0",
        f"{of_set}/3?{urlencode({'verdict': 'correct', 'sort': 'tokens', 'descending': '1'})}",
        f"{of_set}/0/0",
        f"{of_set}/0/1",
        f"{of_set}/0/2",
        f"{of_set}/0/0/raw",
        f"{of_set}/labelled.jsonl",
        f"/diff?{urlencode({'a': f'{shown.name}/3/0', 'b': f'{shown.name}/3/129'})}",
        f"/compare?{urlencode({'a': shown.name, 'b': shown.other})}",
        "/static/view.js",
        "/static/view.css",
    ]


def test_every_page_is_shown_and_nothing_is_written(client, shown):
    store = FsspecStore(str(shown.folder))
    before = {key: store.read(key) for key in store.keys("")}
    for address in pages(shown):
        answer = client.get(address)
        assert answer.status_code == 200, (address, answer.text)
    assert {key: store.read(key) for key in store.keys("")} == before


def test_pages_need_the_token_and_a_local_name(shown):
    with TestClient(make_app(FsspecStore(str(shown.folder)), TOKEN), base_url="http://127.0.0.1") as stranger:
        for address in pages(shown):
            assert stranger.get(address).status_code == 403
        assert stranger.get("/?token=another").status_code == 403
        assert stranger.get(f"/?token={TOKEN}", headers={"Host": "example.org"}).status_code == 403
        opened = stranger.get(f"/sets/{shown.name}?token={TOKEN}&problems=once")
        assert opened.status_code == 200
        assert TOKEN not in str(opened.url)
        assert "problems=once" in str(opened.url)
        assert stranger.get("/", headers={"Host": "rebound.example"}).status_code == 403


@pytest.mark.parametrize(
    ("host", "answered"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:80", True),
        ("localhost", True),
        ("LOCALHOST:80", True),
        ("[::1]", True),
        ("[::1].rebound.example", False),
        ("rebound.example]", False),
        ("]", False),
        ("127.0.0.1.rebound.example", False),
        ("127.0.0.1@rebound.example", False),
        ("127.0.0.1:80:80", False),
        ("127.0.0.1:port", False),
        ("", False),
    ],
)
def test_only_names_of_this_machine_are_answered(client, host, answered):
    assert (client.get("/", headers={"Host": host}).status_code == 200) is answered


VALUES = (
    "", "0", "-1", "nan", "inf", "1e400", "9" * 30, "2147483648", "9223372036854775808", "\0", "(", "\\", "[", "%",
    "a{1000}{1000}{1000}", "x" * 1_001, "..", ".", "a/b", "é", "1_000", "\u0661", "0x1", "'\"<script>", "none",
    "correct", "answer", "score", "NAME",
    "NAME/0/0", "NAME/0/99999999", "NAME/final", "/", "//", " ", "\t", "+1", "1.5", "true",
)  # fmt: skip
PARAMETERS = (
    "verdicts", "problems", "verdict", "answer", "text", "regex", "index_from", "index_to", "tokens_from", "score_to",
    "sort", "descending", "page", "a", "b", "whole", "token",
)  # fmt: skip
ADDRESSES = (
    "/", "/compare", "/diff", "/sets/{}", "/sets/{}/state", "/sets/NAME", "/sets/NAME/state", "/sets/NAME/3",
    "/sets/NAME/{}", "/sets/NAME/3/{}", "/sets/NAME/{}/0", "/sets/NAME/3/0", "/sets/NAME/3/{}/raw",
    "/sets/NAME/{}/statement", "/sets/{}/labelled.jsonl", "/sets/NAME/3/prompt", "/{}", "/static/{}",
)  # fmt: skip


def test_no_address_ends_in_a_traceback(client, shown):
    """The client raises what the application does not handle."""
    chance = random.Random(0)

    def value() -> str:
        return chance.choice(VALUES).replace("NAME", shown.name)

    for _ in range(600):
        path = chance.choice(ADDRESSES).format(quote(value(), safe="")).replace("NAME", shown.name)
        query = urlencode([(chance.choice(PARAMETERS), value()) for _ in range(chance.randint(0, 4))])
        assert client.get(f"{path}?{query}").status_code in (200, 403, 404, 422), (path, query)
    for value_of_set in VALUES:
        name = quote(value_of_set, safe="")
        for path in (f"/sets/{name}", f"/sets/{name}/state", f"/sets/{name}/0/0", f"/compare?a={name}&b={name}"):
            assert client.get(path).status_code in (200, 404, 422), path


def test_the_numbers_of_a_query_are_the_same_on_its_next_page(client, shown):
    """With six digits, the next page was of other samples."""
    given = {"score_from": "0.12345678901", "index_to": "12345678", "tokens_from": "-0.5", "verdict": "wrong"}
    query = parse_query(given)
    again = parse_query(dict(parse_qsl(query.address(page=1))))
    assert again == query
    page = client.get(f"/sets/{shown.name}/3?{urlencode(given)}").text
    for value in ("0.12345678901", "12345678", "-0.5"):
        assert f'value="{value}"' in page


def test_a_report_that_is_older_than_a_verdict_is_not_shown(tmp_path):
    store = FsspecStore(str(tmp_path))
    sweep = fill(store, problems=4, k=20)
    name, verdicts = sweep.samples.identity.name, sweep.grading.verdicts.identity.name
    summary = summarise(Counts.of(["a", "b"], [400, 400], [3, 0]), {"correct": 3, "wrong": 797}, laws=False)
    key = f"reports/{name}/{verdicts}/summary.json"
    store.write(key, summary.to_json().encode())
    says = "are those of the latest report"
    with reader(tmp_path) as client:
        assert says in client.get(f"/sets/{name}").text
    os.utime(tmp_path / key, (0, 0))
    with reader(tmp_path) as client:
        assert says not in client.get(f"/sets/{name}").text


def test_the_drawing_and_the_keys_leave_out_the_samples_of_a_damaged_block(shown, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(shown.folder, folder)
    first, *_ = sorted(
        path for path in (folder / "samples" / shown.name).rglob("*.parquet") if path.stat().st_size > 2_000
    )
    first.write_bytes(b"damaged")
    with reader(folder) as client:
        page = client.get(f"/sets/{shown.name}/3").text
        assert f'data-samples="{K}"' in page
        assert '<path class="v-none" d="M0 0h100v1h-100z"/>' in page
        sample = client.get(f"/sets/{shown.name}/3/100").text
    assert f"/sets/{shown.name}/3/101?" in sample
    assert f"/sets/{shown.name}/3/99?" not in sample


def test_only_reading_requests_are_answered(client, shown):
    for address in pages(shown):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.request(method, address).status_code == 405


def test_text_of_a_model_is_never_markup(client, shown):
    for address in (a for a in pages(shown) if not any(name in a for name in ("static", "raw", "labelled"))):
        answer = client.get(address)
        assert "window.stolen" not in answer.text.replace("&lt;script&gt;window.stolen", "")
        assert "<img" not in answer.text
        assert "\u202e" not in answer.text
        assert "\x1b" not in answer.text
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
    raw = client.get(f"/sets/{shown.name}/0/0/raw")
    assert raw.headers["content-type"].startswith("text/plain")
    assert raw.headers["x-content-type-options"] == "nosniff"
    assert "<script>window.stolen" in raw.text


def test_the_page_of_a_problem_has_its_statement_and_its_gold_answer(client, shown):
    problem = ArithmeticDataset().load()[5]
    page = client.get(f"/sets/{shown.name}/5").text
    asked = page.partition('id="asked"')[2].partition("</section>")[0]
    assert problem.question in html.unescape(asked)
    assert "Gold answer" in asked
    assert f'<pre class="text">{require_check(problem, AnswerCheck).answer}</pre>' in asked
    assert "Prompt as it was sent" not in asked, "recorded samples had none of ours"


def test_the_problems_of_a_set_may_be_absent_damaged_or_hostile(shown, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(shown.folder, folder)
    key = problems_key(shown.name)
    path = folder / key
    problems = [
        StoredProblem(
            f"p{at}", HOSTILE, {"kind": "stdio", "tests": [{"stdin": HOSTILE, "<b>": ["\u202e"]}] * 30}, HOSTILE + "!"
        )
        for at in range(PROBLEMS)
    ]
    path.write_bytes(write_problems(problems, key))
    with reader(folder) as client:
        page = client.get(f"/sets/{shown.name}/3").text
        asked = page.partition('id="asked"')[2].partition("</section>")[0]
        assert "&lt;script&gt;window.stolen" in asked
        assert "Prompt as it was sent" in asked
        for part, text in (("statement", HOSTILE), ("prompt", HOSTILE + "!")):
            raw = client.get(f"/sets/{shown.name}/3/{part}")
            assert raw.headers["content-type"].startswith("text/plain")
            assert raw.text == text
        assert "10 more are stored" in asked
        for hostile in ("<script>window", "<img", "<b>", "\u202e", "\x1b"):
            assert hostile not in asked
        path.write_bytes(path.read_bytes()[:-50])
        assert "cannot be read" in client.get(f"/sets/{shown.name}/3").text
        path.unlink()
        assert "were not stored" in client.get(f"/sets/{shown.name}/3").text
        assert client.get(f"/sets/{shown.name}/3/statement").status_code == 404


def test_long_texts_of_a_problem_are_cut_unless_the_whole_is_asked_for(shown, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(shown.folder, folder)
    key = problems_key(shown.name)
    problems = [StoredProblem(f"p{at}", "y" * 250_000, None, None) for at in range(PROBLEMS)]
    (folder / key).write_bytes(write_problems(problems, key))
    with reader(folder) as client:
        assert "50,000 more characters" in client.get(f"/sets/{shown.name}/3").text
        assert "y" * 250_000 in client.get(f"/sets/{shown.name}/3?whole=1").text


def test_code_has_its_syntax_in_colours_and_a_long_text_is_cut(client, shown):
    assert '<span class="t-k">def</span>' in client.get(f"/sets/{shown.name}/0/1").text
    cut = client.get(f"/sets/{shown.name}/0/2").text
    assert "100,000 more characters" in cut
    assert "x" * 300_000 in client.get(f"/sets/{shown.name}/0/2?whole=1").text


def test_the_counts_of_a_set_are_those_of_its_verdicts(client, shown):
    page = client.get(f"/sets/{shown.name}").text
    assert f"<small> of {PROBLEMS}</small>" in page
    right = sum(range(PROBLEMS))
    assert f"<td>{right:,}</td>" in page
    once = client.get(f"/sets/{shown.name}?problems=once").text
    _, _, listed = once.partition('id="problems"')
    assert listed.count("<tbody>") == 1
    assert listed.partition("<tbody>")[2].partition("</tbody>")[0].count("<tr>") == 1
    assert f"/1/{K - 1}?" in listed


def test_samples_are_found_by_what_the_address_asks_for(client, shown):
    def found(position: int, **query: str) -> int:
        page = client.get(f"/sets/{shown.name}/{position}?{urlencode({'verdicts': 'final', **query})}").text
        line = page.partition('role="status">')[2].partition(f" of {K} samples")[0]
        return int(line)

    own = list(texts(PROBLEMS, K).values())[5]
    assert found(5) == K
    assert found(5, verdict="correct") == 5
    assert found(5, verdict="wrong", tokens_from="3", tokens_to="4") == sum(
        each.tokens in (3, 4) and each.index < K - 5 for each in own.values()
    )
    assert found(5, text="STEP 1\n") == 1
    assert found(5, text=r"^step [0-9]\n", regex="1") == 10
    assert found(5, index_from="10", index_to="19") == 10
    assert found(5, answer="-1", verdict="wrong") == sum(each.text.endswith("#### -1") for each in own.values())
    refused = client.get(f"/sets/{shown.name}/5?{urlencode({'text': '(', 'regex': '1'})}")
    assert refused.status_code == 404
    assert "is not a regular expression" in refused.text
    assert "cannot be sorted" in client.get(f"/sets/{shown.name}/5?sort=colour").text
    assert "is not a number" in client.get(f"/sets/{shown.name}/5?tokens_from=many").text


@pytest.mark.parametrize(
    "address",
    [
        "/sets/none",
        "/sets/NAME/99",
        "/sets/NAME/3/9999",
        "/diff?a=x&b=y",
        "/compare?a=none&b=none",
        "/sets/NAME?verdicts=none",
    ],
)
def test_what_does_not_exist_is_told_in_one_line(client, shown, address):
    answer = client.get(address.replace("NAME", shown.name))
    assert answer.status_code == 404
    assert "<h1>Not shown</h1>" in answer.text


def test_two_verdict_sets_of_one_set_are_compared_by_problem(client, shown):
    names = [each.name for each in (shown.folder / "verdicts" / shown.name).iterdir()]
    strict = next(name for name in names if name.startswith("last-line"))
    usual = next(name for name in names if name.startswith("final"))
    page = client.get(f"/compare?{urlencode({'a': f'{shown.name}/{strict}', 'b': f'{shown.name}/{usual}'})}").text
    assert page.index(f"{strict[-12:]}</span>") < page.index(f"{usual[-12:]}</span>") < page.index("<table")
    assert "verdicts.grader" in page
    assert "points" in page


def test_a_problem_without_a_pass_rate_is_not_said_to_be_in_one_set_only():
    def tally(name: str, **verdicts: int) -> Tally:
        return Tally(0, name, Counter(verdicts))

    left = [tally("a", correct=1, wrong=1), tally("b", infrastructure=3), tally("c", wrong=1)]
    right = [tally("a", wrong=2), tally("b", correct=3), tally("d", wrong=1)]
    rows, alone = compared(left, right)
    assert [(row.left.problem_id, row.difference) for row in rows] == [("a", -0.5)]
    assert alone == 2


def test_damage_and_a_set_that_vanishes_are_told_while_one_looks(shown, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(shown.folder, folder)
    with reader(folder) as client:
        assert client.get(f"/sets/{shown.name}/3").status_code == 200
        block = sorted((folder / "samples" / shown.name).rglob("*.parquet"))[0]
        data = block.read_bytes()
        block.write_bytes(data[: len(data) // 2])
        assert "damaged block" in client.get(f"/sets/{shown.name}").text
        shutil.rmtree(folder / "samples" / shown.name)
        gone = client.get(f"/sets/{shown.name}/3")
        assert gone.status_code == 404
        assert client.get("/").status_code == 200


def test_the_first_page_shows_settings_in_which_sets_of_one_dataset_differ():
    def listed(name, dataset, **sampling):
        return ListedSet(name, {"dataset": dataset, "sampling": sampling}, (), 0, ())

    cold, hot = (listed(f"a-{each}", "a", temperature=each, stop="x") for each in (0.6, 1.0))
    alone = listed("b", "b", temperature=0.2, stop="y")
    assert differing_settings([cold, hot, alone]) == {
        "a-0.6": [("temperature", "0.6")], "a-1.0": [("temperature", "1.0")], "b": [],
    }  # fmt: skip
