"""Columns over time: one an interval, nothing where no report is, and below each if it saw everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from keyaudit import times
from keyaudit.formats.picture_ink import Ink
from keyaudit.trend import wording
from keyaudit.trend.series import Figures, Group, Point, Slot

BROAD, NARROW = 560, 330
"""Widths: half a page, and a telephone's."""

_HEIGHT = 208
_LEFT, _RIGHT, _TOP, _BASE = 40, 6, 40, 168
_STRIP = 5
_BAND = {"complete": "use", "incomplete": "unknown", "undeclared": "replaced"}


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a column: `role` is its look, `value` its height."""

    role: str
    value: float


@dataclass(frozen=True, slots=True)
class Column:
    """One interval: parts on top of each other from the middle line, others below it, and a tick."""

    says: str
    up: tuple[Part, ...] = ()
    down: tuple[Part, ...] = ()
    tick: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture to be drawn; `name` keeps its ids apart from those of other pictures."""

    name: str
    title: str
    columns: tuple[Column | None, ...]


def overdue(slots: Sequence[Slot], name: str, title: str, group: Callable[[Point], Figures | None]) -> Chart:
    """Show who is overdue, and above it who was when last seen and cannot be seen now."""

    def column(point: Point) -> Column | None:
        figures = group(point)
        if figures is None:
            if point.holes:
                return None
            figures = Figures()
        says = f"{figures.overdue:,} of {figures.credentials:,} overdue"
        if figures.overdue_unseen:
            says += f", {figures.overdue_unseen:,} more when last seen"
        parts = (Part("late", figures.overdue), Part("unknown", figures.overdue_unseen))
        return Column(says, parts)

    return _chart(name, title, slots, column)


def of_group(group: Group) -> Callable[[Point], Figures | None]:
    """Give the figures of one group of a point."""
    return lambda point: point.groups.get(group)


def ages(slots: Sequence[Slot]) -> Chart:
    """Show the mean age as a column and the worst as a tick."""

    def column(point: Point) -> Column:
        total = point.total
        mean, worst = total.mean_age, total.worst_age
        says = f"mean {wording.days(mean)} of {total.aged:,}, worst {wording.days(worst)}"
        up = () if mean is None else (Part("use", max(mean, 0) / times.DAY),)
        return Column(says, up, tick=None if worst is None else max(worst, 0) / times.DAY)

    return _chart("ages", "Age in days: mean; the worst as a line", slots, column)


def flows(slots: Sequence[Slot]) -> Chart:
    """Show what opened upwards, what closed downwards."""

    def column(point: Point) -> Column:
        total = point.total
        says = (
            f"{total.opened:,} opened, {total.first_seen:,} first seen, {total.closed:,} closed, "
            f"{total.gone:,} gone, {total.waived:,} waived"
        )
        # What no report could have shown before did not happen now: on the first point that is everything.
        up = (Part("late", total.opened), Part("unknown", 0 if point is first else total.first_seen))
        down = (Part("use", total.closed), Part("replaced", total.gone), Part("grace", total.waived))
        return Column(says, up, down)

    first = next((slot.point for slot in slots if slot.point is not None), None)
    return _chart("flows", "Failures opened (up) and closed (down)", slots, column)


def rotations(slots: Sequence[Slot]) -> Chart:
    """Show how long overdue values took to be replaced: the median, and the longest as a tick."""

    def column(point: Point) -> Column:
        total = point.total
        middle, longest = total.time_to_rotate, total.slowest_rotation
        if middle is None or longest is None:
            return Column("no overdue value was replaced")
        says = (
            f"{len(total.rotated):,} replaced, median {wording.days(middle)}, longest {wording.days(longest)}"
        )
        return Column(says, (Part("use", middle / times.DAY),), tick=longest / times.DAY)

    title = "Days to rotate: median; the longest as a line"
    return _chart("rotations", title, slots, column)


def coverage(slots: Sequence[Slot]) -> Chart:
    """Show the scopes: read to the end, empty, and not seen to the end."""

    def column(point: Point) -> Column:
        complete, empty = point.scopes.get("complete", 0), point.scopes.get("empty", 0)
        held = sum(hole.status == "empty" for hole in point.holes)
        unseen = len(point.holes)
        says = f"{complete:,} scopes read to the end, {empty:,} empty, {unseen:,} not seen completely"
        return Column(
            says if point.declared or point.holes else "scopes are not declared",
            (Part("use", complete), Part("replaced", empty - held), Part("unknown", unseen)),
        )

    return _chart("coverage", "Scopes asked for", slots, column)


def _chart(name: str, title: str, slots: Sequence[Slot], column: Callable[[Point], Column | None]) -> Chart:
    return Chart(name, title, tuple(None if slot.point is None else column(slot.point) for slot in slots))


def draw(chart: Chart, slots: Sequence[Slot], *, width: int = BROAD) -> str:
    """Draw a chart as SVG whose colours come from the page's style sheet."""
    ink = Ink(f"{chart.name}-{width}", "screen")
    highest = max([_reach(column, column.up) for column in chart.columns if column] + [0.0])
    lowest = max([sum(p.value for p in column.down) for column in chart.columns if column] + [0.0])
    scale = (_BASE - _TOP) / max(highest + lowest, 1e-9)
    middle = _BASE - lowest * scale
    step = (width - _LEFT - _RIGHT) / len(slots)
    parts = [ink.text(chart.title, (0, 13), size=12)]
    parts += [*_scales(ink, width, middle, highest, lowest), *_band(ink, slots, step)]
    for number, (column, slot) in enumerate(zip(chart.columns, slots, strict=True)):
        if slot.point is not None:
            place = (_LEFT + number * step, step)
            parts += _flag(ink, slot.point, place[0])
            if column is not None:
                parts += _column(ink, column, place, (middle, scale), _said(slot.point, column))
    parts += _ends(ink, slots, width)
    return ink.picture((width, _HEIGHT), chart.title, _description(chart, slots), parts)


def _reach(column: Column, parts: tuple[Part, ...]) -> float:
    return max(sum(part.value for part in parts), column.tick or 0)


def _said(point: Point, column: Column | None) -> str:
    torn = {"incomplete": "; not every scope was seen", "undeclared": "; scopes not declared"}
    changes = f"; {wording.changed(point)}" if point.changes else ""
    says = "not seen" if column is None else column.says
    return f"{times.format_date(point.as_of)}: {says}{torn.get(point.coverage, '')}{changes}"


def _scales(ink: Ink, width: int, middle: float, highest: float, lowest: float) -> list[str]:
    right = width - _RIGHT
    parts = [ink.text("0", (_LEFT - 5, middle + 3.5), size=10, anchor="end", role="muted")]
    for value, y in ((highest, _TOP), (lowest, _BASE)):
        if value:
            parts.append(ink.line("grid", (_LEFT, y), (right, y)))
            parts.append(ink.text(_amount(value), (_LEFT - 5, y + 3.5), size=10, anchor="end", role="muted"))
    parts.append(ink.line("axis", (_LEFT, middle), (right, middle)))
    return parts


def _amount(value: float) -> str:
    return f"{value:.1f}" if value < 10 and value != int(value) else f"{round(value):,}"


def _column(
    ink: Ink, column: Column, place: tuple[float, float], axis: tuple[float, float], says: str
) -> list[str]:
    (x, step), (middle, scale) = place, axis
    inset = step * 0.12 if step > 3 else 0
    parts, up, down = [], middle, middle
    for part in column.up:
        if part.value:
            height = max(part.value * scale, 1)
            up -= height
            parts.append(ink.box(part.role, (x + inset, up, step - 2 * inset, height), says))
    for part in column.down:
        if part.value:
            height = max(part.value * scale, 1)
            parts.append(ink.box(part.role, (x + inset, down, step - 2 * inset, height), says))
            down += height
    if column.tick:
        y = middle - column.tick * scale
        parts.append(ink.line("today", (x + inset, y), (x + step - inset, y)))
    return parts


def _band(ink: Ink, slots: Sequence[Slot], step: float) -> list[str]:
    """Draw below the columns how much was seen, one box for as long as that stays the same."""
    parts, start = [], 0
    for coverage, run in groupby(slot.point.coverage if slot.point else None for slot in slots):
        count = len(list(run))
        if coverage is not None:
            place = (_LEFT + start * step, _BASE + 4, count * step, _STRIP)
            parts.append(ink.box(_BAND[coverage], place, f"scopes: {coverage}"))
        start += count
    return parts


def _flag(ink: Ink, point: Point, x: float) -> list[str]:
    """Draw a flag where a point was judged by something else than the one before."""
    if not point.changes:
        return []
    cloth = [(x, _TOP - 14), (x + 7, _TOP - 10), (x, _TOP - 6)]
    says = f"{times.format_date(point.as_of)}: {wording.changed(point)}"
    return [
        ink.line("today", (x, _TOP - 12), (x, _BASE + 4 + _STRIP)),
        ink.shape("earlier", cloth, says),
    ]


def _ends(ink: Ink, slots: Sequence[Slot], width: int) -> list[str]:
    first, last = times.format_date(slots[0].start), times.format_date(slots[-1].start)
    y = _BASE + 4 + _STRIP + 15
    parts = [ink.text(first, (_LEFT, y), size=10, role="muted")]
    if len(slots) > 1:
        parts.append(ink.text(last, (width - _RIGHT, y), size=10, anchor="end", role="muted"))
    return parts


def _description(chart: Chart, slots: Sequence[Slot]) -> str:
    """Say the first and the last column; the table below the pictures has all of them."""
    said = [
        _said(slot.point, column)
        for column, slot in zip(chart.columns, slots, strict=True)
        if slot.point is not None
    ]
    gaps = sum(slot.point is None for slot in slots)
    ends = said if len(said) < 2 else [said[0], said[-1]]
    return "; ".join(ends) + (f"; {gaps:,} intervals without a report" if gaps else "")
