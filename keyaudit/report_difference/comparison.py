"""Two reports in, what is not the same out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from keyaudit.model import Finding, Report, Severity, Verdict
from keyaudit.report_difference import causes, subjects
from keyaudit.report_difference.causes import REQUIREMENT, Pair
from keyaudit.report_difference.changes import (
    Cause,
    Change,
    Kind,
    Reason,
    ReportDifference,
    ScopeChange,
)
from keyaudit.report_difference.inputs import differing
from keyaudit.report_difference.sides import Side, side

_ORDER = {kind: place for place, kind in enumerate(Kind)}


def compare(old: Report, new: Report, *, fail_on: Severity | None) -> ReportDifference:
    """Compare two reports finding by finding; `fail_on` is the mildest severity that closes the gate."""
    one, other = side(old), side(new)
    inputs = differing(old, new)
    changes, same = list[Change](), Counter[Verdict]()
    for key in dict.fromkeys((*other.findings, *one.findings)):
        before, after = one.findings.get(key), other.findings.get(key)
        if before is not None and after is not None and _alike(before, after):
            same[after.verdict] += 1
        else:
            changes.append(_change(Pair(one, other, before, after, inputs)))
    changes.sort(key=_order)
    counted = Counter(change.kind for change in changes)
    return ReportDifference(
        old=old,
        new=new,
        fail_on=fail_on,
        changes=tuple(changes),
        same={verdict: same[verdict] for verdict in Verdict if same[verdict]},
        inputs=inputs,
        scopes=_scopes(one, other),
        lost=_lost(one, other),
        open=new.summary.verdicts.get(Verdict.UNKNOWN, 0),
        counts={kind: counted[kind] for kind in Kind},
    )


def _alike(before: Finding, after: Finding) -> bool:
    return before.verdict is after.verdict and before.severity is after.severity


def _change(pair: Pair) -> Change:
    about = causes if pair.finding.credential is not None else subjects
    found = about.reasons(pair)
    return Change(_kind(pair, found), pair.before, pair.after, found)


def _kind(pair: Pair, found: tuple[Reason, ...]) -> Kind:
    if pair.after is not None:
        return Kind.APPEARED if pair.before is None else Kind.CHANGED
    decided = {reason.cause for reason in found}
    if pair.finding.credential is None:
        return Kind.ENDED
    if Cause.COVERAGE in decided:
        return Kind.NOT_SEEN
    if decided != {Cause.INVENTORY} or pair.finding.verdict is Verdict.UNKNOWN:
        return Kind.ENDED
    shown = {shift.fact for reason in found for shift in reason.shifts}
    # A credential that only came under a milder schedule was not mended.
    return Kind.ENDED if shown and shown <= REQUIREMENT else Kind.FIXED


def _order(change: Change) -> tuple[object, ...]:
    found, severity = change.finding, change.finding.severity
    credential = found.credential
    place = (
        ("", "", found.subject or "")
        if credential is None
        else (credential.source, credential.scope, credential.id)
    )
    verdict = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WAIVED).index(found.verdict)
    rank = len(Severity) if severity is None else severity.rank
    return _ORDER[change.kind], verdict, rank, found.rule, place, found.version or "", found.fingerprint


def _lost(old: Side, new: Side) -> int:
    """Count credentials that the new report lacks and may only not have seen."""
    reasons: Mapping[tuple[str, str], str | None] = {
        (source, scope): new.unseen(source, scope) for source, scope, _ in old.rows
    }
    return sum(place not in new.rows and reasons[place[:2]] is not None for place in old.rows)


def _scopes(old: Side, new: Side) -> tuple[ScopeChange, ...]:
    keys = sorted({*old.scopes, *new.scopes})
    both = ((key, old.scopes.get(key), new.scopes.get(key)) for key in keys)
    return tuple(
        ScopeChange(*key, one, other)
        for key, one, other in both
        if (one and one.status) != (other and other.status)
    )
