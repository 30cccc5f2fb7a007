"""What two audits did not share: the instant, the period, the policy, the frameworks, what was audited."""

from __future__ import annotations

from keyaudit.model import Report
from keyaudit.report_difference.changes import Cause, Shift
from keyaudit.times import format_instant

CALLED = {
    Cause.CLOCK: "the instant",
    Cause.POLICY: "the policy",
    Cause.FRAMEWORK: "the frameworks",
    Cause.INVENTORY: "the inventory",
    Cause.PERIOD: "the period",
    Cause.RECORDS: "the rotation records",
    Cause.RULE: "the version of keyaudit",
}


def differing(old: Report, new: Report) -> dict[Cause, Shift]:
    """Give the inputs that differ, each with both values."""
    both = {
        Cause.CLOCK: Shift("as_of", format_instant(old.as_of), format_instant(new.as_of)),
        Cause.POLICY: Shift("policy.sha256", old.policy.sha256, new.policy.sha256),
        Cause.FRAMEWORK: Shift("frameworks", _frameworks(old), _frameworks(new)),
        Cause.INVENTORY: Shift("inventory.sha256", old.inventory.sha256, new.inventory.sha256),
        Cause.PERIOD: Shift("period", _period(old), _period(new)),
        Cause.RECORDS: Shift("records", _records(old), _records(new)),
        Cause.RULE: Shift("tool.version", old.version, new.version),
    }
    return {cause: shift for cause, shift in both.items() if shift.old != shift.new}


def _period(report: Report) -> str:
    return "none" if report.period is None else "/".join(map(format_instant, report.period))


def _records(report: Report) -> str:
    """Name the files by what is in them; where they lie is no difference."""
    found = sorted((record.sha256 or "unread")[:12] for record in report.records or ())
    return ", ".join(found) or "none"


def _frameworks(report: Report) -> str:
    return ", ".join(sorted(f"{f.id} {f.version} {f.sha256[:12]}" for f in report.frameworks)) or "none"
