import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tasks.errors import StoreUnavailableError, UserError
from tasks.store.fsspec_store import FsspecStore
from tests.servers import S3


@pytest.fixture(params=["local", "memory", "s3", "moto"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FsspecStore:
    if request.param == "local":
        return FsspecStore(str(tmp_path / "runs"))
    if request.param == "memory":
        return FsspecStore(f"memory://{tmp_path.name}/runs")
    s3: S3 = request.getfixturevalue(request.param)
    return FsspecStore(f"s3://{s3.new_bucket()}/runs")


def test_an_object_reads_back_as_it_was_last_written(store: FsspecStore) -> None:
    store.write("samples/set/a.parquet", b"one")
    store.write("samples/set/a.parquet", b"two")
    assert store.read("samples/set/a.parquet") == b"two"
    with store.open("samples/set/a.parquet") as file:
        file.seek(1)
        assert file.read() == b"wo"


def test_a_listing_shows_every_finished_write(store: FsspecStore) -> None:
    assert store.keys("samples/set") == []
    store.write("samples/set/p1/b", b"")
    assert store.keys("samples/set") == ["samples/set/p1/b"]
    store.write("samples/set/p0/a", b"x")
    store.write("samples/settee/c", b"x")
    assert store.keys("samples/set") == ["samples/set/p0/a", "samples/set/p1/b"]


def test_a_moved_object_is_found_under_its_new_key_alone(store: FsspecStore) -> None:
    store.write("samples/set/a", b"x")
    store.move("samples/set/a", "damaged/now/samples/set/a")
    assert store.keys("samples") == []
    assert store.read("damaged/now/samples/set/a") == b"x"


def test_reading_an_absent_object_is_an_error(store: FsspecStore) -> None:
    with pytest.raises(FileNotFoundError):
        store.read("samples/none")


def test_the_probe_leaves_no_object_behind(store: FsspecStore) -> None:
    store.probe()
    assert store.keys("") == []


def test_a_writer_killed_at_any_moment_leaves_no_half_object(tmp_path: Path) -> None:
    writer = textwrap.dedent(
        """
        import sys
        from tasks.store.fsspec_store import FsspecStore
        store = FsspecStore(sys.argv[1])
        print("go", flush=True)
        for number in range(1_000_000):
            store.write("object", bytes([number % 256]) * 3_000_000)
        """
    )
    store = FsspecStore(str(tmp_path))
    for wait in (0.002, 0.01, 0.03, 0.05):
        process = subprocess.Popen([sys.executable, "-c", writer, str(tmp_path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.kill()
        process.wait()
        process.stdout.close()
        for key in store.keys(""):
            data = store.read(key)
            assert key == "object"
            assert len(data) == 3_000_000
            assert len(set(data)) == 1


@pytest.mark.parametrize("url", ["nosuch://bucket/runs", "s3://"])
def test_a_url_that_names_no_store_ends_in_one_line(url: str) -> None:
    with pytest.raises(UserError, match=r"store: .* cannot be (used|written)"):
        FsspecStore(url).probe()


@pytest.mark.parametrize("empty", ["local", "s3", "moto"])
def test_an_absent_store_ends_in_one_line(empty: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    url, good = str(tmp_path / "none"), str(tmp_path)
    if empty != "local":
        s3: S3 = request.getfixturevalue(empty)
        url, good = "s3://nosuchbucket/runs", f"s3://{s3.new_bucket()}/runs"
    FsspecStore(good).check_readable()
    with pytest.raises(UserError, match=r"store: there is no (folder .*none|bucket nosuchbucket); give another store"):
        FsspecStore(url).check_readable()


@pytest.mark.parametrize("server", ["s3", "moto"])
def test_a_part_is_read_without_the_rest(server: str, request: pytest.FixtureRequest) -> None:
    bucket = request.getfixturevalue(server).new_bucket()
    store = FsspecStore(f"s3://{bucket}/runs")
    store.write("object", bytes(3_000_000))
    sent = requests_of(store)
    with store.open("object") as file:
        file.seek(1_000_000)
        assert len(file.read(1_000)) == 1_000
    assert [request for request in sent if request[0] == "GetObject"] == [("GetObject", "bytes=1000000-1000999")]


def requests_of(store: FsspecStore) -> list[tuple[str, str]]:
    """Every request that the store sends from now on: what is asked, and for which bytes."""
    sent: list[tuple[str, str]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        sent.append((model.name, params.get("headers", {}).get("Range", "")))

    client: Any = store._fs
    client.connect()
    client.s3.meta.events.register("before-call.s3", note)
    return sent


def test_leftovers_of_a_killed_writer_are_not_listed(store: FsspecStore) -> None:
    store.write("samples/.tmp-12ab-object", b"half")
    store.write("samples/object", b"whole")
    assert store.sizes("") == {"samples/object": 5}
    (left,) = store.temporaries()
    assert (left.key, left.bytes) == ("samples/.tmp-12ab-object", 4)
    assert -5 < left.age_s < 60


def test_a_file_where_the_store_should_be_ends_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(UserError, match="cannot be written") as caught:
        FsspecStore(str(tmp_path / "runs")).probe()
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_ends_in_one_line() -> None:
    with pytest.raises(UserError, match=r"store: /proc/monkeys cannot be written"):
        FsspecStore("/proc/monkeys").probe()


def test_a_wrong_secret_ends_in_one_line(s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = s3.new_bucket()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    with pytest.raises(UserError, match="cannot be written"):
        FsspecStore(f"s3://{bucket}/runs").probe()
    with pytest.raises(UserError, match="cannot be read"):
        FsspecStore(f"s3://{bucket}/runs").check_readable()


@pytest.mark.slow
def test_a_listing_of_several_pages_is_complete(moto: S3) -> None:
    store = FsspecStore(f"s3://{moto.new_bucket()}/runs")
    client: Any = store._fs
    names = {f"samples/set/{number:05}": b"" for number in range(1_100)}
    client.pipe({f"{store._root}/{name}": data for name, data in names.items()})
    sent = requests_of(store)
    assert store.keys("samples/set") == sorted(names)
    assert len([name for name, _ in sent if name == "ListObjectsV2"]) == 2, "more than S3 lists at once"


@pytest.mark.parametrize("server", ["s3", "moto"])
def test_an_absent_bucket_ends_in_one_line(server: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(server)
    with pytest.raises(UserError, match=r"store: s3://nosuchbucket/runs cannot be written \(.*bucket") as caught:
        FsspecStore("s3://nosuchbucket/runs").probe()
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_a_store_that_is_unavailable(monkeypatch: pytest.MonkeyPatch, s3: S3) -> None:
    store = FsspecStore(f"s3://{s3.new_bucket()}/runs")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    away = FsspecStore(f"s3://{store._root}")
    for use in (lambda: away.write("a", b""), lambda: away.read("a"), lambda: away.keys("")):
        with pytest.raises(StoreUnavailableError, match=r"store: s3://.* cannot be .*127\.0\.0\.1:9"):
            use()


def test_an_object_that_may_not_be_read_ends_in_one_line(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    store.write("samples/set/a", b"x")
    (tmp_path / "samples" / "set" / "loop").symlink_to(tmp_path / "samples" / "set" / "loop")
    with pytest.raises(UserError, match=r"loop cannot be read .*; fix the link, then run the same command again"):
        store.read("samples/set/loop")
    without_root = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    drop = without_root if os.geteuid() == 0 else []
    (tmp_path / "samples" / "set" / "a").chmod(0)
    script = f"from tasks.store.fsspec_store import FsspecStore; FsspecStore({str(tmp_path)!r}).read('samples/set/a')"
    ended = subprocess.run([*drop, sys.executable, "-c", script], check=False, capture_output=True, text=True)
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("tasks.errors.UserError: store: ")
    assert "cannot be read (Permission denied); grant access to it" in last
