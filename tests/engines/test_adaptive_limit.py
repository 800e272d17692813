"""The limit of requests in flight, by itself."""

import asyncio

import pytest

from tasks.engines.http.adaptive_limit import AdaptiveLimit


def test_a_refusal_halves_the_limit_and_a_round_of_successes_adds_one():
    async def check() -> None:
        limit = AdaptiveLimit(16)
        async with limit.slot(0) as sent, limit.slot(0) as sent_too:
            assert limit.refused(sent)
            assert limit.limit == 8
            assert not limit.refused(sent_too), "sent before the cut: it says nothing of the limit after"
        assert limit.limit == 8
        for _ in range(9):
            limit.succeeded()
        assert 9 <= limit.limit < 9.1
        for _ in range(1_000):
            limit.succeeded()
        assert limit.limit == 16, "never more than the maximum"

    asyncio.run(check())


def test_the_limit_is_never_below_one():
    async def check() -> None:
        limit = AdaptiveLimit(3)
        for _ in range(5):
            async with limit.slot(0) as sent:
                limit.refused(sent)
        assert limit.limit == 1
        async with limit.slot(0):
            assert limit.held == 1

    asyncio.run(check())


def test_the_lowest_priority_number_goes_first_and_equals_take_turns():
    async def check() -> None:
        limit, order = AdaptiveLimit(1), []

        async def work(name: str, priority: int, times: int = 1) -> None:
            for _ in range(times):
                async with limit.slot(priority):
                    order.append(name)
                    await asyncio.sleep(0)

        await asyncio.gather(work("old", 0, 3), work("new", 1), work("middle", 0))
        assert order == ["old", "middle", "old", "old", "new"]

    asyncio.run(check())


@pytest.mark.parametrize("when", ["waiting", "let in"])
def test_a_cancelled_waiter_leaves_its_slot_free(when):
    async def check() -> None:
        limit = AdaptiveLimit(1)
        done = []

        async def hold() -> None:
            async with limit.slot(0):
                done.append(1)

        async with limit.slot(0):
            waiting = asyncio.create_task(hold())
            await asyncio.sleep(0)
            if when == "waiting":
                waiting.cancel()
        if when == "let in":
            limit._let_in()
            waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        await asyncio.sleep(0)
        assert limit.held == 0
        await hold()
        assert done == [1]

    asyncio.run(check())
