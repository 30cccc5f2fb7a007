"""What a run has around it where nobody looks: a clock, patience that ends, and consent given beforehand."""

from __future__ import annotations

from collections.abc import Callable

from keyaudit.rotation.sight import Sight
from keyaudit.rotation.steps import Step
from keyaudit.times import MINUTE, SECOND

PATIENCE = 2 * MINUTE
"""What is waited out: a provider that gets to know its new key. For silence, somebody calls again."""


class Unattended:
    """The surroundings of a function. `clock` and `deadline` in microseconds, UTC; `pause` takes seconds."""

    def __init__(
        self, clock: Callable[[], int], pause: Callable[[float], None], deadline: int | None = None
    ) -> None:
        self._clock, self._pause = clock, pause
        patience = clock() + PATIENCE
        self._deadline = patience if deadline is None else min(patience, deadline)

    def now(self) -> int:
        """Give the time."""
        return self._clock()

    def sleep(self, until: int) -> bool:
        """Wait until an instant; False if that is later than this function may live."""
        if until > self._deadline:
            return False
        while (left := until - self._clock()) > 0:
            self._pause(left / SECOND)
        return True

    def agrees(self, step: Step, sight: Sight) -> bool:
        """Agree: whoever deployed the function did, for keys that are proven silent."""
        del step, sight
        return True

    def tell(self, step: Step, sight: Sight) -> None:
        """Say nothing: the record does."""
