"""What two audits did not share: the instant, the policy, the frameworks, the inventory, the tool."""

from __future__ import annotations

from keyaudit.model import Report
from keyaudit.report_difference.changes import Cause, Shift
from keyaudit.times import format_instant

CALLED = {
    Cause.CLOCK: "the instant",
    Cause.POLICY: "the policy",
    Cause.FRAMEWORK: "the frameworks",
    Cause.INVENTORY: "the inventory",
    Cause.RULE: "the version of keyaudit",
}


def differing(old: Report, new: Report) -> dict[Cause, Shift]:
    """Give the inputs that differ, each with both values."""
    both = {
        Cause.CLOCK: Shift("as_of", format_instant(old.as_of), format_instant(new.as_of)),
        Cause.POLICY: Shift("policy.sha256", old.policy.sha256, new.policy.sha256),
        Cause.FRAMEWORK: Shift("frameworks", _frameworks(old), _frameworks(new)),
        Cause.INVENTORY: Shift("inventory.sha256", old.inventory.sha256, new.inventory.sha256),
        Cause.RULE: Shift("tool.version", old.version, new.version),
    }
    return {cause: shift for cause, shift in both.items() if shift.old != shift.new}


def _frameworks(report: Report) -> str:
    return ", ".join(sorted(f"{f.id} {f.version} {f.sha256[:12]}" for f in report.frameworks)) or "none"
