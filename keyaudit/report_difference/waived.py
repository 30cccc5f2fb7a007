"""Why a failure is waived in one report and stands in the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from keyaudit.model import Finding, Verdict, WaiverResult
from keyaudit.report_difference.changes import Cause, Reason, Shift
from keyaudit.report_difference.sides import Side
from keyaudit.times import format_instant


def by_waiver(
    old: Side, new: Side, before: Finding | None, after: Finding | None, inputs: Mapping[Cause, Shift]
) -> Iterable[Reason]:
    """Say what became of the waiver that covers it in one report only; nothing for any other change."""
    if before is None or after is None:
        return
    if {before.verdict, after.verdict} != {Verdict.FAIL, Verdict.WAIVED}:
        return
    lapsed = before.verdict is Verdict.WAIVED
    named = before.waiver if lapsed else after.waiver
    if named is None:
        return
    yield _reason(named, old.waivers.get(named), new.waivers.get(named), inputs, lapsed=lapsed)


def _reason(
    named: str,
    one: WaiverResult | None,
    other: WaiverResult | None,
    inputs: Mapping[Cause, Shift],
    *,
    lapsed: bool,
) -> Reason:
    if one is None or other is None:
        word = "added" if one is None else "taken out of the policy"
        return Reason(Cause.WAIVER, f"waiver {named} was {word}", (status(named, one, other),))
    changed = tuple(_changed(named, one, other))
    if changed:
        return Reason(Cause.WAIVER, f"waiver {named} was changed", (*changed, status(named, one, other)))
    if lapsed and other.status == "expired":
        ends = None if other.ends is None else format_instant(other.ends)
        shifts = (status(named, one, other), Shift(f"{named}.ends", ends, ends))
        return Reason(Cause.WAIVER, f"waiver {named} lapsed", shifts)
    if not lapsed and one.status == "not-yet":
        starts = None if other.starts is None else format_instant(other.starts)
        shifts = (status(named, one, other), Shift(f"{named}.starts", starts, starts))
        return Reason(Cause.WAIVER, f"waiver {named} came into force", shifts)
    return _rematched(named, status(named, one, other), inputs, lapsed=lapsed)


def _rematched(named: str, became: Shift, inputs: Mapping[Cause, Shift], *, lapsed: bool) -> Reason:
    """A waiver that stayed as it was covers other credentials; a report does not say whom it matches."""
    word = "no longer covers" if lapsed else "covers"
    shifts = (became, *(inputs[cause] for cause in (Cause.POLICY, Cause.INVENTORY) if cause in inputs))
    if Cause.POLICY not in inputs:
        return Reason(Cause.INVENTORY, f"waiver {named} {word} the credential, whose facts changed", shifts)
    if Cause.INVENTORY not in inputs:
        return Reason(Cause.WAIVER, f"waiver {named} {word} the credential: it matches others", shifts)
    because = f"waiver {named} {word} the credential: what it matches or the credential changed"
    return Reason(Cause.NOT_KNOWN, because, shifts)


def status(named: str, one: WaiverResult | None, other: WaiverResult | None) -> Shift:
    """Give what became of a waiver in both reports."""
    said = (None if waiver is None else waiver.status for waiver in (one, other))
    return Shift(f"{named}.status", *said)


def _changed(named: str, one: WaiverResult, other: WaiverResult) -> Iterable[Shift]:
    for name in ("starts", "ends", "rules", "problems", "approved_by", "requested_by", "reason"):
        old, new = getattr(one, name), getattr(other, name)
        if old != new:
            yield Shift(f"{named}.{name}", _said(name, old), _said(name, new))


def _said(name: str, value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and name in {"starts", "ends"}:
        return format_instant(value)
    return ", ".join(value) if isinstance(value, tuple) else str(value)
