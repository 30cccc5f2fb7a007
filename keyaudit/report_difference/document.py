"""The document `keyaudit/diff/1`: a comparison as plain data, for programs."""

from __future__ import annotations

from typing import Any

from keyaudit.model import Coverage, Finding, Report, Severity
from keyaudit.report_difference.changes import Change, ReportDifference, ScopeChange, Shift
from keyaudit.times import format_instant

SCHEMA = "keyaudit/diff/1"


def to_document(found: ReportDifference, names: tuple[str, str]) -> dict[str, Any]:
    """Give all of it; `names` are what the two reports were read from. Instants are RFC 3339."""
    return {
        "schema": SCHEMA,
        "old": _report(found.old, names[0]),
        "new": _report(found.new, names[1]),
        "differs_in": [{"input": str(cause), **_shift(shift)} for cause, shift in found.inputs.items()],
        "summary": {
            **{str(kind).replace("-", "_"): count for kind, count in found.counts.items()},
            "unchanged": {str(verdict): count for verdict, count in found.same.items()},
            "new_failures": _by_severity(found),
            "gating": found.gating,
            "credentials_not_seen": found.lost,
            "undecided": found.open,
            "fail_on": found.fail_on,
            "exit_code": found.exit_code,
        },
        "scopes": [_scope(change) for change in found.scopes],
        "changes": [_change(change) for change in found.changes],
    }


def _report(report: Report, name: str) -> dict[str, Any]:
    at = report.inventory.collected_at
    return {
        "file": name,
        "as_of": format_instant(report.as_of),
        "tool_version": report.version,
        "policy": {"name": report.policy.name, "sha256": report.policy.sha256},
        "frameworks": [{"id": f.id, "version": f.version, "sha256": f.sha256} for f in report.frameworks],
        "inventory": {
            "sha256": report.inventory.sha256,
            "collected_at": None if at is None else format_instant(at),
            "credentials": report.inventory.credentials,
        },
        "findings": len(report.findings),
    }


def _by_severity(found: ReportDifference) -> dict[str, int]:
    new = [change.new.severity for change in found.changes if change.new_failure and change.new]
    return {str(severity): new.count(severity) for severity in Severity if severity in new}


def _scope(change: ScopeChange) -> dict[str, Any]:
    return {
        "source": change.source,
        "scope": change.scope,
        "old": _coverage(change.old),
        "new": _coverage(change.new),
    }


def _coverage(scope: Coverage | None) -> dict[str, Any] | None:
    return None if scope is None else {"status": str(scope.status), "reason": scope.reason}


def _change(change: Change) -> dict[str, Any]:
    finding = change.finding
    credential = finding.credential
    return {
        "change": str(change.kind),
        "new_failure": change.new_failure,
        "rule": finding.rule,
        "name": finding.name,
        "credential": None
        if credential is None
        else {name: getattr(credential, name) for name in credential.__slots__},
        "subject": finding.subject,
        "version": finding.version,
        "fingerprint": finding.fingerprint,
        "old": _side(change.old),
        "new": _side(change.new),
        "why": [
            {
                "cause": str(reason.cause),
                "because": reason.because,
                "evidence": [_shift(shift) for shift in reason.shifts],
            }
            for reason in change.reasons
        ],
    }


def _side(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {
        "verdict": str(finding.verdict),
        "severity": finding.severity,
        "basis": str(finding.basis),
        "message": finding.message,
        "waiver": finding.waiver,
        "due_at": None if finding.due_at is None else format_instant(finding.due_at),
        "evidence": dict(finding.evidence),
    }


def _shift(shift: Shift) -> dict[str, str | None]:
    return {"fact": shift.fact, "old": shift.old, "new": shift.new}
