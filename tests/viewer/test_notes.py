import json
import shutil
from urllib.parse import urlencode

import pytest
from fastapi.testclient import TestClient

from tasks.audit.labelled import LABELLED, labelled
from tasks.datasets.arithmetic import ArithmeticDataset
from tasks.records import LabelledSample
from tasks.store.fsspec_store import FsspecStore
from tasks.store.inspect.catalog import find
from tasks.store.inspect.garbage import garbage
from tasks.store.inspect.integrity import check
from tasks.viewer.app import make_app
from tests.viewer.conftest import HOSTILE, PROBLEMS, TOKEN, K, reader, texts

OWN = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def folder(shown, tmp_path):
    shutil.copytree(shown.folder, tmp_path / "copy")
    return tmp_path / "copy"


def send(client, name, position=3, index=7, headers=OWN, **fields):
    return client.post(
        f"/sets/{name}/{position}/{index}/note",
        content=urlencode(fields),
        headers={"Content-Type": "application/x-www-form-urlencoded", **headers},
    )


def notes(folder):
    return sorted(path.name for path in (folder / "notes").rglob("*") if path.is_file())


def test_a_note_changes_nothing_but_itself(folder, shown):
    store = FsspecStore(str(folder))
    before = {key: store.read(key) for key in store.keys("")}
    with reader(folder) as client:
        page = send(client, shown.name, label="wrong", remark="sign").text
        assert '<option value="wrong" selected>' in page
        assert ">sign</textarea>" in page
        assert "1 sample has a note" in client.get(f"/sets/{shown.name}").text
    after = {key: store.read(key) for key in store.keys("")}
    assert after.items() >= before.items()
    assert after.keys() - before.keys() == {f"notes/{shown.name}/p00003-i0000007.json"}
    found = find(store, shown.name)
    assert [*check(store, found), *garbage(store)] == []


def test_marked_samples_are_labelled_rows_for_an_audit(folder, shown, tmp_path):
    with reader(folder) as client:
        send(client, shown.name, 3, 7, label="wrong", remark="")
        send(client, shown.name, 5, K - 1, label="right", remark="as the gold answer")
        send(client, shown.name, 6, 0, label="unsure", remark="?")
        rows = client.get(f"/sets/{shown.name}/labelled.jsonl").text
    (tmp_path / "labelled.jsonl").write_text(rows)
    problems = ArithmeticDataset().load()
    of = texts(PROBLEMS, K)
    assert [*labelled(str(tmp_path / "labelled.jsonl"), problems, "--labelled")] == [
        LabelledSample(problems[3].id, of[problems[3].id][7].text, False, LABELLED),
        LabelledSample(problems[5].id, of[problems[5].id][K - 1].text, True, LABELLED),
    ]


def test_a_note_without_a_label_is_removed(folder, shown):
    with reader(folder) as client:
        send(client, shown.name, label="wrong", remark="x")
        assert notes(folder) == ["p00003-i0000007.json"]
        send(client, shown.name, label="", remark="x")
        assert notes(folder) == []
        assert send(client, shown.name, label="", remark="").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1"},
    ],
)
def test_a_form_of_another_page_writes_nothing(folder, shown, headers):
    with reader(folder) as client:
        assert send(client, shown.name, headers=headers, label="wrong", remark="").status_code == 403
    assert notes(folder) == []


def test_a_browser_that_sends_only_the_origin_may_write(folder, shown):
    with reader(folder) as client:
        assert send(client, shown.name, headers={"Origin": "http://127.0.0.1"}, label="right").status_code == 200
    assert notes(folder) == ["p00003-i0000007.json"]


def test_a_note_needs_the_token(folder, shown):
    with TestClient(make_app(FsspecStore(str(folder)), TOKEN), base_url="http://127.0.0.1") as stranger:
        assert send(stranger, shown.name, label="wrong", remark="").status_code == 403
    assert notes(folder) == []


@pytest.mark.parametrize(
    ("sample", "body", "status"),
    [
        ("99/0", b"label=wrong", 404),
        ("3/9999", b"label=wrong", 404),
        ("3/7", b"label=perfect", 404),
        ("3/7", b"label=%ff", 404),
        ("3/7", b"\xff", 404),
        ("3/7", b"&".join([b"label=wrong"] * 9), 404),
        ("3/7", b"label=wrong&remark=" + b"x" * 70_000, 413),
    ],
)
def test_a_form_that_is_not_one_of_the_page_writes_nothing(folder, shown, sample, body, status):
    with reader(folder) as client:
        answer = client.post(f"/sets/{shown.name}/{sample}/note", content=body, headers=OWN)
        assert answer.status_code == status
    assert notes(folder) == []


def test_hostile_and_damaged_notes_are_shown_as_text_or_named(folder, shown):
    with reader(folder) as client:
        page = send(client, shown.name, label="wrong", remark=f"</textarea>{HOSTILE}").text
        assert page.count("</textarea>") == 1
        assert "<script>window" not in page
        assert "\u202e" not in page
        path = folder / "notes" / shown.name / "p00003-i0000007.json"
        whole = json.loads(path.read_text())
        for damage in (b"", b"{}", b"[1]", b"\xff", json.dumps(whole | {"label": "x"}).encode()):
            path.write_bytes(damage)
            assert "it is not a note" in client.get(f"/sets/{shown.name}/3/7").text
            assert client.get(f"/sets/{shown.name}/labelled.jsonl").status_code == 404
        path.write_text(json.dumps(whole | {"index": 8}))
        assert "a note on another sample" in client.get(f"/sets/{shown.name}/3/7").text
        path.write_text(json.dumps(whole | {"sample": "another"}))
        assert "was drawn again since" in client.get(f"/sets/{shown.name}/3/7").text
