"""The rotation timeline: what each value's life was, against what was required of it.

Every credential has a broad lane for the value in use and a narrow one below it for values that
were replaced and could still be used. What is not known is hatched, never left white.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import nsmallest

from keyaudit import times
from keyaudit.formats.picture_axis import NARROW, TOP, WIDE, Axis, Layout, calendar, labels_end_at
from keyaudit.formats.picture_ink import Ink, Theme, shortened, words
from keyaudit.formats.picture_lives import Segment, segments
from keyaudit.model import PopulationRow, Severity, Verdict

MOST_ROWS = 60

_FURTHEST = 10 * 366 * times.DAY
_FIRST_INSTANT = times.parse_instant("0001-01-01T00:00:00Z")
_LAST_INSTANT = times.parse_instant("9999-12-31T23:59:59Z")
_VERDICTS = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED, Verdict.PASS, Verdict.NOT_APPLICABLE)
_LEGENDS = (
    ("use", "in use, within its period"),
    ("late", "in use, overdue"),
    ("replaced", "replaced value"),
    ("was-late", "replaced after its period"),
    ("grace", "old value usable, within grace"),
    ("old-active", "old value usable past grace"),
    ("unknown", "not known"),
    ("gap", "no value in use"),
)


def worst_first(population: Iterable[PopulationRow], as_of: int, limit: int) -> list[PopulationRow]:
    """Choose the rows that are shown: worst verdict, severity, longest overdue, then source, scope, id."""
    return nsmallest(limit, population, key=lambda row: _badness(row, as_of))


def _badness(row: PopulationRow, as_of: int) -> tuple[int, int, int, str, str, str]:
    severity = len(Severity) if row.severity is None else row.severity.rank
    late = 0 if row.due_at is None else min(0, row.due_at - as_of)
    return _VERDICTS.index(row.worst), severity, late, row.source, row.scope, row.id


def axis_of(rows: Sequence[PopulationRow], as_of: int, layout: Layout = WIDE) -> Axis:
    """Fit the axis: back to the oldest value shown, at most three periods; ahead 30 to 90 days."""
    period = max([row.rotation_period or 0 for row in rows] + [60 * times.DAY])
    known = [bar.created_at for row in rows for bar in row.versions if bar.created_at is not None]
    known += [as_of - row.age_min for row in rows if row.age_min is not None]
    furthest = min(max(3 * period, 180 * times.DAY), _FURTHEST)
    start = max(min([*known, as_of - 60 * times.DAY]), as_of - furthest, _FIRST_INSTANT)
    ahead = max([row.due_at - as_of for row in rows if row.due_at is not None] + [0])
    return Axis(start, min(as_of + min(max(ahead, 30 * times.DAY), 90 * times.DAY), _LAST_INSTANT), layout)


def timeline_picture(
    population: Sequence[PopulationRow],
    as_of: int,
    *,
    limit: int = MOST_ROWS,
    theme: Theme = "screen",
    narrow: bool = False,
    name: str = "timeline",
) -> str:
    """Draw the worst `limit` credentials of a population, worst first, and say how many are left out."""
    rows = worst_first(population, as_of, limit)
    layout = NARROW if narrow else WIDE
    axis, ink = axis_of(rows, as_of, layout), Ink(name, theme)
    bottom = TOP + layout.row * len(rows)
    parts = [labels_end_at(ink, layout, bottom), *calendar(ink, axis, bottom)]
    for n, row in enumerate(rows):
        parts += _row(ink, axis, row, as_of, TOP + layout.row * n)
    parts += _today(ink, axis, as_of, len(rows))
    bottom += 18
    if len(population) > len(rows):
        note = f"and {len(population) - len(rows):,} more that are no worse: see the population"
        parts.append(ink.text(note, (0, bottom), size=11, role="muted"))
        bottom += 22
    legend = _legend(ink, layout, bottom)
    parts += legend.values()
    title = "Rotation timeline: the values of each credential over time"
    said = f"{len(rows):,} credentials, worst first. " + " ".join(
        f"{shortened(row.name, 60)}: {standing(row, as_of)[0]}." for row in rows
    )
    return ink.picture(
        (layout.canvas, bottom + 18 * -(-len(legend) // layout.legend_columns)), title, said, parts
    )


def standing(row: PopulationRow, as_of: int) -> tuple[str, bool]:
    """Say in a few words how a credential stands, and whether that is bad."""
    active = any(segment.role == "old-active" and segment.end == as_of for segment in segments(row, as_of))
    if row.rotation_period is None:
        return ("old value active", True) if active else ("no period", False)
    low, high = row.age_min, row.age_max
    if low is not None and low > row.rotation_period:
        late = ("" if low == high else "≥ ") + times.describe_duration(low - row.rotation_period)
        return (f"waived, {late} late", False) if row.worst is Verdict.WAIVED else (f"{late} overdue", True)
    if active:
        return "old value active", True
    if high is not None and high <= row.rotation_period:
        early, left = "" if low == high else "≥ ", row.rotation_period - high
        due = f"due in {early}{times.describe_duration(left)}" if left else "due now"
        grave = row.worst is Verdict.FAIL and row.severity in {Severity.CRITICAL, Severity.HIGH}
        return (f"{row.severity}, {due}", True) if grave else (due, False)
    return "age not known", False


def _row(ink: Ink, axis: Axis, row: PopulationRow, as_of: int, y: int) -> list[str]:
    place = f"{row.environment or 'environment not known'}, {row.source} {row.scope}"
    layout = axis.layout
    text = ink.text(shortened(row.name, layout.label_letters), (0, y + layout.baseline), size=11)
    parts = [
        f'<g clip-path="url(#{ink.name}-labels)">{text}</g>',
        ink.line("grid", (0, y + layout.row), (layout.canvas, y + layout.row)),
    ]
    parts += [_segment(ink, axis, segment, y) for segment in segments(row, as_of) if segment.end > axis.start]
    if row.due_at is not None and as_of <= row.due_at <= axis.end:
        x, middle = axis.x(row.due_at), y + layout.lane + 5
        diamond = [(x, middle - 5), (x + 4, middle), (x, middle + 5), (x - 4, middle)]
        parts.append(ink.shape("due", diamond, f"due {times.format_date(row.due_at)}"))
    said, bad = standing(row, as_of)
    x, anchor = layout.status
    role = "alarm" if bad else "muted"
    parts.append(ink.text(said, (x, y + layout.baseline), size=10.5, role=role, anchor=anchor))
    return [f"<g><title>{words(f'{row.name} ({place})')}</title>", *parts, "</g>"]


def _segment(ink: Ink, axis: Axis, segment: Segment, y: int) -> str:
    begin = axis.start if segment.start is None else segment.start
    x1, x2 = axis.x(begin), axis.x(segment.end)
    lane, left = y + axis.layout.lane, axis.layout.left
    top, height = (lane, 10) if segment.broad else (lane + 12, 5)
    shape = ink.box(segment.role, (x1, top, max(x2 - x1, 1), height), segment.says)
    if segment.broad and begin < axis.start:
        middle = top + height / 2
        shape += ink.shape("earlier", [(left - 6, middle), (left - 1, middle - 4), (left - 1, middle + 4)])
    return shape


def _today(ink: Ink, axis: Axis, as_of: int, rows: int) -> list[str]:
    x, layout = axis.x(as_of), axis.layout
    middle = min(x, layout.canvas - 52)
    tops = [TOP + n * layout.row for n in range(rows)]
    return [
        ink.line("today", (x, TOP - 8), (x, TOP)),
        *(ink.line("today", (x, top + layout.today_from), (x, top + layout.row)) for top in tops),
        ink.text(f"as of {times.format_date(as_of)}", (middle, 12), size=10.5, anchor="middle"),
    ]


def _legend(ink: Ink, layout: Layout, y: float) -> dict[str, str]:
    parts = {}
    for n, (role, meaning) in enumerate(_LEGENDS):
        x, line = 4 + n % layout.legend_columns * 238, y + n // layout.legend_columns * 18
        swatch = ink.box(role, (x, line - 8, 18, 9))
        parts[role] = swatch + ink.text(meaning, (x + 24, line), size=10.5, role="muted")
    return parts
