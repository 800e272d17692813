import json
import os
import random
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxes.linux.process_identity import ProcessIdentity
from tasks.errors import UserError
from tasks.progress import NullProgress, progress
from tasks.store.claims import Claims
from tasks.store.fsspec_store import FsspecStore
from tests.servers import S3, s3_of, serving


@pytest.fixture(params=["local", "moto"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Not on rclone's server, to which requests come one at a time."""
    if request.param == "local":
        return str(tmp_path)
    s3: S3 = request.getfixturevalue("moto")
    return f"s3://{s3.new_bucket()}/runs"


def claims(url: str, expires_after_s: float = 60.0) -> Claims:
    return Claims(FsspecStore(url), "claims/set", expires_after_s)


class Told(NullProgress):
    """What a person is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_a_claim_that_one_holds_is_refused_to_another(url: str) -> None:
    with claims(url) as first, claims(url) as second:
        with first.take("a") as taken, second.take("a") as denied, second.take("b") as other:
            assert (taken, denied, other) == (True, False, True)
        with second.take("a") as taken:
            assert taken
    assert FsspecStore(url).keys("claims") == []


def test_a_claim_is_never_held_by_two_at_once(url: str) -> None:
    holders, most, times = 0, 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal holders, most, times
        own, deadline = 0, time.monotonic() + 200
        with claims(url) as mine:
            while own < 3:
                with mine.take("a") as taken:
                    if taken:
                        with lock:
                            holders, times = holders + 1, times + 1
                            most = max(most, holders)
                        own += 1
                        time.sleep(0.01)
                        with lock:
                            holders -= 1
                assert time.monotonic() < deadline, "nobody makes progress"
                time.sleep(random.uniform(0, 0.2))

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(work) for _ in range(4)]:
            future.result()
    assert (times, most) == (12, 1)


def test_a_living_owner_keeps_its_claim_for_as_long_as_it_works(tmp_path: Path) -> None:
    with claims(str(tmp_path), 2.0) as first, claims(str(tmp_path), 2.0) as second, first.take("a") as taken:
        assert taken
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            with second.take("a") as stolen:
                assert not stolen
            time.sleep(0.05)


def test_a_claim_unchanged_for_too_long_is_taken_over_and_not_before(url: str) -> None:
    silent = claims(url, 0.5)  # never renewed, as on another machine that has lost its power
    assert silent._take("a")
    with claims(url, 0.5) as heir:
        with heir.take("a") as taken:
            assert not taken, "an heir must first have seen it unchanged for its patience"
        time.sleep(0.6)
        with heir.take("a") as taken:
            assert taken


def test_the_claim_of_a_process_killed_on_this_machine_is_free_at_once(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, time
        from tasks.store.claims import Claims
        from tasks.store.fsspec_store import FsspecStore
        with Claims(FsspecStore(sys.argv[1]), "claims/set") as claims, claims.take("a") as taken:
            print(taken, flush=True)
            time.sleep(60)
        """
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "True\n"
    with claims(str(tmp_path)) as heir:
        with heir.take("a") as taken:
            assert not taken
        holder.kill()
        holder.wait()
        holder.stdout.close()
        with heir.take("a") as taken:
            assert taken


def test_a_process_of_another_machine_is_never_considered_dead() -> None:
    here = ProcessIdentity.here()
    assert not here.has_ended
    gone = ProcessIdentity(here.machine, "4194305:1")
    assert gone.has_ended
    assert not replace(gone, machine="elsewhere").has_ended
    assert not replace(gone, machine="").has_ended
    reused = replace(here, process=f"{os.getpid()}:1")
    assert reused.has_ended, "the number is in use again, by another process"


NO_CLAIMS = {
    "empty": b"",
    "torn": b"{",
    "list": b"[]",
    "object": b"{}",
    "null": b"null",
    "owner is a string": b'{"owner": "me"}',
    "owner without fields": b'{"owner": {}}',
    "machine is a number": b'{"owner": {"machine": 1, "process": "1:1"}}',
    "process is null": b'{"owner": {"machine": "m", "process": null}}',
    "not UTF-8": b'{"owner": {"machine": "\xff", "process": "1:1"}}',
    "too deep": b'{"owner": ' + b"[" * 100_000,
    "too long a number": b'{"beat": ' + b"9" * 10_000 + b"}",
    "UTF-16": '{"owner": {"machine": "m", "process": "1:1"}}'.encode("utf-16"),
}


@pytest.mark.parametrize("data", NO_CLAIMS.values(), ids=NO_CLAIMS.keys())
def test_what_is_not_a_claim_is_moved_to_damaged_after_the_patience_and_told_once(data: bytes, tmp_path: Path) -> None:
    store, told = FsspecStore(str(tmp_path)), Told()
    key = "claims/set/a/0123456789abcdef.json"
    store.write(key, data)
    token = progress.set(told)
    try:
        with claims(str(tmp_path), 0.5) as heir:
            with heir.take("a") as taken:
                assert not taken, "it may be a claim of a run that is alive"
            with heir.take("a") as taken:
                assert not taken
            assert store.read(key) == data
            time.sleep(0.6)
            with heir.take("a") as taken:
                assert taken
    finally:
        progress.reset(token)
    (damaged,) = store.keys("damaged")
    assert damaged.endswith(f"/{key}")
    assert store.read(damaged) == data
    seen, moved = told.lines
    assert seen.startswith(f"{store.url(key)} is not a claim of a run: waiting")
    assert moved.endswith(f" and was moved to {damaged}")


def test_a_claim_that_is_renewed_in_time_is_not_moved(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    with claims(str(tmp_path), 3.0) as owner, claims(str(tmp_path), 3.0) as other, owner.take("a") as taken:
        assert taken
        store.write(owner._key("a"), b"{")  # as a store would that tears what it is sent
        deadline = time.monotonic() + 7
        while time.monotonic() < deadline:
            with other.take("a") as stolen:
                assert not stolen
            time.sleep(0.1)
    assert store.keys("damaged") == []


def test_fields_that_a_newer_version_adds_to_a_claim_are_ignored(tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    owner = {**ProcessIdentity.here().to_dict(), "name": "x", "user": {"id": 1}}
    alive = {"owner": owner, "beat": 0, "until": [1, 2], "schema": "1.7"}
    ended = {**alive, "owner": {**owner, "process": "4194305:1"}}
    with claims(str(tmp_path), 0.2) as mine:
        store.write("claims/set/ended/1.json", json.dumps(ended).encode())
        with mine.take("ended") as taken:
            assert taken, "its process has ended"
        for beat in range(3):
            store.write("claims/set/alive/1.json", json.dumps({**alive, "beat": beat}).encode())
            with mine.take("alive") as taken:
                assert not taken
            time.sleep(0.15)
    assert store.keys("damaged") == []


@pytest.mark.parametrize("process", ["", "1", ":", "one:two", "-1:5", "1:2:3", "9" * 5_000 + ":1", "١:١", "../1:1"])
def test_a_claim_of_a_process_that_cannot_be_recognized_expires_by_patience_alone(process: str, tmp_path: Path) -> None:
    store = FsspecStore(str(tmp_path))
    owner = {"machine": ProcessIdentity.here().machine, "process": process}
    store.write("claims/set/a/1.json", json.dumps({"owner": owner, "beat": 0}).encode())
    with claims(str(tmp_path), 0.2) as mine:
        with mine.take("a") as taken:
            assert not taken
        time.sleep(0.3)
        with mine.take("a") as taken:
            assert taken


def test_a_disk_without_space_ends_no_renewals(tmp_path: Path) -> None:
    class FullStore(FsspecStore):
        full = False

        def write(self, key: str, data: bytes) -> None:
            if self.full:
                raise UserError("no space left")
            super().write(key, data)

    store = FullStore(str(tmp_path))
    with Claims(store, "claims/set", 0.4) as mine, mine.take("a") as taken:
        assert taken
        store.full = True
        time.sleep(0.5)
        store.full = False
        before, deadline = store.read(mine._key("a")), time.monotonic() + 30
        while store.read(mine._key("a")) == before:
            assert time.monotonic() < deadline, "it is renewed again once there is space"
            time.sleep(0.05)


@pytest.mark.slow
def test_renewals_continue_while_the_store_is_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = s3_of(tmp_path / "buckets")
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    with serving(s3):
        url = f"s3://{s3.new_bucket()}/runs"
        mine, others = claims(url, 2.0), claims(url, 60.0)
        mine.__enter__()
        assert mine._take("a")
        assert mine._take("b")
    time.sleep(2)
    mine._release("b")
    with serving(s3):
        claim, left = sorted((s3.root / url.removeprefix("s3://")).rglob("*.json"))
        before, deadline = claim.read_bytes(), time.monotonic() + 30
        while claim.read_bytes() == before:
            assert time.monotonic() < deadline, "it is renewed again once the store is back"
            time.sleep(0.1)
        with others.take("a") as taken:
            assert not taken
        assert left.exists()
        mine.__exit__(None, None, None)
        assert not claim.exists()
        assert not left.exists(), "what could not be deleted then is deleted at the end"
