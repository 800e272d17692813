"""Which server gets the next request, and how long a server rests."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tasks.engines.http.replicas import MAX_BACKOFF_S, MAX_BAD_ANSWERS, Replicas, backoff, retry_after


def test_the_replica_with_the_fewest_requests_is_chosen():
    replicas = Replicas(["a", "b", "c"], 0.5)
    for replica, count in zip(replicas.all, [2, 0, 1], strict=True):
        replica.in_flight = count
    assert asyncio.run(replicas.choose(())).url == "b"
    assert asyncio.run(replicas.choose({replicas.all[1]})).url == "c"


def test_equally_busy_replicas_take_turns():
    replicas = Replicas(["a", "b", "c"], 0.5)
    assert sorted(asyncio.run(replicas.choose(())).url for _ in range(3)) == ["a", "b", "c"]


def test_an_unreachable_replica_rests_at_once_and_a_faulty_one_after_some_failures():
    replicas = Replicas(["a", "b"], 1e6)
    a, b = replicas.all
    assert replicas.failed(a, unreachable=True, wait_s=None)
    assert replicas.awake() == [b]
    for _ in range(MAX_BAD_ANSWERS - 1):
        assert not replicas.failed(b, unreachable=False, wait_s=None)
    assert replicas.failed(b, unreachable=False, wait_s=None)
    assert replicas.awake() == []


def test_a_success_resets_the_count_of_failures():
    replicas = Replicas(["a", "b"], 1e6)
    for _ in range(10):
        assert not replicas.failed(replicas.all[0], unreachable=False, wait_s=None)
        replicas.answered(replicas.all[0])


def test_a_single_server_rests_only_if_it_asks_for_it():
    replicas = Replicas(["a"], 1e6)
    assert not replicas.failed(replicas.all[0], unreachable=True, wait_s=None)
    assert replicas.failed(replicas.all[0], unreachable=False, wait_s=100.0)
    assert replicas.awake() == []


def test_backoff_grows_to_a_minute_with_full_jitter():
    for failures, longest in [(0, 0.5), (1, 1.0), (4, 8.0), (20, MAX_BACKOFF_S), (10_000, MAX_BACKOFF_S)]:
        waits = [backoff(0.5, failures) for _ in range(400)]
        assert 0.8 * longest < max(waits) <= longest
        assert min(waits) < 0.2 * longest


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, None), ("0", 0.0), ("3", 3.0), (" 1.5 ", 1.5), ("-1", None), ("nan", None), ("inf", None), ("soon", None)],
)
def test_retry_after_is_read_in_seconds(header, seconds):
    assert retry_after(header) == seconds


def test_retry_after_is_read_as_a_date():
    later = datetime.now(UTC) + timedelta(seconds=100)
    assert 98 < (retry_after(format_datetime(later, usegmt=True)) or 0) <= 100
    assert 98 < (retry_after(later.strftime("%a, %d %b %Y %H:%M:%S")) or 0) <= 100, "without a zone it is UTC"
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0.0
