"""What every format of a trend says in the same words."""

from __future__ import annotations

from keyaudit import times
from keyaudit.formats.visible import visible
from keyaudit.formats.wording import plural
from keyaudit.trend.series import Group, Point, Trend

_UNSEEN = (
    "failed when they were last judged, and could not be judged now: their scope was not read to its end or "
    "not listed, their facts were not known, or their rule was not asked. Never counted as mended"
)
_AGE = (
    "of the value in use, passing or not. The mean is over credentials whose age is known exactly; the worst "
    "is the highest age that a value surely has. What is not in use, and replicas, are in neither unless a "
    "rule found something about them"
)
_TIME_TO_ROTATE = (
    "from the first report that called a value overdue to the first that showed a newer one, so exact to the "
    "time between reports. The median, and the longest. A value that was overdue already when it was first "
    "seen had been so for longer than that"
)
_FLOWS = (
    "failed findings. Opened: an earlier report could have shown it and did not. First seen: none could have."
    " Closed: the rule was asked again and no longer fails, whether something was mended or the policy "
    "changed. Gone: the credential is no longer in a scope that was read to its end. Waived: still failing, "
    "and accepted until a date"
)
_INTERVALS = (
    "in UTC, weeks from Monday. The last report of an interval gives its levels; changes are those of all "
    "its reports. An interval without a report is empty, and nothing is put in its place"
)
NOTES: tuple[tuple[str, str], ...] = (
    ("Overdue", "credentials that failed KA101 or KA102 without a waiver, by the policy of that day"),
    ("Not seen", _UNSEEN),
    ("Age", _AGE),
    ("Time to rotate", _TIME_TO_ROTATE),
    ("Opened and closed", _FLOWS),
    ("Intervals", _INTERVALS),
)
"""What each figure is, and what it covers."""


def called(group: Group) -> str:
    """Name a group; what nobody filled in is "not known"."""
    return "not known" if group is None else visible(group) or "empty"


def span(trend: Trend) -> str:
    """Say from when to when, and by what interval."""
    first, last = trend.points[0].as_of, trend.points[-1].as_of
    gaps = len(trend.slots) - len(trend.points)
    without = f", {plural(gaps, trend.interval)} without a report" if gaps else ""
    return f"{times.format_date(first)} to {times.format_date(last)} by {trend.interval}{without}"


def headline(trend: Trend) -> str:
    """Say how many are overdue, and against the first point only what can be compared."""
    first, last = trend.points[0], trend.points[-1]
    now = f"{last.total.overdue:,} of {plural(last.total.credentials, 'credential')} overdue"
    if last.total.overdue_unseen:
        now += f", and {last.total.overdue_unseen:,} more when last seen"
    if first is last:
        return f"{now}. One point is a state, not a trend."
    then = f"{first.total.overdue:,} on {times.format_date(first.as_of)}"
    return f"{now}; {then}."


def caution(trend: Trend) -> list[str]:
    """Say what makes the first and the last point hard to compare."""
    points = trend.points
    torn = sum(point.coverage == "incomplete" for point in points)
    silent = sum(point.coverage == "undeclared" for point in points)
    said = []
    if torn:
        which = " The last is one of them." if points[-1].holes else ""
        said.append(
            f"{torn:,} of {plural(len(points), 'point')} could not see every scope: "
            f"what is lower there may only be unseen.{which}"
        )
    if silent:
        said.append(
            f"{silent:,} of {plural(len(points), 'point')} do not say which scopes were asked for, "
            "so nobody can say what was missed."
        )
    said += [f"{times.format_date(point.as_of)}: {changed(point)}." for point in points if point.changes][:5]
    more = sum(bool(point.changes) for point in points) - 5
    if more > 0:
        said.append(f"{plural(more, 'later change')} of policy, frameworks or program.")
    if trend.left_out:
        others = plural(len(trend.left_out), "report")
        said.append(f"{others} left out: another of the same instant saw as much or more.")
    return said


def changed(point: Point) -> str:
    """Say what the verdicts of a point were judged by that those before were not."""
    names = {
        "policy": f"the policy changed ({visible(point.policy)}, sha256 {visible(point.policy_sha256[:12])})",
        "frameworks": "the frameworks changed",
        "keyaudit": "another version of keyaudit judged",
    }
    return ", ".join(names[change] for change in point.changes)


def days(duration: int | None) -> str:
    """Say a duration, or a dash where it is not known."""
    return "–" if duration is None else times.describe_duration(duration)


def rotations(trend: Trend) -> str | None:
    """Say how long overdue values took to be replaced; None where none was."""
    rotated = sorted(time for point in trend.points for time in point.total.rotated)
    if not rotated:
        return None
    later = sum(point.total.rotated_later for point in trend.points)
    half, longest = days(rotated[(len(rotated) - 1) // 2]), days(rotated[-1])
    count = plural(len(rotated), "overdue value")
    return (
        f"{count} replaced, half within {half}, all within {longest}; "
        f"{later:,} of them overdue already when first seen."
    )
