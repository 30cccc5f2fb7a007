"""Which days are full."""

from __future__ import annotations

from collections import Counter


class Days:
    """Days that take so many rotations each; None is any number.

    Finding the nearest one with room costs next to nothing however many are full: a full day points to
    its neighbour, and whoever passes shortens the way.
    """

    def __init__(self, most: int | None) -> None:
        """Begin with empty days."""
        self._most = most
        self._taken: Counter[int] = Counter()
        self._earlier: dict[int, int] = {}
        self._later: dict[int, int] = {}

    def take(self, day: int) -> None:
        """Put one rotation on a day, even on a full one."""
        self._taken[day] += 1
        if self._most is not None and self._taken[day] >= self._most:
            self._earlier.setdefault(day, day - 1)
            self._later.setdefault(day, day + 1)

    def at_most(self, day: int) -> int:
        """Give the last day with room that is not after this one."""
        return _nearest(self._earlier, day)

    def at_least(self, day: int) -> int:
        """Give the first day with room that is not before this one."""
        return _nearest(self._later, day)


def _nearest(full: dict[int, int], day: int) -> int:
    passed = []
    while day in full:
        passed.append(day)
        day = full[day]
    for each in passed:
        full[each] = day
    return day
