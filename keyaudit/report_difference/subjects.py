"""Why a finding about a scope, a waiver or the policy is not the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from keyaudit.model import Coverage
from keyaudit.report_difference import crossings
from keyaudit.report_difference.causes import Pair, by_elimination, by_rule, by_severity
from keyaudit.report_difference.changes import Cause, Reason, Shift
from keyaudit.report_difference.waived import status
from keyaudit.times import format_date


def reasons(pair: Pair) -> tuple[Reason, ...]:
    """Say why; never empty."""
    by_subject = _BY_RULE.get(pair.finding.rule)
    for step in (by_rule, by_severity, by_subject, by_elimination):
        if step is not None and (found := tuple(step(pair))):
            return found
    return (Reason(Cause.NOT_KNOWN, "cause not known from these reports", tuple(pair.inputs.values())),)


def _by_scope(pair: Pair) -> Iterable[Reason]:
    key = str(pair.finding.evidence.get("source")), str(pair.finding.evidence.get("scope"))
    one, other = pair.old.scopes.get(key), pair.new.scopes.get(key)
    shifts = [Shift("status", _status(one), _status(other))]
    reasons = [None if scope is None else scope.reason for scope in (one, other)]
    if reasons[0] != reasons[1]:
        shifts.append(Shift("reason", *reasons))
    yield Reason(Cause.COVERAGE, "what came of asking the scope is not the same", tuple(shifts))


def _status(scope: Coverage | None) -> str:
    return "not asked for" if scope is None else str(scope.status)


def _by_waiver(pair: Pair) -> Iterable[Reason]:
    named = pair.finding.subject or ""
    one, other = pair.old.waivers.get(named), pair.new.waivers.get(named)
    shift = status(named, one, other)
    if one is None or other is None:
        word = "added" if one is None else "taken out of the policy"
        yield Reason(Cause.WAIVER, f"waiver {named} was {word}", (shift,))
    elif one.ends != other.ends:
        ends = [None if w.ends is None else format_date(w.ends - 1) for w in (one, other)]
        yield Reason(Cause.WAIVER, f"waiver {named} was changed", (Shift(f"{named}.until", *ends), shift))
    elif other.status == "expired":
        yield Reason(Cause.CLOCK, f"waiver {named} lapsed", (crossings.clock(pair.old, pair.new), shift))
    else:
        yield Reason(Cause.WAIVER, f"waiver {named} is {other.status}", (shift,))


def _by_review(pair: Pair) -> Iterable[Reason]:
    one, other = pair.old.report.policy.reviewed_on, pair.new.report.policy.reviewed_on
    if one != other:
        days = [None if day is None else format_date(day) for day in (one, other)]
        yield Reason(Cause.POLICY, "the policy has another review date", (Shift("reviewed_on", *days),))


_BY_RULE: Mapping[str, Callable[[Pair], Iterable[Reason]]] = {
    "KA901": _by_scope,
    "KA902": _by_scope,
    "KA903": _by_waiver,
    "KA904": _by_waiver,
    "KA905": _by_waiver,
    "KA801": _by_review,
}
