"""OCSF 1.5 compliance findings (class 2003), one JSON object a line: what log pipelines and SIEMs take.

One event a finding, in the order of the report: a failure is `Fail`, what is not known is
`Warning` (OCSF: no result, for information is missing), a waived failure is `Fail` with the
event's status `Suppressed`. `finding_info.uid` is the fingerprint, so the same finding of
another run is found again. The event is always `Create`: whether it was sent before, only the
receiver knows. Passes are counts in the report, not events.

What OCSF has no place for is in `unmapped`. Identifiers are exact, as the store spells them; in
what people read, everything can be seen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from keyaudit import times
from keyaudit.formats import aws_places, wording
from keyaudit.formats.identifiers import audit_id, identifier
from keyaudit.formats.visible import visible
from keyaudit.model import Finding, Report, RuleResult, Severity, Verdict

VERSION = "1.5.0"
PROFILE = "cloud"

SEVERITIES: dict[Severity | None, tuple[int, str]] = {
    None: (0, "Unknown"),
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
STATUSES = {Verdict.FAIL: (3, "Fail"), Verdict.WAIVED: (3, "Fail"), Verdict.UNKNOWN: (2, "Warning")}

_CLASS = {
    "category_uid": 2,
    "category_name": "Findings",
    "class_uid": 2003,
    "class_name": "Compliance Finding",
    "activity_id": 1,
    "activity_name": "Create",
    "type_uid": 200301,
    "type_name": "Compliance Finding: Create",
}
_LONGEST = 2000
_ADDRESS = re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:)]")


def render(report: Report) -> bytes:
    """Print one event a finding, each on its line; nothing where there is no finding."""
    rules = {rule.id: rule for rule in report.rules}
    standards = {framework.id: f"{framework.name} {framework.version}" for framework in report.frameworks}
    scopes = aws_places.scopes_named(report.coverage)
    audit = audit_id(report)
    encoder = msgspec.json.Encoder()
    lines = bytearray()
    for finding in report.findings:
        event = _event(report, audit, finding, rules.get(finding.rule), standards)
        cloud = _cloud(finding, aws_places.of_finding(finding, scopes))
        if cloud:
            event |= {"cloud": cloud}
            event["metadata"]["profiles"] = [PROFILE]
        lines += encoder.encode(event) + b"\n"
    return bytes(lines)


def _event(
    report: Report,
    audit: str,
    finding: Finding,
    rule: RuleResult | None,
    standards: Mapping[str, str],
) -> dict[str, Any]:
    at = report.as_of // 1000
    severity_id, severity = SEVERITIES[finding.severity]
    waived = finding.verdict is Verdict.WAIVED
    about = visible(wording.subject(finding))
    return {
        **_CLASS,
        "time": at,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 3 if waived else 1,
        "status": "Suppressed" if waived else "New",
        "message": visible(finding.message, longest=_LONGEST),
        "metadata": {
            "version": VERSION,
            "product": {"name": "keyaudit", "vendor_name": "keyaudit", "version": report.version},
            "uid": identifier("ocsf-event", audit, finding.fingerprint),
            "event_code": finding.rule,
        },
        "finding_info": {
            "uid": finding.fingerprint,
            "title": f"{finding.rule} {visible(finding.name)}: {about}",
            "desc": visible(finding.message, longest=_LONGEST),
            "created_time": at,
            "analytic": {"uid": finding.rule, "name": finding.name, "type_id": 1, "type": "Rule"},
        },
        "compliance": _compliance(report, finding, rule, standards),
        "resources": [_resource(finding)],
        "evidences": [{"name": f"what decided {finding.rule}", "data": dict(finding.evidence)}],
        "remediation": _remediation(finding, rule),
        "unmapped": _unmapped(report, finding),
    }


def _compliance(
    report: Report, finding: Finding, rule: RuleResult | None, standards: Mapping[str, str]
) -> dict[str, Any]:
    status_id, status = STATUSES[finding.verdict]
    bearing = list(dict.fromkeys(control.framework for control in finding.controls))
    names = [visible(standards.get(framework, framework)) for framework in bearing]
    return {
        "control": f"{finding.rule} {visible(finding.name)}",
        "desc": rule.title if rule else finding.name,
        "standards": names or [visible(report.policy.name)],
        "requirements": [visible(f"{control.framework} {control.id}") for control in finding.controls],
        "status_id": status_id,
        "status": status,
        "status_code": str(finding.verdict),
    }


def _resource(finding: Finding) -> dict[str, Any]:
    credential = finding.credential
    if credential is None:
        about = wording.subject(finding)
        return {"uid": about, "name": visible(about), "type": "Other"}
    words = {"environment": credential.environment, "owner": credential.owner}
    return {
        "uid": credential.id,
        "name": visible(credential.name),
        "type": credential.source,
        "namespace": credential.scope,
        "labels": [f"{key}:{visible(word)}" for key, word in words.items() if word],
        **({"version": finding.version} if finding.version else {}),
    }


def _cloud(finding: Finding, place: aws_places.Place) -> dict[str, Any]:
    """Say where in AWS or Google Cloud; nothing for what is elsewhere."""
    if place.account:
        account = {"uid": place.account, "name": place.account, "type_id": 10, "type": "AWS Account"}
        return {"provider": "AWS", "account": account, **({"region": place.region} if place.region else {})}
    if finding.credential and finding.credential.source.startswith("gcp-"):
        project = visible(finding.credential.scope.partition("/")[0])
        account = {"uid": project, "name": project, "type_id": 11, "type": "GCP Project"}
        return {"provider": "GCP", "account": account, "project_uid": project}
    return {}


def _remediation(finding: Finding, rule: RuleResult | None) -> dict[str, Any]:
    steps = [f"Command: {visible(finding.fix, longest=_LONGEST)}"] if finding.fix else []
    steps += [rule.remediation] if rule and rule.remediation else []
    links = _ADDRESS.findall(rule.references) if rule else []
    return {
        "desc": "\n\n".join(steps) or "See the rule that found it.",
        **({"references": links} if links else {}),
    }


def _unmapped(report: Report, finding: Finding) -> dict[str, Any]:
    due = None if finding.due_at is None else times.format_instant(finding.due_at)
    said = {
        "verdict": str(finding.verdict),
        "basis": str(finding.basis),
        "clause": finding.clause,
        "due_at": due,
        "waiver": finding.waiver,
        "environment": finding.credential.environment if finding.credential else None,
        "owner": finding.credential.owner if finding.credential else None,
        "policy": report.policy.name,
        "policy_sha256": report.policy.sha256,
        "inventory_sha256": report.inventory.sha256,
        "period": "/".join(map(times.format_instant, report.period)) if report.period else None,
    }
    return {key: value for key, value in said.items() if value is not None}
