"""A row of figures as one line of characters: one an interval, or several intervals to one."""

from __future__ import annotations

from collections.abc import Sequence

GAP = " "
ZERO = "·"
LEVELS = "▁▂▃▄▅▆▇█"
ASCII = str.maketrans(
    {"·": ".", **dict(zip(LEVELS, "_-~=+*%#", strict=True)), "…": "...", "–": "-", "▒": "?"}
)
"""The same for a terminal that has no more, darker for higher."""


def per_character(count: int, width: int) -> int:
    """Say how many intervals share a character so that all fit."""
    return max(1, -(-count // max(width, 1)))


def line(values: Sequence[int | None], each: int = 1, *, add: bool = False) -> str:
    """Draw each value against the highest; None is a gap, zero a dot.

    Of several that share a character the highest counts, so that no dip of a report that saw less is
    taken for an improvement and no short rise is lost; those to `add` are summed.
    """
    shared = [values[start : start + each] for start in range(0, len(values), each)]
    kept = [_sum(part) if add else _highest(part) for part in shared]
    highest = max((value for value in kept if value is not None), default=0)
    return "".join(_character(value, highest) for value in kept)


def marks(values: Sequence[str], each: int = 1) -> str:
    """Draw marks below a line; of several the first that is one counts."""
    return "".join(
        next((mark for mark in values[start : start + each] if mark.strip()), GAP)
        for start in range(0, len(values), each)
    )


def _highest(values: Sequence[int | None]) -> int | None:
    return max((value for value in values if value is not None), default=None)


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _character(value: int | None, highest: int) -> str:
    if value is None:
        return GAP
    if value <= 0:
        return ZERO
    return LEVELS[(value * len(LEVELS) - 1) // highest]
