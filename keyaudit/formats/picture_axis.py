"""Where things are in a picture with time from left to right: its layouts, its axis and its calendar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from keyaudit import times
from keyaudit.formats.picture_ink import Ink

TOP = 40
"""Pixels above the first row: the as-of date and the calendar."""
_TICKS = (1, 2, 3, 6, 12, 24, 60, 120)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are, in the picture's own pixels.

    The time axis takes `width` from `left`; a name ends before `label_width`; in a row of height
    `row`, writing stands on `baseline` and the broad lane begins at `lane`.
    """

    canvas: int
    left: int
    width: int
    row: int
    label_width: int
    label_letters: int
    baseline: int
    lane: int
    status: tuple[int, str]
    months: int
    legend_columns: int
    today_from: int


WIDE = Layout(984, 248, 600, 26, 238, 36, 15, 5, (856, "start"), 9, 4, today_from=0)
NARROW = Layout(360, 8, 344, 42, 246, 38, 13, 20, (360, "end"), 4, 1, today_from=17)
"""For a phone: names stand above their bars."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Instants from `start` to `end` laid along the width of a layout."""

    start: int
    end: int
    layout: Layout = WIDE

    def x(self, instant: int) -> float:
        """Say where an instant is; instants outside are drawn at the edge."""
        inside = min(max(instant, self.start), self.end)
        return self.layout.left + self.layout.width * (inside - self.start) / (self.end - self.start)


def labels_end_at(ink: Ink, layout: Layout, bottom: int) -> str:
    """Define what names are clipped by, so that none runs into its bars."""
    box = f'<rect width="{layout.label_width}" height="{bottom}"/>'
    return f'<defs><clipPath id="{ink.name}-labels">{box}</clipPath></defs>'


def calendar(ink: Ink, axis: Axis, bottom: int) -> list[str]:
    """Rule and name the first days of months, as many as there is room for."""
    months = _months(axis)
    most = axis.layout.months
    fitting = (step for step in _TICKS if sum(number % step == 0 for number, _ in months) <= most)
    every = next(fitting, _TICKS[-1])
    parts = []
    for number, instant in months:
        if number % every == 0:
            x = axis.x(instant)
            label = f"{_MONTHS[number % 12]} {number // 12}"
            parts.append(ink.line("grid", (x, TOP - 8), (x, bottom)))
            parts.append(ink.text(label, (x, TOP - 14), size=10, role="muted", anchor="middle"))
    return parts


def _months(axis: Axis) -> list[tuple[int, int]]:
    """List the first days of months on the axis, as months since year 0 and instants."""
    first, last = (datetime.fromtimestamp(t // times.SECOND, UTC) for t in (axis.start, axis.end))
    numbers = range(first.year * 12 + first.month, min(last.year * 12 + last.month, 9999 * 12))
    return [
        (number, times.from_datetime(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)))
        for number in numbers
    ]
