"""The trend as `keyaudit/trend/1`: instants in RFC 3339, durations as `121d4h`, null is not known.

`slots` follow each other in time; one whose `point` is null has no report. `groups` of a point
hold only those that it says anything about; a group of null is "no value known".
"""

from __future__ import annotations

from typing import Any

import msgspec

from keyaudit import times
from keyaudit.trend.series import Figures, Group, Point, Slot, Trend
from keyaudit.trend.wording import NOTES

SCHEMA = "keyaudit/trend/1"


def render(trend: Trend) -> bytes:
    """Print the document, indented by 2, with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(to_document(trend)), indent=2) + b"\n"


def to_document(trend: Trend) -> dict[str, Any]:
    """Turn a trend into plain data, keys in the order of the contract."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "keyaudit", "version": trend.version},
        "by": trend.by,
        "interval": trend.interval,
        "groups": list(trend.groups),
        "slots": [_slot(slot) for slot in trend.slots],
        "reports": _reports(trend.reports),
        "left_out": _reports(trend.left_out),
        "notes": [{"what": what, "says": says} for what, says in NOTES],
    }


def _reports(reports: tuple[tuple[int, str], ...]) -> list[dict[str, str]]:
    return [{"as_of": times.format_instant(as_of), "sha256": digest} for as_of, digest in reports]


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "from": times.format_instant(slot.start),
        "to": times.format_instant(slot.end),
        "point": None if slot.point is None else _point(slot.point),
    }


def _point(point: Point) -> dict[str, Any]:
    return {
        "as_of": times.format_instant(point.as_of),
        "reports": point.reports,
        "coverage": point.coverage,
        "scopes": {status: point.scopes[status] for status in sorted(point.scopes)},
        "not_seen": [{"source": h.source, "scope": h.scope, "status": h.status} for h in point.holes],
        "policy": {"name": point.policy, "sha256": point.policy_sha256},
        "changed": list(point.changes),
        "total": _figures(point.total),
        "groups": [{"group": group, **_figures(point.groups[group])} for group in _ordered(point)],
    }


def _ordered(point: Point) -> list[Group]:
    return sorted(point.groups, key=lambda group: (group is None, group or ""))


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "credentials": figures.credentials,
        "overdue": figures.overdue,
        "overdue_unseen": figures.overdue_unseen,
        "failing": figures.failing,
        "failing_unseen": figures.failing_unseen,
        "opened": figures.opened,
        "first_seen": figures.first_seen,
        "closed": figures.closed,
        "gone": figures.gone,
        "waived": figures.waived,
        "aged": figures.aged,
        "mean_age": _duration(figures.mean_age),
        "worst_age": _duration(figures.worst_age),
        "rotated": len(figures.rotated),
        "rotated_later": figures.rotated_later,
        "time_to_rotate": _duration(figures.time_to_rotate),
        "slowest_rotation": _duration(figures.slowest_rotation),
    }


def _duration(duration: int | None) -> str | None:
    return None if duration is None else times.format_duration(duration)
