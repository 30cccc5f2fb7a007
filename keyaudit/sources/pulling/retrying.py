"""Asking again: with jitter, later each time, and never sooner than the server said."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from typing import TypeVar

from keyaudit.sources.pulling.meter import Meter
from keyaudit.sources.pulling.pace import LONGEST_HOLD
from keyaudit.sources.pulling.refusals import TRANSIENT, Kind, RefusedError

LONGEST_REST = 20.0
_FIRST_REST = {Kind.THROTTLED: 1.0}
_SHORT_REST = 0.1

Answer = TypeVar("Answer")


def persistently(
    ask: Callable[[], Answer], meter: Meter, attempts: int, *, again: Collection[Kind] = TRANSIENT
) -> Answer:
    """Give what `ask` answers, asking up to `attempts` times while the refusal is one of `again`.

    Every attempt is paced and counted. A throttled one slows the whole scope down, by the server's
    own Retry-After if it gave one. Raises the last RefusedError, StoppedError.
    """
    for attempt in range(attempts):
        meter.sending()
        try:
            answer = ask()
        except RefusedError as error:
            kind = error.refusal.kind
            if kind is Kind.THROTTLED:
                meter.held_back(error.hold)
                _patient_enough(error.hold)
            if kind not in again or attempt == attempts - 1:
                raise
            # The scope's pace already waits as long as the server asked.
            if error.hold is None:
                longest = min(LONGEST_REST, _FIRST_REST.get(kind, _SHORT_REST) * 2**attempt)
                meter.rest(random.uniform(0, longest))  # noqa: S311 - jitter keeps nothing secret
        else:
            meter.answered()
            return answer
    raise AssertionError("the last attempt returns or raises")


def _patient_enough(hold: float | None) -> None:
    """Give up rather than ask sooner than the server said, or wait for hours."""
    if hold is not None and hold > LONGEST_HOLD:
        raise RefusedError(Kind.THROTTLED, f"asked to stay away for {hold:,.0f} s", saying="throttled")
