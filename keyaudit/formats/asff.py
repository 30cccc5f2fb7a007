"""AWS Security Finding Format: requests for Security Hub's BatchImportFindings, one a line.

Every line is what `aws securityhub batch-import-findings --cli-input-json` takes: up to 100
findings of one account and one region, for that is what the operation accepts, sent from that
account to that region. A line is never larger than 5 MB.

A finding is of the account and region of the scope that listed its credential. One that has
none (IAM has no region; Vault, a waiver, the policy have neither) goes to `security_hub`, or,
where that was not said, to the only account and region that the report knows; a report that
knows several, or none, is refused.

A failure is `FAILED`; what is not known is `WARNING`, which is Security Hub's word for missing
information; a waived failure is `FAILED` with the workflow status `SUPPRESSED`, which Security
Hub heeds only when the finding is new to it. `Id` is the fingerprint: the same finding of
another run updates the one before. A finding that is gone is not in the file, and stays active
in Security Hub until it is archived there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from keyaudit import times
from keyaudit.errors import UsageError
from keyaudit.formats import aws_places, wording
from keyaudit.formats.aws_places import NOWHERE, Place
from keyaudit.formats.visible import bounded
from keyaudit.model import Finding, Report, RuleResult, Severity, Verdict

MOST_IN_A_BATCH = 100
LARGEST_BATCH = 5_000_000
"""Bytes. Security Hub takes 6 MB a batch and 240 KB a finding; a finding here stays under 200 KB."""

LABELS: dict[Severity | None, str] = {
    None: "INFORMATIONAL",
    Severity.INFO: "INFORMATIONAL",
    Severity.LOW: "LOW",
    Severity.MEDIUM: "MEDIUM",
    Severity.HIGH: "HIGH",
    Severity.CRITICAL: "CRITICAL",
}
STATUSES = {Verdict.FAIL: "FAILED", Verdict.WAIVED: "FAILED", Verdict.UNKNOWN: "WARNING"}
RESOURCE_TYPES = {"aws-secrets-manager": "AwsSecretsManagerSecret", "aws-kms": "AwsKmsKey"}
"""Kinds whose ids are those that Security Hub knows the resource by; all others are `Other`."""

TYPE = "Software and Configuration Checks/Industry and Regulatory Standards"
_MOST_REQUIREMENTS = 32
_MOST_FIELDS = 50
_LONGEST_VALUE = 512

_HINT = "--security-hub 111122223333/eu-west-1 says it, or report.security_hub in keyaudit.yaml"


def render(report: Report, *, security_hub: str | None = None) -> bytes:
    """Print one request a line; nothing where there is no finding.

    `security_hub` is `ACCOUNT/REGION`, where findings go that name neither. Raises UsageError
    where a finding's account or region is not known.
    """
    scopes = aws_places.scopes_named(report.coverage)
    home = _home(security_hub, list(scopes.values()))
    rules = {rule.id: rule for rule in report.rules}
    by_place: dict[Place, list[bytes]] = {}
    for finding in report.findings:
        place = _place(finding, aws_places.of_finding(finding, scopes), home)
        content = msgspec.json.encode(_finding(report, finding, place, rules.get(finding.rule)))
        by_place.setdefault(place, []).append(content)
    batches = (batch for place in sorted(by_place) for batch in _batches(by_place[place]))
    return b"".join(b'{"Findings":[' + b",".join(batch) + b"]}\n" for batch in batches)


def _home(said: str | None, known: list[Place]) -> Place:
    """Give where findings without a place go: what was said, else all that the scopes agree on."""
    if said is not None:
        place = aws_places.read(said)
        if place is None:
            raise UsageError(f"security_hub: {said!r} is not an account and a region", hint=_HINT)
        return place
    accounts = {place.account for place in known if place.account}
    regions = {place.region for place in known if place.region}
    return Place(accounts.pop() if len(accounts) == 1 else None, regions.pop() if len(regions) == 1 else None)


def _place(finding: Finding, own: Place, home: Place) -> Place:
    place = Place(own.account or home.account, own.region or home.region)
    if place.account is None or place.region is None:
        missing = "account" if place.account is None else "region"
        about = bounded(wording.subject(finding), 200)
        where = f" of {finding.credential.source}" if finding.credential and own is NOWHERE else ""
        raise UsageError(
            f"asff: to which AWS {missing} the finding {finding.rule} on {about}{where} belongs is not known",
            hint=_HINT,
        )
    return place


def _batches(findings: list[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for content in findings:
        if batch and (len(batch) == MOST_IN_A_BATCH or size + len(content) > LARGEST_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(content)
        size += len(content) + 1
    if batch:
        yield batch


def _finding(report: Report, finding: Finding, place: Place, rule: RuleResult | None) -> dict[str, Any]:
    assert place.region is not None
    partition = aws_places.partition(place.region)
    at = times.format_instant(report.as_of)
    product = f"arn:{partition}:securityhub:{place.region}:{place.account}:product/{place.account}/default"
    about = wording.subject(finding)
    return {
        "SchemaVersion": "2018-10-08",
        "Id": bounded(f"keyaudit/{finding.fingerprint}", 512),
        "ProductArn": product,
        "ProductName": "keyaudit",
        "GeneratorId": f"keyaudit/{finding.rule}",
        "AwsAccountId": place.account,
        "CreatedAt": at,
        "UpdatedAt": at,
        "FindingProviderFields": {
            "Severity": {"Label": LABELS[finding.severity], "Original": finding.severity or "none"},
            "Types": [TYPE],
        },
        "Title": bounded(f"{finding.rule} {finding.name}: {about}", 256),
        "Description": bounded(finding.message, 1024),
        "Remediation": {"Recommendation": {"Text": _advice(finding, rule)}},
        "ProductFields": _fields(report, finding),
        "Resources": [_resource(finding, about, place, partition)],
        "Compliance": _compliance(finding),
        "Workflow": {"Status": "SUPPRESSED" if finding.verdict is Verdict.WAIVED else "NEW"},
        "RecordState": "ACTIVE",
    }


def _advice(finding: Finding, rule: RuleResult | None) -> str:
    advice = " ".join(rule.remediation.split()) if rule else ""
    return bounded(finding.fix or advice, 512, nothing="See the rule that found it.")


def _fields(report: Report, finding: Finding) -> dict[str, str]:
    said = {
        "verdict": str(finding.verdict),
        "basis": str(finding.basis),
        "clause": finding.clause,
        "due_at": None if finding.due_at is None else times.format_instant(finding.due_at),
        "waiver": finding.waiver,
        "version": finding.version,
        "environment": finding.credential.environment if finding.credential else None,
        "owner": finding.credential.owner if finding.credential else None,
        "source": finding.credential.source if finding.credential else None,
        "scope": finding.credential.scope if finding.credential else None,
        "policy": report.policy.name,
        "policy_sha256": report.policy.sha256,
        "inventory_sha256": report.inventory.sha256,
        "period": "/".join(map(times.format_instant, report.period)) if report.period else None,
        "keyaudit_version": report.version,
        **{f"evidence/{name}": _printed(value) for name, value in finding.evidence.items()},
    }
    known = [(name, value) for name, value in said.items() if value]
    return {
        f"keyaudit/{bounded(name, 100)}": bounded(value, _LONGEST_VALUE)
        for name, value in known[:_MOST_FIELDS]
    }


def _printed(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _resource(finding: Finding, about: str, place: Place, partition: str) -> dict[str, Any]:
    credential = finding.credential
    if credential is None:
        return {"Type": "Other", "Id": bounded(about, _LONGEST_VALUE)}
    kind = RESOURCE_TYPES.get(credential.source, "Other")
    known = {"name": credential.name, "source": credential.source, "scope": credential.scope}
    details = {name: bounded(value, _LONGEST_VALUE) for name, value in known.items()}
    own = {"Partition": partition, "Region": place.region} if credential.source.startswith("aws-") else {}
    return {
        "Type": kind,
        "Id": bounded(credential.id, _LONGEST_VALUE),
        **own,
        "Details": {"Other": details},
    }


def _compliance(finding: Finding) -> dict[str, Any]:
    controls = [bounded(f"{control.framework} {control.id}", 200) for control in finding.controls]
    return {
        "Status": STATUSES[finding.verdict],
        "SecurityControlId": finding.rule,
        **({"RelatedRequirements": controls[:_MOST_REQUIREMENTS]} if controls else {}),
    }
