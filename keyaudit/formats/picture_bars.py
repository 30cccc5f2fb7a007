"""Two pictures of the population in columns: how much of its period is used, and what falls due when."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from keyaudit import times
from keyaudit.formats.picture_ink import Ink, Theme
from keyaudit.model import PopulationRow

WEEKS = 13

_WIDTH, _HEIGHT = 400, 206
_LEFT, _TOP, _BASE = 8, 34, 186
_TALLEST = 1.18  # a column that is no week may be this much taller than the tallest week
_DAY_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `role` is its look, `aside` stands apart and may be cut, `below` is written under it."""

    label: str
    count: int
    role: str
    below: str
    aside: bool = False


_SHARES: tuple[tuple[int, str], ...] = (
    (25, "0–25"),
    (50, "25–50"),
    (75, "50–75"),
    (100, "75–100"),
    (150, "100–150"),
    (200, "150–200"),
)


def age_columns(population: Iterable[PopulationRow]) -> tuple[Column, ...]:
    """Count credentials by the share of their rotation period that the value in use has lived.

    A share on a limit belongs below it: a value is overdue when it is older than its period. An
    age known only between bounds counts where both ends agree, on time or overdue; otherwise it
    is unknown.
    """
    counts = dict.fromkeys([label for _, label in _SHARES] + ["> 200", "unknown", "no period"], 0)
    for row in population:
        counts[_share(row)] += 1
    in_time = {label for limit, label in _SHARES if limit <= 100}
    named = [
        Column(
            f"{label} % of the period", counts[label], "use" if label in in_time else "late", _short(label)
        )
        for label in [label for _, label in _SHARES] + ["> 200"]
    ]
    return (
        *named,
        Column("age not known well enough", counts["unknown"], "unknown", "unknown", aside=True),
        Column("no period applies", counts["no period"], "replaced", "no period", aside=True),
    )


def _short(label: str) -> str:
    """Name a share by its limit, which is inside it."""
    return label if label.startswith(">") else f"≤ {label.partition('–')[2]}"


def _share(row: PopulationRow) -> str:
    period = row.rotation_period
    if period is None:
        return "no period"
    low, high = row.age_min, row.age_max
    if low is not None and (low == high or low > period):
        return _bucket(low, period)
    if high is not None and high <= period:
        return _bucket(high, period)
    return "unknown"


def _bucket(age: int, period: int) -> str:
    return next((label for limit, label in _SHARES if age * 100 <= limit * period), "> 200")


def due_columns(population: Iterable[PopulationRow], as_of: int) -> tuple[Column, ...]:
    """Count credentials by when they fall due: overdue, each of the next 13 weeks, later, unknown.

    A week is seven times 24 hours from `as_of`; what is due at `as_of` exactly is in the first.
    Credentials without a period have no due date and are left out.
    """
    weeks, overdue, later, unknown = [0] * WEEKS, 0, 0, 0
    for row in population:
        if row.due_at is None:
            unknown += row.rotation_period is not None
        elif row.due_at < as_of:
            overdue += 1
        elif (week := (row.due_at - as_of) // times.WEEK) < WEEKS:
            weeks[week] += 1
        else:
            later += 1
    named = [_week(n, count, as_of) for n, count in enumerate(weeks)]
    return (
        Column("overdue", overdue, "late", "overdue", aside=True),
        *named,
        Column("later than 13 weeks", later, "replaced", "later", aside=True),
        Column("due date not known", unknown, "unknown", "unknown", aside=True),
    )


def _week(n: int, count: int, as_of: int) -> Column:
    day = times.format_date(as_of + n * times.WEEK)
    shown = f"{int(day[8:])} {_DAY_NAMES[int(day[5:7]) - 1]}" if n % 3 == 0 else ""
    return Column(f"7 days from {day}", count, "use", shown)


def age_picture(population: Iterable[PopulationRow], *, theme: Theme = "screen", name: str = "age") -> str:
    """Draw the age of every value against its period, as a distribution."""
    columns = age_columns(population)
    title = "Age of the value in use, as a share of its rotation period (%)"
    widths = [41] * 7 + [48, 52]
    return _draw(Ink(name, theme), title, columns, widths)


def due_picture(
    population: Iterable[PopulationRow], as_of: int, *, theme: Theme = "screen", name: str = "due"
) -> str:
    """Draw what falls due by week."""
    columns = due_columns(population, as_of)
    widths = [52] + [19] * WEEKS + [42, 48]
    return _draw(Ink(name, theme), "Credentials falling due, by week from the as-of time", columns, widths)


def _draw(ink: Ink, title: str, columns: Sequence[Column], widths: Sequence[int]) -> str:
    tallest = max([column.count for column in columns if not column.aside] + [1])
    if not any(column.count for column in columns if not column.aside):
        tallest = max([column.count for column in columns] + [1])
    parts = [ink.text(title, (_LEFT, 14), size=12)]
    x = float(_LEFT)
    for column, width in zip(columns, widths, strict=True):
        parts += _column(ink, column, (x, width), tallest)
        x += width
    parts.append(ink.line("axis", (_LEFT, _BASE), (x, _BASE)))
    said = "; ".join(f"{column.label}: {column.count:,}" for column in columns if column.count)
    return ink.picture((_WIDTH, _HEIGHT), title, said or "There are no credentials.", parts)


def _column(ink: Ink, column: Column, place: tuple[float, float], tallest: int) -> list[str]:
    x, width = place
    middle, share = x + width / 2, column.count / tallest
    height = (_BASE - _TOP - 14) / _TALLEST * min(share, _TALLEST)
    if column.count:
        height = max(height, 1.5)
    top = _BASE - height
    parts = []
    if column.count:
        body = (x + width * 0.12, top, width * 0.76, height)
        parts.append(ink.box(column.role, body, f"{column.label}: {column.count:,}"))
        role = "alarm" if column.role == "late" else "text"
        parts.append(ink.text(f"{column.count:,}", (middle, top - 4), size=10.5, anchor="middle", role=role))
    if share > _TALLEST:
        parts.append(_cut(ink, x + width * 0.12, width * 0.76, top + 12))
    if column.below:
        parts.append(ink.text(column.below, (middle, _BASE + 14), size=9.5, anchor="middle", role="muted"))
    return parts


def _cut(ink: Ink, x: float, width: float, y: float) -> str:
    """Break a column that is taller than the picture."""
    return ink.shape("paper", [(x - 1, y + 3), (x + width + 1, y - 3), (x + width + 1, y), (x - 1, y + 6)])
