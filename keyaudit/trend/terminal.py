"""The trend for a terminal: a line of bars for each figure, then the last points as numbers.

Plain text unless colour is asked for. Everything fits `width` columns, however long the history.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

from keyaudit import times
from keyaudit.formats.visible import visible
from keyaudit.formats.wording import plural
from keyaudit.trend import wording
from keyaudit.trend.series import Figures, Group, Hole, Point, Trend
from keyaudit.trend.sparks import ASCII, line, marks, per_character

NARROWEST = 60
MOST_GROUPS, MOST_POINTS, MOST_HOLES = 12, 12, 10
_LABEL = 20
_NUMBERS = 24
_TABLE = (
    ("as of", 10, 0),
    ("overdue", 9, 0),
    ("unseen", 8, 0),
    ("opened", 8, 0),
    ("closed", 8, 0),
    ("gone", 6, 74),
    ("waived", 8, 105),
    ("mean age", 10, 80),
    ("worst age", 11, 95),
    ("to rotate", 11, 100),
    ("scopes", 12, 0),
    ("changed", 20, 130),
)
"""The table's columns: heading, width, and from how wide a terminal on they are shown."""

_TEXTS = ("as of", "scopes", "changed")

Value = Callable[[Figures], int | None]


def render(trend: Trend, *, width: int = 80, colour: bool = False, ascii_only: bool = False) -> bytes:
    """Lay the trend out; `colour` adds ANSI colours, `ascii_only` escapes whatever is not ASCII."""
    width = max(width, NARROWEST)
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={},
    )
    _opening(console, trend)
    each = per_character(len(trend.slots), width - _LABEL - _NUMBERS - 4)
    _heading(console, f"{'':{_LABEL}}{_axis(trend, each)}")
    for text in _lines(trend, each):
        console.print(text, no_wrap=True, overflow="crop", crop=True)
    _points(console, trend, width)
    _holes(console, trend)
    _notes(console, trend)
    plain = "".join(f"{row.rstrip()}\n" for row in out.getvalue().splitlines())
    return plain.translate(ASCII).encode("ascii", "backslashreplace") if ascii_only else plain.encode()


def _opening(console: Console, trend: Trend) -> None:
    reports = plural(len(trend.reports), "report")
    about = f"keyaudit {trend.version} · trend of {reports} · {wording.span(trend)}"
    console.print(Text(about, style="dim"))
    console.print()
    last = trend.points[-1]
    style = "bold red" if last.total.overdue else "bold yellow" if last.holes else "bold green"
    console.print(Text(wording.headline(trend), style=style))
    for said in wording.caution(trend):
        console.print(Text(said, style="yellow"))


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"), no_wrap=True, crop=True)


def _axis(trend: Trend, each: int) -> str:
    """Name the ends, if there is room."""
    long = -(-len(trend.slots) // each)
    first, last = times.format_date(trend.slots[0].start), times.format_date(trend.slots[-1].start)
    ends = f"{first}{last:>{long - len(first)}}" if long >= len(first) + len(last) + 1 else first
    return f"{ends:<{long}}  {'first':>6}{'most':>8}{'last':>8}"


def _lines(trend: Trend, each: int) -> Iterator[Text]:
    yield Text(f"overdue by {trend.by}")
    groups = sorted(trend.groups, key=lambda group: -_peak(trend, group))
    for group in sorted(groups[:MOST_GROUPS], key=trend.groups.index):
        values = [_overdue(slot.point, group) for slot in trend.slots]
        yield _line(f"  {wording.called(group)}", values, each)
    if len(groups) > MOST_GROUPS:
        yield Text(f"  … and {len(groups) - MOST_GROUPS:,} more (see --format csv)")
    yield _line("overdue, all", _totals(trend, lambda f: f.overdue), each)
    yield _line("  and not seen", _totals(trend, lambda f: f.overdue_unseen), each)
    yield _line("failures", _totals(trend, lambda f: f.failing), each)
    yield _line("  opened", _totals(trend, lambda f: f.opened), each, add=True)
    yield _line("  closed or gone", _totals(trend, lambda f: f.closed + f.gone), each, add=True)
    yield _line("mean age, days", _totals(trend, lambda f: _days(f.mean_age)), each)
    yield _line("worst age, days", _totals(trend, lambda f: _days(f.worst_age)), each)
    yield _line("days to rotate", _totals(trend, lambda f: _days(f.time_to_rotate)), each)
    torn = marks([_mark(slot.point) for slot in trend.slots], each)
    yield Text(f"{'scopes':{_LABEL}}{torn}")
    if any(point.changes for point in trend.points):
        changes = marks(["P" if slot.point and slot.point.changes else " " for slot in trend.slots], each)
        yield Text(f"{'judged by':{_LABEL}}{changes}")
    yield Text(f"{'':{_LABEL}}! not all seen  ? undeclared  x no report  P judged anew", "dim")
    if each > 1:
        yield Text(
            f"{'':{_LABEL}}one character is {each} {trend.interval}s: their highest, or their sum", "dim"
        )


def _mark(point: Point | None) -> str:
    return "x" if point is None else {"incomplete": "!", "undeclared": "?"}.get(point.coverage, " ")


def _line(label: str, values: list[int | None], each: int, *, add: bool = False) -> Text:
    known = [value for value in values if value is not None]
    shown = label if len(label) < _LABEL else f"{label[: _LABEL - 2]}…"
    if not known:
        return Text(f"{shown:{_LABEL}}{line(values, each, add=add)}  not known")
    numbers = f"{known[0]:>6,}{max(known):>8,}{known[-1]:>8,}"
    return Text(f"{shown:{_LABEL}}{line(values, each, add=add)}  {numbers}")


def _totals(trend: Trend, value: Value) -> list[int | None]:
    return [None if slot.point is None else value(slot.point.total) for slot in trend.slots]


def _overdue(point: Point | None, group: Group) -> int | None:
    """Give what a group has overdue; of one that is not there, nothing, or with scopes unseen not known."""
    if point is None:
        return None
    figures = point.groups.get(group)
    if figures is None:
        return None if point.holes else 0
    return figures.overdue


def _peak(trend: Trend, group: Group) -> int:
    found = [point.groups[group] for point in trend.points if group in point.groups]
    return max((figures.overdue + figures.overdue_unseen for figures in found), default=0)


def _days(duration: int | None) -> int | None:
    return None if duration is None else duration // times.DAY


def _points(console: Console, trend: Trend, width: int) -> None:
    shown = [(heading, wide) for heading, wide, least in _TABLE if width >= least]
    _heading(console, "".join(_cell(heading, heading, wide) for heading, wide in shown).rstrip())
    slots = trend.slots[-MOST_POINTS:]
    for slot in slots:
        if slot.point is None:
            console.print(f"{times.format_date(slot.start)}  no report")
            continue
        cells = _cells(slot.point)
        row = "".join(_cell(heading, cells[heading], wide) for heading, wide in shown)
        console.print(Text(row, style="yellow" if slot.point.holes else ""), no_wrap=True, crop=True)
    if len(trend.slots) > len(slots):
        console.print(f"… and {len(trend.slots) - len(slots):,} before (see --format csv)")


def _cell(heading: str, text: str, wide: int) -> str:
    return (
        f"{text:<{wide}}"
        if heading == "as of"
        else f"  {text:<{wide}}"
        if heading in _TEXTS
        else f"{text:>{wide}}"
    )


def _cells(point: Point) -> dict[str, str]:
    total = point.total
    return {
        "as of": times.format_date(point.as_of),
        "overdue": f"{total.overdue:,}",
        "unseen": f"{total.overdue_unseen:,}" if total.overdue_unseen else "–",
        "opened": f"{total.opened:,}",
        "closed": f"{total.closed:,}",
        "gone": f"{total.gone:,}",
        "waived": f"{total.waived:,}",
        "mean age": wording.days(total.mean_age),
        "worst age": wording.days(total.worst_age),
        "to rotate": wording.days(total.time_to_rotate),
        "scopes": point.coverage,
        "changed": ", ".join(point.changes),
    }


def _holes(console: Console, trend: Trend) -> None:
    found: dict[Hole, int] = {}
    for point in trend.points:
        for hole in point.holes:
            found[hole] = found.get(hole, 0) + 1
    if not found:
        return
    _heading(console, "Not seen")
    worst = sorted(found.items(), key=lambda item: (-item[1], item[0].source, item[0].scope, item[0].status))
    for hole, count in worst[:MOST_HOLES]:
        place = f"{visible(hole.source)} {visible(hole.scope)}"
        console.print(f"  {place}: {hole.status} at {plural(count, 'point')}")
    if len(worst) > MOST_HOLES:
        console.print(f"  … and {len(worst) - MOST_HOLES:,} more (see --format json)")


def _notes(console: Console, trend: Trend) -> None:
    _heading(console, "What the figures are")
    if said := wording.rotations(trend):
        console.print(f"  {said}")
    last = trend.points[-1].total
    console.print(f"  Ages known exactly: {last.aged:,} of {plural(last.credentials, 'credential')}.")
    for what, says in wording.NOTES[:2]:
        console.print(f"  {what}: {says}.")
    console.print("  --format html has the rest.")
