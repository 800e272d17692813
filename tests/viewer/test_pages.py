import shutil
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from tasks.store.fsspec_store import FsspecStore
from tasks.viewer.app import make_app
from tests.viewer.conftest import PROBLEMS, TOKEN, K, reader, texts


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


def test_only_reading_requests_are_answered(client, shown):
    for address in pages(shown):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert client.request(method, address).status_code == 405


def test_text_of_a_model_is_never_markup(client, shown):
    for address in (a for a in pages(shown) if "static" not in a and "raw" not in a):
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
    assert "verdicts.grader" in page
    assert "points" in page


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
