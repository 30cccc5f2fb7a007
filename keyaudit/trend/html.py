"""The trend as one page that fetches nothing and runs nothing: pictures, then the same in numbers.

It looks like the report's page because it has its style sheet; the security policy allows that
and no script at all.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment
from markupsafe import Markup

from keyaudit.formats.page import environment
from keyaudit.trend import pictures, wording
from keyaudit.trend.pictures import BROAD, NARROW, Chart
from keyaudit.trend.series import Figures, Group, Hole, Trend

MOST_GROUPS = 12
MOST_HOLES = 200
MOST_ROWS = 400
"""Rows of the table of points: the last ones, and the page says so."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart for a page and for a telephone."""

    broad: Markup
    narrow: Markup


@dataclass(frozen=True, slots=True)
class Unseen:
    """A scope that was not seen completely, how often, and when last."""

    hole: Hole
    count: int
    last: int


def render(trend: Trend) -> bytes:
    """Print the page as UTF-8; the same trend gives the same bytes."""
    style = "\n".join(
        (
            _asset("keyaudit.formats", "templates/html/style.css"),
            _asset("keyaudit.trend", "templates/trend.css"),
        )
    )
    last = trend.points[-1]
    groups = _groups(trend)
    page = _environment().get_template("trend.html")
    return page.render(
        trend=trend,
        policy=_security_policy(style),
        style=Markup(style),  # noqa: S704 - our own files
        last=last,
        tone="alarm" if last.total.overdue else "unsure" if last.holes else "calm",
        headline=wording.headline(trend),
        cautions=wording.caution(trend),
        rotations=wording.rotations(trend),
        span=wording.span(trend),
        overall=[_picture(chart, trend) for chart in _overall(trend)],
        groups=[(group, _picture(_of(trend, group, n), trend)) for n, group in enumerate(groups)],
        more_groups=len(trend.groups) - len(groups),
        figures=_last_figures(trend, groups),
        slots=trend.slots[-MOST_ROWS:],
        unseen=_unseen(trend),
        most_holes=MOST_HOLES,
        notes=wording.NOTES,
    ).encode()


def _overall(trend: Trend) -> tuple[Chart, ...]:
    slots = trend.slots
    return (
        pictures.overdue(slots, "overdue", "Overdue credentials", lambda point: point.total),
        pictures.flows(slots),
        pictures.ages(slots),
        pictures.rotations(slots),
        pictures.coverage(slots),
    )


def _of(trend: Trend, group: Group, number: int) -> Chart:
    title = f"Overdue: {wording.called(group)}"
    return pictures.overdue(trend.slots, f"group-{number}", title, pictures.of_group(group))


def _picture(chart: Chart, trend: Trend) -> Picture:
    broad, narrow = (pictures.draw(chart, trend.slots, width=width) for width in (BROAD, NARROW))
    return Picture(Markup(broad), Markup(narrow))  # noqa: S704 - escapes what it draws


def _groups(trend: Trend) -> list[Group]:
    """Choose the groups that had most overdue, in the order of their names."""

    def peak(group: Group) -> int:
        found = [point.groups[group] for point in trend.points if group in point.groups]
        return max(figures.overdue + figures.overdue_unseen for figures in found)

    worst = sorted(trend.groups, key=lambda group: -peak(group))[:MOST_GROUPS]
    return sorted(worst, key=trend.groups.index)


def _last_figures(trend: Trend, groups: list[Group]) -> list[tuple[Group, Figures | None]]:
    last = trend.points[-1]
    return [(group, last.groups.get(group)) for group in groups]


def _unseen(trend: Trend) -> list[Unseen]:
    found: dict[Hole, Unseen] = {}
    for point in trend.points:
        for hole in point.holes:
            before = found[hole].count if hole in found else 0
            found[hole] = Unseen(hole, before + 1, point.as_of)
    return sorted(
        found.values(), key=lambda u: (-u.last, -u.count, u.hole.source, u.hole.scope, u.hole.status)
    )


def _environment() -> Environment:
    opened = environment("keyaudit.trend", "templates")
    opened.filters |= {
        "days": wording.days,
        "called": wording.called,
        "changed": wording.changed,
    }
    return opened


def _security_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _asset(package: str, name: str) -> str:
    return files(package).joinpath(*name.split("/")).read_text("utf-8")
