"""The lifecycle of engines and scorers of the tests that hold no resource."""

from typing import Self


class NothingToClose:
    """Can be opened, cancelled and closed, and does nothing then."""

    def cancel(self) -> None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None
