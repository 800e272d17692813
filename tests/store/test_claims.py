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


def claims(url: str, patience_s: float = 60.0) -> Claims:
    return Claims(FsspecStore(url), "claims/set", patience_s)


def test_one_holds_what_another_may_not_take(url: str) -> None:
    with claims(url) as first, claims(url) as second:
        with first.take("a") as taken, second.take("a") as denied, second.take("b") as other:
            assert (taken, denied, other) == (True, False, True)
        with second.take("a") as taken:
            assert taken
    assert FsspecStore(url).keys("claims") == []


def test_of_many_at_once_never_two_hold_it(url: str) -> None:
    concurrency_slot, most, times = 0, 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal concurrency_slot, most, times
        own, deadline = 0, time.monotonic() + 60
        with claims(url) as mine:
            while own < 3:
                with mine.take("a") as taken:
                    if taken:
                        with lock:
                            concurrency_slot, times = concurrency_slot + 1, times + 1
                            most = max(most, concurrency_slot)
                        own += 1
                        time.sleep(0.01)
                        with lock:
                            concurrency_slot -= 1
                assert time.monotonic() < deadline, "nobody gets on"
                time.sleep(random.uniform(0, 0.2))

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(work) for _ in range(4)]:
            future.result()
    assert (times, most) == (12, 1)


def test_a_living_owner_keeps_its_claim_for_as_long_as_it_works(tmp_path: Path) -> None:
    with claims(str(tmp_path), 0.4) as first, claims(str(tmp_path), 0.4) as second, first.take("a") as taken:
        assert taken
        deadline = time.monotonic() + 1.5
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


def test_another_machine_is_never_taken_for_dead_by_its_process_number() -> None:
    here = ProcessIdentity.here()
    assert not here.has_ended
    gone = ProcessIdentity(here.machine, "4194305:1")
    assert gone.has_ended
    assert not replace(gone, machine="elsewhere").has_ended
    assert not replace(gone, machine="").has_ended
    reused = replace(here, process=f"{os.getpid()}:1")
    assert reused.has_ended, "the number is in use again, by another process"


@pytest.mark.slow
def test_a_store_that_is_away_ends_no_renewals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
