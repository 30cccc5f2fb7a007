"""The rotation ledger as a picture: the audited period, and what became of every due date in it.

On top, how many due dates each month had. Below, each credential has a broad lane for the value in
use and a narrow one for values that were replaced and could still be used, as in the rotation
timeline. A diamond is a due date: hollow where it was met, full where it was not, hatched where nobody
knows; a line above the lane joins an early rotation to the date that it met. Hatched is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from keyaudit import times
from keyaudit.formats import ledger_text
from keyaudit.formats.ledger_lives import stretches
from keyaudit.formats.ledger_view import LedgerView, Month
from keyaudit.formats.picture_axis import NARROW, TOP, WIDE, Axis, calendar, labels_end_at
from keyaudit.formats.picture_ink import Ink, Theme, shortened, words
from keyaudit.formats.picture_lives import Segment
from keyaudit.model import LedgerEntry, LedgerResult, LedgerRow, Operation, PolicyPart

MOST_ROWS = 60

_STRIP = 74
"""Pixels between the calendar and the first credential: the due dates by month."""
_TALLEST = 38
_LEGEND = (
    ("box", "replaced", "a value, until it was replaced"),
    ("box", "use", "in use when the period ended"),
    ("box", "was-late", "out of policy, then replaced"),
    ("box", "late", "out of policy to the end"),
    ("box", "grace", "replaced, usable within grace"),
    ("box", "old-active", "replaced, usable past grace"),
    ("box", "unknown", "not known"),
    ("line", "policy", "another policy from here on"),
    ("diamond", "due", "due date that was met"),
    ("diamond", "late", "due date that was not"),
    ("diamond", "unknown", "due date, not known whether met"),
    ("line", "early", "from an early rotation to its date"),
)
_DIAMONDS = {
    LedgerResult.ON_TIME: "due",
    LedgerResult.LATE: "late",
    LedgerResult.OVERDUE: "late",
    LedgerResult.UNKNOWN: "unknown",
}


def ledger_picture(
    found: LedgerView,
    period: tuple[int, int],
    policies: Sequence[PolicyPart] = (),
    *,
    limit: int = MOST_ROWS,
    theme: Theme = "screen",
    narrow: bool = False,
    name: str = "ledger",
) -> str:
    """Draw the worst `limit` credentials of a ledger, worst first, and say how many are left out."""
    rows, layout = found.first(limit), NARROW if narrow else WIDE
    axis, ink = Axis(period[0], max(period[1], period[0] + 1), layout), Ink(name, theme)
    top = TOP + _STRIP
    bottom = top + layout.row * len(rows)
    parts = [labels_end_at(ink, layout, bottom), *calendar(ink, axis, bottom)]
    parts += _heading(ink, axis, period)
    parts += _months(ink, axis, found.months)
    for n, row in enumerate(rows):
        parts += _row(ink, axis, row, top + layout.row * n)
    parts += _policies(ink, axis, policies[1:], len(rows))
    bottom += 18
    if (left := found.credentials - len(rows)) > 0:
        note = f"and {left:,} more that are no worse: see the ledger"
        parts.append(ink.text(note, (0, bottom), size=11, role="muted"))
        bottom += 22
    parts += _legend(ink, axis, bottom)
    height = bottom + 18 * -(-len(_LEGEND) // layout.legend_columns)
    title = f"Rotation ledger: what became of every due date, {ledger_text.span(*period)}"
    return ink.picture((layout.canvas, height), title, _said(rows, found.months), parts)


def _said(rows: Sequence[LedgerRow], months: Sequence[Month]) -> str:
    due = "; ".join(
        f"{month.label}: {month.met:,} met, {month.late:,} not met, {month.open:,} not known"
        for month in months
        if month.met or month.late or month.open
    )
    each = " ".join(f"{shortened(row.name, 60)}: {ledger_text.standing(row)}." for row in rows)
    return f"Due dates by month: {due or 'none'}. {len(rows):,} credentials, worst first. {each}"


def _heading(ink: Ink, axis: Axis, period: tuple[int, int]) -> Iterator[str]:
    yield ink.text(f"period {ledger_text.span(*period)}", (0, 12), size=10.5)
    if axis.layout is WIDE:
        yield ink.text("Due dates by month", (0, TOP + _STRIP - 26), size=11)
        yield ink.text("those that were not met on top", (0, TOP + _STRIP - 12), size=9.5, role="muted")


def _months(ink: Ink, axis: Axis, months: Sequence[Month]) -> Iterator[str]:
    """Stand the months' due dates on a line, each as broad as its month."""
    base = TOP + _STRIP - 6
    tallest = max([month.met + month.late + month.open for month in months] + [1])
    yield ink.line("axis", (axis.layout.left, base), (axis.layout.left + axis.layout.width, base))
    for month in months:
        x1, x2 = (axis.x(instant) for instant in month.span)
        total, y = month.met + month.late + month.open, float(base)
        body = (x1 + (x2 - x1) * 0.2, (x2 - x1) * 0.6)
        for role, count in (("use", month.met), ("unknown", month.open), ("late", month.late)):
            height = max(_TALLEST * count / tallest, 1.5 if count else 0)
            y -= height
            if count:
                words_ = {"use": "met", "unknown": "not known", "late": "not met"}[role]
                yield ink.box(role, (body[0], y, body[1], height), f"{month.label}: {count:,} {words_}")
        if total and x2 - x1 > 12:
            label, role = (f"{month.late:,}/{total:,}", "alarm") if month.late else (f"{total:,}", "muted")
            yield ink.text(label, ((x1 + x2) / 2, y - 4), size=9.5, role=role, anchor="middle")


def _row(ink: Ink, axis: Axis, row: LedgerRow, y: int) -> list[str]:
    layout = axis.layout
    text = ink.text(shortened(row.name, layout.label_letters), (0, y + layout.baseline), size=11)
    parts = [
        f'<g clip-path="url(#{ink.name}-labels)">{text}</g>',
        ink.line("grid", (0, y + layout.row), (layout.canvas, y + layout.row)),
    ]
    period = (axis.start, axis.end)
    parts += [_stretch(ink, axis, part, y) for part in stretches(row, period)]
    for entry in row.entries:
        parts += _due(ink, axis, entry, y)
    said, bad = standing(row)
    x, anchor = layout.status
    role = "alarm" if bad else "muted"
    parts.append(ink.text(said, (x, y + layout.baseline), size=10.5, role=role, anchor=anchor))
    place = f"{row.environment or 'environment not known'}, {row.source} {row.scope}"
    return [f"<g><title>{words(f'{row.name} ({place})')}</title>", *parts, "</g>"]


def standing(row: LedgerRow) -> tuple[str, bool]:
    """Say in a few words how a credential's due dates fared, and whether that is bad."""
    if row.operation is Operation.EXCEPTION:
        late = f"{row.late:,} of {row.due:,} late" if row.due else f"{row.late:,} late"
        return late, True
    if row.operation is Operation.UNKNOWN:
        if row.open:
            return f"{row.open:,} of {row.due:,} not known", False
        return (f"{row.met:,} met, rest not known" if row.met else "not known"), False
    if row.operation is Operation.OPERATED:
        return f"{row.met:,} of {row.due:,} met", False
    return ("not required" if row.operation is Operation.NOT_REQUIRED else "nothing fell due"), False


def _stretch(ink: Ink, axis: Axis, part: Segment, y: int) -> str:
    x1, x2 = axis.x(axis.start if part.start is None else part.start), axis.x(part.end)
    lane = y + axis.layout.lane
    top, height = (lane, 10) if part.broad else (lane + 12, 5)
    return ink.box(part.role, (x1, top, max(x2 - x1, 1), height), part.says)


def _due(ink: Ink, axis: Axis, entry: LedgerEntry, y: int) -> Iterator[str]:
    due = entry.due_at
    if due is None or not axis.start <= due <= axis.end or entry.result not in _DIAMONDS:
        return
    lane, x = y + axis.layout.lane, axis.x(due)
    if entry.result is LedgerResult.ON_TIME and entry.replaced_to is not None:
        yield ink.line("early", (axis.x(entry.replaced_to), lane - 2), (x, lane - 2))
    says = f"{entry.version} due {times.format_date(due)}: {ledger_text.lateness(entry)}"
    yield _diamond(ink, _DIAMONDS[entry.result], (x, lane + 5), says)


def _diamond(ink: Ink, role: str, at: tuple[float, float], says: str = "") -> str:
    x, y = at
    return ink.shape(role, [(x, y - 5), (x + 4, y), (x, y + 5), (x - 4, y)], says)


def _policies(ink: Ink, axis: Axis, later: Sequence[PolicyPart], rows: int) -> Iterator[str]:
    """Draw a line where another policy begins, around the names, and date it where there is room."""
    layout, taken = axis.layout, 180.0
    tops = [TOP + _STRIP + n * layout.row for n in range(rows)]
    for part in later:
        x = axis.x(part.starts)
        yield ink.line("policy", (x, TOP - 8), (x, TOP + _STRIP))
        for top in tops:
            yield ink.line("policy", (x, top + layout.today_from), (x, top + layout.row))
        middle = min(x, layout.canvas - 66)
        if middle - 66 > taken:
            said = f"policy of {times.format_date(part.starts)}"
            yield ink.text(said, (middle, 12), size=10.5, role="muted", anchor="middle")
            taken = middle + 66


def _legend(ink: Ink, axis: Axis, y: float) -> Iterator[str]:
    columns = axis.layout.legend_columns
    for n, (kind, role, meaning) in enumerate(_LEGEND):
        x, line = 4 + n % columns * 238, y + n // columns * 18
        if kind == "box":
            yield ink.box(role, (x, line - 8, 18, 9))
        elif kind == "diamond":
            yield _diamond(ink, role, (x + 9, line - 4))
        else:
            upright = role == "policy"
            ends = ((x + 9, line - 10), (x + 9, line + 2)) if upright else ((x, line - 4), (x + 18, line - 4))
            yield ink.line(role, *ends)
        yield ink.text(meaning, (x + 24, line), size=10.5, role="muted")
