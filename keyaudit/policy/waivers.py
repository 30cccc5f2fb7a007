"""What makes a waiver sound, and when it is in force.

Sound: a reason, an end, a requester, and an approver who is not the requester. Days are UTC and
inclusive: `until: 2026-09-30` waives through the last microsecond of that day.
"""

from __future__ import annotations

from keyaudit.match import Match
from keyaudit.model import Waiver
from keyaudit.policy import days, document, people
from keyaudit.times import DAY, format_date


def read(item: document.Waiver, match: Match) -> Waiver:
    """Read a waiver; what is wrong with its content makes it invalid, and is kept for the report."""
    problems: list[str] = []
    starts, ends = _day(item.starts, "from", problems), _day(item.until, "until", problems)
    if item.until is None:
        problems.append("has no end (until)")
    if starts is not None and ends is not None and starts > ends:
        problems.append("ends before it begins")
    wanted = {
        "reason": item.reason,
        "requester (requested_by)": item.requested_by,
        "approver (approved_by)": item.approved_by,
    }
    problems += [f"has no {name}" for name, value in wanted.items() if people.blank(value)]
    if people.same(item.requested_by, item.approved_by):
        problems.append("was approved by the person who requested it")
    return Waiver(
        id=item.id,
        rules=tuple(item.rules),
        match=match,
        reason=item.reason,
        requested_by=item.requested_by,
        approved_by=item.approved_by,
        starts=starts,
        ends=ends + DAY if ends is not None else None,
        problems=tuple(problems),
    )


def covers(waiver: Waiver, as_of: int) -> bool:
    """Say whether a waiver waives anything at an instant: sound, begun, and its last day not over."""
    return status(waiver, as_of) == "active"


def status(waiver: Waiver, as_of: int) -> str:
    """Give `invalid`, `expired`, `not-yet` or `active`; whether it matches anything is not asked here."""
    if waiver.problems or waiver.ends is None:
        return "invalid"
    if as_of >= waiver.ends:
        return "expired"
    return "not-yet" if waiver.starts is not None and as_of < waiver.starts else "active"


def describe(waiver: Waiver, as_of: int | None) -> str:
    """Say in one line what a waiver waives, until when, and what stands in its way."""
    said = [f"waives {', '.join(waiver.rules)}"]
    if waiver.ends is not None:
        said.append(f"until {format_date(waiver.ends - 1)}")
    if waiver.problems:
        said.append(f"invalid: {', '.join(waiver.problems)}")
    elif as_of is not None:
        said.append(status(waiver, as_of))
    return "; ".join(said)


def _day(text: str | None, name: str, problems: list[str]) -> int | None:
    if text is None:
        return None
    try:
        return days.parse(text, "2026-09-30")
    except ValueError as error:
        problems.append(f"{name} is not {error}")
        return None
