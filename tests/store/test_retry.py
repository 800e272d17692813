import pytest

from tasks.errors import StoreUnavailableError, UserError
from tasks.store.retry import DELAYS_S, JITTER, retry_while_unavailable


def away(times: int, error: Exception) -> list[Exception | None]:
    return [*([error] * times), None]


@pytest.mark.parametrize("times", [0, 1, 3])
def test_an_action_is_retried_until_the_store_comes_back(times: int) -> None:
    answers = away(times, StoreUnavailableError("away"))

    def act() -> str:
        error = answers.pop(0)
        if error is not None:
            raise error
        return "stored"

    assert retry_while_unavailable(act, [0.001] * 3) == "stored"
    assert answers == []


def test_the_last_error_is_raised_when_the_store_stays_away() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        raise StoreUnavailableError(f"away {len(tries)}")

    with pytest.raises(StoreUnavailableError, match="away 4"):
        retry_while_unavailable(act, [0.001] * 3)


def test_errors_that_waiting_cannot_fix_are_not_retried() -> None:
    tries = []

    def act() -> None:
        tries.append(1)
        raise UserError("no space left")

    with pytest.raises(UserError):
        retry_while_unavailable(act, [0.001] * 3)
    assert len(tries) == 1


def test_the_delays_add_up_to_more_than_a_minute() -> None:
    assert sum(DELAYS_S) * (1 - JITTER) > 60
